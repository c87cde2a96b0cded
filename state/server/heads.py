"""The parts of a script's head: its keys, its fields, the values beside them, and its answer.

A head is the comment at the top of a file of state/server/lua:

    -- What the script does, in a sentence or two.
    --
    -- KEYS    call, track, work         names of keys, as state/keys.py describes them
    -- FIELDS  call_id, track            what a call brings along, by name; they travel as values in this order
    --         seq?              a question mark: it may be left out, and is nil then
    --         skip_gap          what it means
    -- BESIDE  audio                     bytes that are not to be copied into the map; audio...: any number of them
    -- ANSWER  outcome, seq?             members of the map that comes back
    --         OK      an outcome, and what it means
    -- WRITES  with OK

It is more than a comment: `Head.prelude` makes the script's locals of it, and `Head.check` refuses a call that does
not bring what it asks for. So a head cannot differ from the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

_SECTION = re.compile(r"-- (KEYS|FIELDS|BESIDE|ANSWER|WRITES)  +(\S.*)")
_MORE = re.compile(r"-- {9}(\S.*)")
_NAME = r"[a-z][a-z_]*(?:\?|\.\.\.)?"
_NAMES = re.compile(rf"({_NAME}(?:, {_NAME})*)(?:  .*)?")
_OUTCOME = re.compile(r"([A-Z]+)(?:  .*)?")


class HeadError(ValueError):
    """A script's head cannot be read, or a call does not bring what it asks for. One sentence."""


class Head(msgspec.Struct, frozen=True):
    """What a script takes and answers. Optional names are in `optional` too, without their question mark."""

    script: str
    keys: tuple[str, ...]
    fields: tuple[str, ...]
    beside: tuple[str, ...]
    answer: tuple[str, ...]
    outcomes: tuple[str, ...]
    optional: frozenset[str]
    writes: str

    @property
    def needed(self) -> frozenset[str]:
        """Fields that may not be left out."""
        return frozenset(self.fields) - self.optional

    def prelude(self) -> str:
        """Lua that gives every key, field and value beside them its name."""
        lines = [f"local {', '.join(f'{key}_key' for key in self.keys)} = unpack(KEYS)"]
        lines.append(f"local {', '.join(self.fields)} = cmsgpack.unpack(ARGV[1])")
        for place, name in enumerate(self.beside, 2):
            value = f"{{unpack(ARGV, {place})}}" if name.endswith("...") else f"ARGV[{place}]"
            lines.append(f"local {name.removesuffix('...')} = {value}")
        return "\n".join(lines) + "\n"

    def check(self, fields: Iterable[str], beside: int) -> None:
        """Raise HeadError unless these fields, and so many values beside them, are what the script takes."""
        given = frozenset(fields)
        if missing := self.needed - given:
            raise HeadError(f"{self.script}: {', '.join(sorted(missing))} must be given")
        if unknown := given - frozenset(self.fields):
            raise HeadError(f"{self.script}: it knows no {', '.join(sorted(unknown))}")
        any_number = bool(self.beside) and self.beside[-1].endswith("...")
        if beside < len(self.beside) - any_number or (beside > len(self.beside) and not any_number):
            raise HeadError(f"{self.script}: beside the fields it takes {', '.join(self.beside) or 'nothing'}")


def read_head(script: str, source: str) -> Head:
    """The head of `source`. Raises HeadError."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in source.splitlines():
        if not line.startswith("--"):
            break
        if found := _SECTION.fullmatch(line):
            if found[1] in sections:
                raise HeadError(f"{script}: {found[1]} stands twice")
            current = sections[found[1]] = [found[2]]
        elif current and (found := _MORE.fullmatch(line)):
            current.append(found[1])
    for name in ("KEYS", "FIELDS", "ANSWER", "WRITES"):
        if name not in sections:
            raise HeadError(f"{script}: the head has no {name}")
    fields = _names(script, sections["FIELDS"])
    answer = _names(script, [line for line in sections["ANSWER"] if not _OUTCOME.fullmatch(line)])
    return Head(
        script=script,
        keys=_names(script, sections["KEYS"]),
        fields=tuple(name.removesuffix("?") for name in fields),
        beside=_names(script, sections.get("BESIDE", [])),
        answer=answer,
        outcomes=tuple(found[1] for line in sections["ANSWER"] if (found := _OUTCOME.fullmatch(line))),
        optional=frozenset(name.removesuffix("?") for name in fields if name.endswith("?")),
        writes=" ".join(sections["WRITES"]),
    )


def _names(script: str, lines: list[str]) -> tuple[str, ...]:
    """The names at the beginning of each line; what follows two spaces explains them."""
    found: list[str] = []
    for line in lines:
        names = _NAMES.fullmatch(line.rstrip(","))
        if names is None:
            raise HeadError(f"{script}: the head's line cannot be read: {line}")
        found += names[1].split(", ")
    if len({name.rstrip("?.") for name in found}) != len(found):
        raise HeadError(f"{script}: a name stands twice in its head")
    return tuple(found)
