"""Loads phrases.yaml: what callers and agents say, in groups of one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import yaml
from msgspec import Meta

FILE = Path(__file__).with_name("phrases.yaml")


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, eq=False):
    """Phrases of one meaning; the fields are explained at the head of phrases.yaml."""

    kind: str
    valence: Annotated[float, Meta(ge=-1, le=1)]
    patterns: Annotated[list[str], Meta(min_length=1)]
    reason: str = ""
    opener: bool = False


class PhraseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Both parties' groups."""

    customer: list[Group]
    agent: list[Group]


def load() -> PhraseFile:
    """Read the file. It ships with the package: an error in it is ours and raises msgspec.ValidationError."""
    return msgspec.convert(yaml.safe_load(FILE.read_text(encoding="utf-8")), PhraseFile)
