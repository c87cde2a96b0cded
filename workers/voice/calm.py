"""Whether a voice is raised, against the same party's calm speech in this call.

A fold over one party's utterances, in their order: `Calm` is its whole state, small and storable. It says nothing until
it has heard enough, and it never says "raised" by one sign alone: another line or a noise moves the balance of the
spectrum, but not the pitch.
"""

from __future__ import annotations

import msgspec

from state.types import Voice

LEAST_UTTERANCES = 3
"""Fewest measured utterances of a baseline ..."""

LEAST_SECONDS = 5.0
"""... and their fewest seconds together."""

REMEMBERED = 24
"""Latest utterances that make the baseline: some minutes of one party's talk. A new line becomes normal after some
turns."""

CALM_QUANTILE = 0.25
"""Quantile of the utterances that makes the baseline. It is a calm one, so that a caller who is loud most of the time
does not hide it ..."""

CALM_OFFSET = 0.67
"""... plus so many spreads, which leads to a calm speaker's middle: the quartile of a normal distribution."""

SPREAD_DB = 2.1
"""Spread (standard deviation) of a calm speaker's effort from utterance to utterance (measured on acted neutral speech,
five speakers, telephone band)."""

SPREAD_SEMITONES = 2.1
"""The same of the pitch."""

RAISED_EFFORT = 1.5
RAISED_PITCH = 1.0
RAISED_DEGREE = 2.0
"""Spreads above calm speech from which a voice counts as raised: each of effort and pitch, and their mean. Of
acted speech in the telephone band (five speakers) this marks nine in ten angry utterances and one in a hundred
neutral ones."""

LOUDEST_CALM_DB = -2.5
"""Nobody's calm speech has more effort than this: calm speakers have -7.5 dB on average, with a spread of 2.5 dB over
seventeen speakers and three kinds of line (measured). A caller above it from the first word is loud, not calm. A queue
whose callers are known has its own (workers/insight/norms.py)."""


class Calm(msgspec.Struct, frozen=True, array_like=True):
    """The memory of a party: seconds measured so far, and of its last utterances effort (dB) and pitch
    (semitones, None if unvoiced)."""

    seconds: float = 0.0
    heard: list[tuple[float, float | None]] = []


class Raised(msgspec.Struct, frozen=True):
    """How far a voice is above the party's calm speech, in spreads; 0: as calm. raised: whether that is far enough."""

    degree: float
    raised: bool


def judge(calm: Calm, voice: Voice, loudest_calm_db: float = LOUDEST_CALM_DB) -> Raised | None:
    """A voice against a party's calm speech; None while there is no baseline. loudest_calm_db: of callers like this."""
    baseline = _baseline(calm, loudest_calm_db)
    if baseline is None:
        return None
    return compare(voice, *baseline, loudest_calm_db)


def compare(
    voice: Voice, effort_db: float, pitch_semitones: float | None, loudest_calm_db: float = LOUDEST_CALM_DB
) -> Raised:
    """A voice against a known baseline. Without a pitch on both sides the effort alone gives the degree, and only a
    voice far above the loudest calm one is called raised."""
    effort = (voice.effort_db - effort_db) / SPREAD_DB
    if voice.pitch_semitones is None or pitch_semitones is None:
        return Raised(round(effort, 2), voice.effort_db >= loudest_calm_db + RAISED_EFFORT * SPREAD_DB)
    pitch = (voice.pitch_semitones - pitch_semitones) / SPREAD_SEMITONES
    degree = (effort + pitch) / 2
    return Raised(round(degree, 2), effort >= RAISED_EFFORT and pitch >= RAISED_PITCH and degree >= RAISED_DEGREE)


def hear(calm: Calm, voice: Voice, seconds: float) -> Calm:
    """The state after one more utterance and its seconds."""
    heard = [*calm.heard, (voice.effort_db, voice.pitch_semitones)]
    return Calm(round(calm.seconds + seconds, 3), heard[-REMEMBERED:])


def usual_effort(calm: Calm) -> float | None:
    """Effort of a party's calm speech, in dB; None while too little was heard."""
    baseline = _baseline(calm, float("inf"))
    return None if baseline is None else round(baseline[0], 2)


def _baseline(calm: Calm, loudest_calm_db: float) -> tuple[float, float | None] | None:
    """Effort and pitch of calm speech; None while too little was heard."""
    if len(calm.heard) < LEAST_UTTERANCES or calm.seconds < LEAST_SECONDS:
        return None
    effort = _middle([effort for effort, _ in calm.heard], SPREAD_DB)
    pitches = [pitch for _, pitch in calm.heard if pitch is not None]
    pitch = _middle(pitches, SPREAD_SEMITONES) if len(pitches) >= LEAST_UTTERANCES else None
    if effort > loudest_calm_db:
        return loudest_calm_db, None
    return effort, pitch


def _middle(values: list[float], spread: float) -> float:
    """A calm speaker's middle, from the calmer of these values."""
    ordered = sorted(values)
    return ordered[int(CALM_QUANTILE * (len(ordered) - 1))] + CALM_OFFSET * spread
