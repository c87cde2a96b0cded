"""Reads YAML that people write into types, with limits before anything is built, and errors that name the line."""

from __future__ import annotations

import re
from typing import Any, ClassVar, TypeVar

import msgspec
import yaml

T = TypeVar("T")

MAX_DEPTH = 20
"""Lists and objects in one another; rules need five."""

MAX_EVENTS = 50_000
"""Keys, values, beginnings and ends: twenty times the starter set's. Read in a fifth of a second."""

MAX_TOLD_CHARS = 200
"""At most so many characters of an error, which may quote the text."""

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


class FileError(ValueError):
    """A file cannot be used. The message names the source, the place in it and what is wrong there.

    place: the same as a path ("rules[3].severity"), "" for the whole; what: what is wrong; line: from 1, if known.
    """

    def __init__(self, source: str, place: str, what: str, told: str | None = None, line: int | None = None) -> None:
        super().__init__(what)
        self.source, self.place, self.what, self.line = source, place, what, line
        self.told = told or place

    def __str__(self) -> str:
        parts = [self.source, f"line {self.line}" if self.line else "", self.told, self.what]
        return ": ".join(part for part in parts if part)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C where built so: ten times faster
    """YAML as far as rules need it. All that is not plainly a number, true, false or null is text: "no", "12:30:00",
    "0x1F" and dates are. A key occurs once in its object. Integers have nine digits at most."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """An object. Raises yaml.MarkedYAMLError for a key that is no text or stands twice."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be text", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key '{key.value[:40]}' stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("int", r"-?(0|[1-9][0-9]{0,8})", "-0123456789"),
    ("float", r"-?[0-9]{1,9}(\.[0-9]{1,20}([eE][-+]?[0-9]{1,2})?|[eE][-+]?[0-9]{1,2})", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^({_pattern})$"), list(_first))


def struct_of(text: str, kind: type[T], source: str, most_chars: int) -> T:
    """What the text says, as a `kind`. Raises FileError naming `source` and the place."""
    if len(text) > most_chars:
        raise FileError(source, "", f"longer than {most_chars} characters")
    try:
        _check_events(text)
        raw = yaml.load(text, _Loader)  # noqa: S506 (a safe loader)
    except yaml.MarkedYAMLError as error:
        last = text.count("\n") + 1  # the end of the text may be named as a line of its own
        line = min(error.problem_mark.line + 1, last) if error.problem_mark else None
        raise FileError(source, "", error.problem or "not readable as YAML", line=line) from error
    except (yaml.YAMLError, ValueError) as error:  # also of dates that are none, and of endless numbers
        raise FileError(source, "", f"not readable as YAML: {error}") from error
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        what = what if len(what) <= MAX_TOLD_CHARS else what[:MAX_TOLD_CHARS] + "..."
        place = place.strip("`").removeprefix("$").removeprefix(".")
        raise FileError(source, place, what, place or "top", line_of(text, place)) from error


def written(builtins: Any) -> str:
    """Plain values as YAML that people read."""
    return str(yaml.safe_dump(builtins, sort_keys=False, allow_unicode=True, width=110))


def _check_events(text: str) -> None:
    """Refuse text that would take more memory than its own size, before any of it is built. Raises
    yaml.MarkedYAMLError."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, _Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        wrong = ""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            wrong = "anchors and aliases are not allowed"
        elif getattr(event, "tag", None) is not None:
            wrong = "tags are not allowed"
        elif isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style:
            wrong = "merge keys are not allowed"
        elif depth > MAX_DEPTH:  # the reader written in C calls itself for each level
            wrong = f"nested deeper than {MAX_DEPTH} levels"
        elif count > MAX_EVENTS:
            wrong = f"more than {MAX_EVENTS} keys and values"
        if wrong:
            mark: Any = event.start_mark  # of the reader in C it is another type
            raise yaml.MarkedYAMLError(problem=wrong, problem_mark=mark)


def line_of(text: str, place: str) -> int | None:
    """Line of a path like "rules[3].severity", or of as much of it as there is."""
    node: Any = yaml.compose(text, _Loader)
    if node is None:
        return None
    line: int = node.start_mark.line + 1
    for index, name in _STEP.findall(place):
        if index and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
            node = node.value[int(index)]
        elif name and isinstance(node, yaml.MappingNode):
            found = [value for key, value in node.value if key.value == name]
            if not found:
                break
            node = found[0]
        else:
            break
        line = node.start_mark.line + 1
    return line
