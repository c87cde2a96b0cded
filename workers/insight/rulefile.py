"""Rule sets as YAML text: reading with errors that name the line, writing, and counting editions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from workers.insight.rules import RuleError, RuleFile, RuleSet

STARTER_FILE = Path(__file__).with_name("rules.yaml")

MAX_FILE_CHARS = 256 * 1024
"""About twenty times the starter set; read in a tenth of a second."""

MAX_DEPTH = 20
"""Lists and objects in one another; rules need five."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # written in C where it was built so: ten times faster
_VERSION_LINE = re.compile(r"^version:[ \t]*\d+", re.MULTILINE)
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def parse(text: str, source: str = "rules") -> RuleSet:
    """Read a rule set from YAML text. Raises RuleError naming `source` and the place."""
    if len(text) > MAX_FILE_CHARS:
        raise RuleError(source, "", f"longer than {MAX_FILE_CHARS} characters")
    try:
        _check_depth(text)
        raw = yaml.load(text, _LOADER)  # noqa: S506 (a safe loader)
    except yaml.MarkedYAMLError as error:
        last = text.count("\n") + 1  # the end of the text may be named as a line of its own
        line = min(error.problem_mark.line + 1, last) if error.problem_mark else None
        raise RuleError(source, "", error.problem or "not readable as YAML", line=line) from error
    except (yaml.YAMLError, ValueError) as error:  # also of dates that are none, and of endless numbers
        raise RuleError(source, "", f"not readable as YAML: {error}") from error
    try:
        return RuleSet(msgspec.convert(raw, RuleFile), source)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        place = place.strip("`").removeprefix("$").removeprefix(".")
        raise RuleError(source, place, what, place or "top", _line_of(text, place)) from error
    except RuleError as error:
        error.line = _line_of(text, error.place)
        raise


def _check_depth(text: str) -> None:
    """The reader written in C calls itself for each level: some ten thousand end the process. Raises ValueError."""
    depth = 0
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def load(path: Path = STARTER_FILE) -> RuleSet:
    """Read a rule file. Raises RuleError, also when it cannot be opened."""
    return parse(read(path), path.name)


def read(path: Path = STARTER_FILE) -> str:
    """A rule file's text. Raises RuleError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(path.name, "", f"cannot be read: {error}") from error


def dump(file: RuleFile) -> str:
    """A rule file as YAML that `parse` reads back; comments are lost."""
    builtins = msgspec.to_builtins(file)
    return str(yaml.safe_dump(builtins, sort_keys=False, allow_unicode=True, width=110))


def numbered(text: str, version: int) -> str:
    """`text`, a readable rule set, as edition `version`; its comments stay wherever its version has a line."""
    changed = _VERSION_LINE.sub(f"version: {version}", text, count=1)
    if parse(changed).file.version == version:
        return changed
    return dump(msgspec.structs.replace(parse(text).file, version=version))


def _line_of(text: str, place: str) -> int | None:
    """Line of a path like "rules[3].severity", or of as much of it as there is."""
    node: Any = yaml.compose(text, _LOADER)
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
