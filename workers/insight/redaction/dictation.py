"""Digits as people dictate them, over several utterances: "four one one one", "double two", "nineteen
eighty"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from workers.insight.words.numerals import TEENS, TENS, UNITS
from workers.insight.words.spoken import Spoken
from workers.insight.words.tokens import FILLERS

ZERO_WORDS = frozenset({"oh", "o", "nought", "naught", "nil"})
REPEATERS = {"double": 2, "triple": 3, "treble": 3}
JOINERS = frozenset({"dash", "hyphen", "space", "slash", "then", "yes", "okay", "so", "it's", "its", "is"})
"""Said between the groups of a number without ending it (but a number does not begin or end with them)."""
HOMOPHONES = {"to": "2", "too": "2", "for": "4", "ate": "8", "won": "1", "tree": "3", "fore": "4"}
"""What a recogniser writes for a lone digit; believed only between two digits."""

MASKED_NUMBER = "▇▇"
"""Stands for a word of a number that was masked before: whatever goes on with such a number is secret too."""

_PUNCTUATION = ".,!?;:()[]\"'’—–"
_WRITTEN = re.compile(r"[+(]?\d[\d().\-–/]*")


@dataclass(slots=True)
class Run:
    """Digits dictated without other words between them.

    pieces: (utterance id, first, last) word index spans, oldest first. plus: begins as an international
    number.
    followed_by: the word that ended it, "" if it ended with its utterance. masked: part of it is masked already.
    """

    digits: str = ""
    pieces: list[tuple[str, int, int]] = field(default_factory=list)
    plus: bool = False
    followed_by: str = ""
    masked: bool = False


@lru_cache(maxsize=20_000)
def bare(word: str) -> str:
    """A whitespace word without the punctuation around it, lower case."""
    return word.lower().strip(_PUNCTUATION)


def runs(own: Sequence[Spoken], window_seconds: float) -> Iterator[Run]:
    """Digit runs in the utterances of one track, in order of time."""
    run = Run()
    ended, repeat = 0.0, 1
    for utterance in own:
        words = [bare(word) for word in utterance.text.split()]
        at = 0
        if run.digits and (utterance.start - ended > window_seconds or not _begins_with_digits(words)):
            yield run
            run = Run()
        ended = utterance.end
        first: int | None = None
        last = -1
        while at < len(words):
            read = _digits(words, at)
            if read is not None and repeat > 1:
                read = read[0][:1] * (repeat - 1) + read[0], read[1]
                repeat = 1
            if read is not None:
                if first is None:
                    first = at
                run.plus = run.plus or (not run.digits and utterance.text.split()[at].startswith("+"))
                run.digits += read[0]
                run.masked = run.masked or words[at] == MASKED_NUMBER
                last = at + read[1] - 1
                at += read[1]
                continue
            word = words[at]
            if run.digits and word in REPEATERS and at == len(words) - 1:
                repeat, last = REPEATERS[word], at  # its digit comes in the next utterance
                first = at if first is None else first
                at += 1
                continue
            if not word or word in FILLERS or (word in JOINERS and at - last <= 2):
                at += 1
                continue
            if first is not None:
                run.pieces.append((utterance.id, first, last))
            if run.digits:
                run.followed_by = word
                yield run
            run, first = Run(), None
            last = at
            at += 1
        if first is not None:
            run.pieces.append((utterance.id, first, last))
        elif run.digits:
            yield run
            run = Run()
    if run.digits:
        yield run


def _begins_with_digits(words: list[str]) -> bool:
    """Whether an utterance goes on with a number begun before: digits after at most two joining words."""
    for at, word in enumerate(words[:4]):
        if _digits(words, at) is not None:
            return True
        if word and word not in FILLERS and word not in JOINERS:
            return False
    return False


def _digits(words: list[str], at: int) -> tuple[str, int] | None:
    """Digits that begin at word `at`, and how many words they take; None if none do."""
    word = words[at]
    if word == MASKED_NUMBER:
        return "0", 1
    if _WRITTEN.fullmatch(word):
        return re.sub(r"\D", "", word), 1
    if word in REPEATERS and at + 1 < len(words):
        following = _one(words, at + 1)
        return (following * REPEATERS[word], 2) if following is not None else None
    if word in TEENS:
        return _with_hundred(str(TEENS[word]), words, at + 1, 1)
    if word in TENS:
        if at + 1 < len(words) and words[at + 1] in UNITS and UNITS[words[at + 1]]:
            return _with_hundred(str(TENS[word] + UNITS[words[at + 1]]), words, at + 2, 2)
        return str(TENS[word]), 1
    if "-" in word and all(part in TENS or part in UNITS for part in word.split("-")):
        return str(sum((TENS | UNITS)[part] for part in word.split("-"))), 1
    one = _one(words, at)
    if one is None:
        return None
    return _with_hundred(one, words, at + 1, 1)


def _with_hundred(digits: str, words: list[str], at: int, taken: int) -> tuple[str, int]:
    """ "eight hundred" in a number read out is 800; "two thousand and nineteen" is 2019."""
    if at < len(words) and words[at] == "hundred":
        return digits + "00", taken + 1
    if at < len(words) and words[at] == "thousand":
        rest = at + 1 + (at + 1 < len(words) and words[at + 1] == "and")
        small, used = _below_hundred(words, rest)
        if used:
            return str(int(digits) * 1000 + small), taken + rest - at + used
        return digits + "000", taken + 1
    return digits, taken


def _below_hundred(words: list[str], at: int) -> tuple[int, int]:
    """A number under 100 at `at` and the words it takes; (0, 0) if there is none."""
    if at >= len(words):
        return 0, 0
    word = words[at]
    if word in TENS:
        unit = UNITS.get(words[at + 1], 0) if at + 1 < len(words) else 0
        return TENS[word] + unit, 2 if unit else 1
    small = (UNITS | TEENS).get(word)
    return (0, 0) if small is None else (small, 1)


def _one(words: list[str], at: int) -> str | None:
    """A single spoken digit at `at`."""
    word = words[at]
    if word in UNITS:
        return str(UNITS[word])
    if word in ZERO_WORDS:
        near = words[max(0, at - 1) : at] + words[at + 1 : at + 2]
        return "0" if any(_sure(other) for other in near) else None
    if word in HOMOPHONES and 0 < at < len(words) - 1 and _sure(words[at - 1]) and _sure(words[at + 1]):
        return HOMOPHONES[word]
    return None


def _sure(word: str) -> bool:
    return (
        word in UNITS
        or word in TEENS
        or word in TENS
        or word in REPEATERS
        or word in ZERO_WORDS
        or word.isdigit()
        or word == MASKED_NUMBER
    )
