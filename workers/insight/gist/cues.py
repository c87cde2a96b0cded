"""Loads cues.yaml and finds its cues in an utterance."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import yaml
from msgspec import Meta

from workers.insight.words.phrasebook import Hit, Phrasebook
from workers.insight.words.spoken import Party
from workers.insight.words.tokens import Tokens, tokenise

FILE = Path(__file__).with_name("cues.yaml")

OPENER_WITHIN = 2
"""An opener stands among the first words, after an "oh" or an "okay"."""

UNDONE_BY_NOT = frozenset({"promise", "deed", "offer", "ask"})

CACHED_UTTERANCES = 10_000
"""As analyzer.py keeps: calls are gone through again and again."""


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, eq=False):
    """Patterns of one cue. opener: they only count at an utterance's beginning."""

    cue: str
    patterns: Annotated[list[str], Meta(min_length=1)]
    opener: bool = False


class CueFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. labels: an event's name -> what it is called, and how much it matters, 0..1."""

    customer: list[Group]
    agent: list[Group]
    labels: dict[str, tuple[str, float]]


class Cue(NamedTuple):
    """A cue found: its name, and the first and last of the utterance's whitespace words that it covers."""

    name: str
    first: int
    last: int


def prepare() -> None:
    """Load the file now: it takes a second, and no call should wait for it."""
    for agent in (True, False):
        _book(agent)


@cache
def load() -> CueFile:
    """Read the file. It ships with the package: an error in it is ours and raises msgspec.ValidationError."""
    return msgspec.convert(yaml.safe_load(FILE.read_text(encoding="utf-8")), CueFile)


@lru_cache(CACHED_UTTERANCES)
def find(text: str, party: Party) -> tuple[Cue, ...]:
    """The cues in an utterance, in order; of those that overlap the longest."""
    tokens = tokenise(text)
    found = _book(party == "agent").find(tokens.forms)
    hits = [hit for hit in found if _in_place(hit) and not _undone(hit, tokens.forms)]
    hits.sort(key=lambda hit: (hit.start - hit.end, hit.start, hit.payload.cue))
    taken: set[int] = set()
    chosen = []
    for hit in hits:
        span = set(range(hit.start, hit.end))
        if taken.isdisjoint(span):
            taken |= span
            chosen.append(_cue(hit, tokens))
    return tuple(sorted(chosen, key=lambda cue: cue.first))


@cache
def _book(agent: bool) -> Phrasebook[Group]:
    groups = load().agent if agent else load().customer
    return Phrasebook([(pattern, group) for group in groups for pattern in group.patterns])


def _in_place(hit: Hit[Group]) -> bool:
    return not hit.payload.opener or hit.start < OPENER_WITHIN


def _undone(hit: Hit[Group], forms: list[str]) -> bool:
    return hit.payload.cue in UNDONE_BY_NOT and "not" in forms[hit.start : hit.end]


def _cue(hit: Hit[Group], tokens: Tokens) -> Cue:
    return Cue(hit.payload.cue, tokens.words[hit.start], tokens.words[hit.end - 1])
