"""Rule sets as YAML text: reading with errors that name the line, writing, and counting editions."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from workers.insight.rules.rule import Rule, RuleError, RuleFile
from workers.insight.rules.ruleset import RuleSet
from workers.insight.rules.yamlfile import FileError, line_of, struct_of, written

STARTER_FILE = Path(__file__).with_name("rules.yaml")

MAX_FILE_CHARS = 256 * 1024
"""About twenty times the starter set; read in a tenth of a second."""

_VERSION_LINE = re.compile(r"^version:[ \t]*\d+", re.MULTILINE)


def parse(text: str, source: str = "rules") -> RuleSet:
    """Read a rule set from YAML text. Raises RuleError naming `source` and the place."""
    try:
        return RuleSet(struct_of(text, RuleFile, source, MAX_FILE_CHARS), source)
    except RuleError as error:
        error.line = line_of(text, error.place)
        raise
    except FileError as error:
        raise RuleError(error.source, error.place, error.what, error.told, error.line) from error


def load(path: Path = STARTER_FILE) -> RuleSet:
    """Read a rule file. Raises RuleError, also when it cannot be opened."""
    return parse(read(path), path.name)


def read(path: Path = STARTER_FILE) -> str:
    """A rule file's text. Raises RuleError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(path.name, "", f"cannot be read: {error}") from error


def applying(text: str | None) -> RuleSet:
    """The rules that apply: those of the stored text, else the starter set. Raises RuleError."""
    return load() if text is None else parse(text)


def dump(file: RuleFile) -> str:
    """A rule file as YAML that `parse` reads back, without what is as usual; comments are lost."""
    builtins = msgspec.to_builtins(file)
    usual = {field.name: field.default for field in msgspec.structs.fields(Rule)}
    builtins["rules"] = [
        {name: value for name, value in rule.items() if value != usual[name]} for rule in builtins["rules"]
    ]
    return written(builtins)


def numbered(text: str, version: int) -> str:
    """`text`, a readable rule set, as edition `version`; its comments stay wherever its version has a line."""
    changed = _VERSION_LINE.sub(f"version: {version}", text, count=1)
    if parse(changed).file.version == version:
        return changed
    return dump(msgspec.structs.replace(parse(text).file, version=version))
