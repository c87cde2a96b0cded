"""Finding many phrases in a short text at once: a trie over normalised tokens.

A pattern is written in plain words, e.g. `(speak|talk) to [a|the|your] manager*`:

    word      that word, in the normal form of tokens.py ("don't" and "do not" are one; "3" finds "three")
    word*     any word that begins so
    (a|b c)   one of these
    [a|b c]   one of these, or nothing
    *         up to three words, whatever they are (*2: up to two)
    #         a number; #th an ordinal

Cost: one dictionary look-up per token for texts that match nothing, however many phrases there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Generic, NamedTuple, TypeVar

from workers.insight.words.tokens import tokenise

Payload = TypeVar("Payload")

DEFAULT_GAP = 3
"""Words a bare `*` may skip: enough for "get me [one of] your managers", too few to join two statements."""
MAX_VARIANTS = 2000
"""Most combinations of one pattern's alternatives, so that a typo cannot eat the memory."""

STEPS_PER_WORD = 1000
"""Most steps in the trie for each word of a text; then the search ends with what it has found. The built-in phrases
take 22. Only patterns made to be slow take so many: every word a prefix, gap after gap."""

_TOKEN = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]|([^\s()\[\]]+)")
_ORDINAL = re.compile(r"\d+(st|nd|rd|th)")


class PatternError(ValueError):
    """A phrase pattern cannot be read; the message says why, in one sentence."""


class Hit(NamedTuple, Generic[Payload]):
    """A phrase found: tokens[start:end]."""

    payload: Payload
    start: int
    end: int


@dataclass(slots=True)
class _Node(Generic[Payload]):
    words: dict[str, _Node[Payload]] = field(default_factory=dict)
    prefixes: dict[str, _Node[Payload]] = field(default_factory=dict)
    number: _Node[Payload] | None = None
    ordinal: _Node[Payload] | None = None
    gaps: dict[int, _Node[Payload]] = field(default_factory=dict)
    payloads: list[Payload] = field(default_factory=list)


def _elements(part: str) -> list[str]:
    """Elements of a piece without brackets: wildcards as they are, words in normal form."""
    out: list[str] = []
    plain: list[str] = []

    def settle() -> None:
        if plain:
            out.extend(tokenise(" ".join(plain)).forms)
            plain.clear()

    for item in part.split():
        if re.fullmatch(r"\*\d?", item):
            settle()
            out.append(item if len(item) > 1 else f"*{DEFAULT_GAP}")
        elif item in ("#", "#th"):
            settle()
            out.append(item)
        elif item.endswith("*") and "*" not in item[:-1]:
            settle()
            out.append(item.lower())
        elif "*" in item or "#" in item:
            raise PatternError(f"'{item}' mixes a wildcard with letters: only an ending * is known")
        else:
            plain.append(item)
    settle()
    return out


def variants(pattern: str) -> list[tuple[str, ...]]:
    """All element sequences a pattern stands for. Raises PatternError."""
    rest = _TOKEN.sub("", pattern).strip()
    if rest:
        raise PatternError(f"unmatched or nested bracket near '{rest}'")
    choices: list[list[str]] = []
    count = 1
    for found in _TOKEN.finditer(pattern):
        required, optional, word = found.groups()
        if word is not None:
            options = [word]
        else:
            options = [o.strip() for o in (required if required is not None else optional).split("|")]
            if not all(options):
                raise PatternError(f"empty alternative in '{found.group(0)}'")
            if optional is not None:
                options.append("")
        choices.append(options)
        count *= len(options)
        if count > MAX_VARIANTS:
            raise PatternError(f"more than {MAX_VARIANTS} combinations of alternatives: split the phrase")
    out: list[tuple[str, ...]] = []
    for combination in product(*choices):
        elements = tuple(_elements(" ".join(c for c in combination if c)))
        if not elements:
            raise PatternError("the phrase may match nothing at all: no word in it is required")
        if re.fullmatch(r"\*\d", elements[0]) or re.fullmatch(r"\*\d", elements[-1]):
            raise PatternError("a phrase cannot begin or end with *: it would say nothing")
        out.append(elements)
    if not out:
        raise PatternError("the phrase is empty")
    return list(dict.fromkeys(out))


class Phrasebook(Generic[Payload]):
    """Patterns with a payload each. Immutable after construction; safe to share between threads."""

    def __init__(self, entries: Iterable[tuple[str, Payload]]) -> None:
        self._root: _Node[Payload] = _Node()
        for pattern, payload in entries:
            for elements in variants(pattern):
                self._add(elements, payload)

    def _add(self, elements: Sequence[str], payload: Payload) -> None:
        node = self._root
        for element in elements:
            if element == "#":
                node.number = node.number or _Node()
                node = node.number
            elif element == "#th":
                node.ordinal = node.ordinal or _Node()
                node = node.ordinal
            elif re.fullmatch(r"\*\d", element):
                node = node.gaps.setdefault(int(element[1:]), _Node())
            elif element.endswith("*"):
                node = node.prefixes.setdefault(element[:-1], _Node())
            else:
                node = node.words.setdefault(element, _Node())
        if not any(held is payload for held in node.payloads):
            node.payloads.append(payload)

    def find(self, forms: Sequence[str]) -> list[Hit[Payload]]:
        """Every phrase in `forms` (of tokenise), by start; of one payload at one start only the longest.

        Ends early, at the same place for the same text, where it takes more than STEPS_PER_WORD.
        """
        best: dict[tuple[int, int], Hit[Payload]] = {}
        walk = _Walk(forms)
        for start in range(len(forms)):
            for payload, end in walk.from_(self._root, start, set()):
                key = (start, id(payload))
                held = best.get(key)
                if held is None or end > held.end:
                    best[key] = Hit(payload, start, end)
        return list(best.values())


class _Walk:
    """A search through one text."""

    def __init__(self, forms: Sequence[str]) -> None:
        self._forms = forms
        self._steps_left = STEPS_PER_WORD * len(forms)

    def from_(self, node: _Node[Payload], at: int, seen: set[tuple[int, int]]) -> Iterator[tuple[Payload, int]]:
        """The payloads that can be reached, each with where its phrase ends."""
        if (id(node), at) in seen:  # by another way: gaps one after the other have more of them than there is time
            return
        seen.add((id(node), at))
        self._steps_left -= 1 + len(node.payloads) + len(node.prefixes)
        if self._steps_left < 0:
            return
        for payload in node.payloads:
            yield payload, at
        forms = self._forms
        if at >= len(forms):
            return
        form = forms[at]
        following = node.words.get(form)
        if following is not None:
            yield from self.from_(following, at + 1, seen)
        for prefix, child in node.prefixes.items():
            if form.startswith(prefix):
                yield from self.from_(child, at + 1, seen)
        if node.number is not None and form.isdecimal():
            yield from self.from_(node.number, at + 1, seen)
        if node.ordinal is not None and _ORDINAL.fullmatch(form):
            yield from self.from_(node.ordinal, at + 1, seen)
        for width, child in node.gaps.items():
            for skipped in range(min(width, len(forms) - at - 1) + 1):
                yield from self.from_(child, at + skipped, seen)
