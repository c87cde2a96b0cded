"""The one shape in which this package gets a call's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from state.types import AGENT_TRACKS, ScoredUtterance, Sentiment, Utterance, Voice

Party = Literal["agent", "customer", "other"]
"""Who speaks. The words of agent and customer are judged differently; other counts as a customer."""

DOUBTFUL_BELOW = 0.6
"""Confidence below which a word is doubtful. Set by hand."""


def party_of(track: str) -> Party:
    """Party of a track by its name: telephony names legs, not roles."""
    name = track.lower()
    if name in AGENT_TRACKS:
        return "agent"
    return "customer" if name in ("customer", "caller") else "other"


class Spoken(msgspec.Struct, frozen=True):
    """One finished utterance. start, end: seconds of the call's audio. sentiment: None while not scored. doubtful: its
    words, as they stand, that the recogniser was not sure of; () from an engine that tells no confidence. voice: how it
    was spoken, if that was measured. held: seconds of the last hold before it, as far as the switch told of one."""

    id: str
    track: str
    start: float
    end: float
    text: str
    sentiment: Sentiment | None = None
    doubtful: tuple[str, ...] = ()
    voice: Voice | None = None
    held: tuple[float, float] | None = None

    @property
    def party(self) -> Party:
        """Who speaks, by the track's name."""
        return party_of(self.track)


def waited(said: Sequence[Spoken], holds: Sequence[tuple[float, float]]) -> list[Spoken]:
    """The utterances with the holds before them. It depends on each alone, so any part of a call gives the same."""
    found = []
    for one in said:
        last = next(((since, min(until, one.start)) for since, until in reversed(holds) if since < one.start), None)
        found.append(msgspec.structs.replace(one, held=last) if last else one)
    return found


def spoken(utterance: ScoredUtterance) -> Spoken:
    """A stored utterance in that shape."""
    return Spoken(
        utterance.id,
        utterance.track,
        utterance.start,
        utterance.end,
        utterance.text,
        utterance.sentiment,
        doubtful(utterance),
        utterance.voice,
    )


def doubtful(utterance: Utterance) -> tuple[str, ...]:
    """Words that the recogniser was not sure of."""
    return tuple(word.word for word in utterance.words if word.conf is not None and word.conf < DOUBTFUL_BELOW)


def canonical(utterances: list[Spoken]) -> list[Spoken]:
    """Canonical order (start, track, end): every worker, whatever it saw first, computes from the same
    list."""
    return sorted(utterances, key=lambda u: (u.start, u.track, u.end))
