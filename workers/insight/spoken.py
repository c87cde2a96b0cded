"""The one shape in which this package is given a call's words."""

from __future__ import annotations

from typing import Literal

import msgspec

from state.types import Sentiment, Voice

Party = Literal["agent", "customer", "other"]
"""Who speaks. The words of agent and customer are judged differently; other counts as a customer."""

AGENT_TRACKS = frozenset({"agent", "operator", "rep", "advisor", "adviser", "csr", "staff"})


def party_of(track: str) -> Party:
    """Party of a track by its name: telephony names legs, not roles."""
    name = track.lower()
    if name in AGENT_TRACKS:
        return "agent"
    return "customer" if name in ("customer", "caller") else "other"


class Spoken(msgspec.Struct, frozen=True):
    """One finished utterance. start, end: seconds of the call's audio. sentiment: None while not scored. doubtful: its
    words, as they stand, that the recogniser was not sure of; () from an engine that tells no confidence. voice: how it
    was spoken, if that was measured."""

    id: str
    track: str
    start: float
    end: float
    text: str
    sentiment: Sentiment | None = None
    doubtful: tuple[str, ...] = ()
    voice: Voice | None = None

    @property
    def party(self) -> Party:
        """Who speaks, by the track's name."""
        return party_of(self.track)


def canonical(utterances: list[Spoken]) -> list[Spoken]:
    """Canonical order (start, track, end): every worker, whatever it saw first, computes from the same
    list."""
    return sorted(utterances, key=lambda u: (u.start, u.track, u.end))
