"""Norms of a queue. Reasons compare a call's silence, length, mood, speed and loudness with them.

The shipped values apply where a queue's own calls say nothing yet. workers/learning measures a queue's last weeks.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

LEAST_CALLS = 50
"""Fewest calls that tell what is normal for a queue: the highest tenth is then five calls."""
SILENCE_QUANTILE, LONG_QUANTILE, FAST_QUANTILE = 0.9, 0.95, 0.95
"""Share of calls whose longest silence, length and speaking rate are below what counts as unusual."""
FULLY = 2.0
"""Multiple of an unusual length or pace at which it counts fully. Set by hand, as all below are."""
SILENCE_SECONDS = (8.0, 60.0)
"""Seconds between which the bound of an unusual silence lies: people think for shorter, and nobody waits gladly for
longer."""
SILENCE_FULLY = 3.0
DARKEST_MOOD = -0.15
"""Lowest mood that counts as normal: in a queue of complaints, too, an unhappy customer must be seen."""
FASTEST = 6.0
"""Words a second that nobody exceeds; a recogniser may time so."""
CALM_SPREAD_DB = 5.0
"""Twice the spread of calm speakers' effort (calm.py): who is further above the queue's middle is loud."""


class Norms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One queue's. Where there are two numbers: from where on it counts, and where it counts fully.

    silence_from_seconds, silence_full_seconds: a pause of the whole call. long_seconds: a call's length; None: no
    length counts. mood: score below which the mood is dark, 0 or less. hurried: a customer's words a second; None: no
    pace counts. loudest_calm_db: nobody's calm speech has more effort; None: what workers/voice/calm.py says.
    """

    silence_from_seconds: float = 8.0
    silence_full_seconds: float = 24.0
    long_seconds: tuple[float, float] | None = None
    mood: float = 0.0
    hurried: tuple[float, float] | None = None
    loudest_calm_db: float | None = None


ANYWHERE = Norms()
"""Of a queue that is not known."""


class CallFigures(msgspec.Struct, frozen=True):
    """Of an ended call, from its summary; None where it has none. effort_db: the customer's calm speech."""

    longest_silence_seconds: float | None = None
    seconds: float | None = None
    score: float | None = None
    words_per_second: float | None = None
    effort_db: float | None = None


def measure(calls: Sequence[CallFigures]) -> Norms | None:
    """The norms of these calls, in coarse steps so that they do not change every day; None for too few calls.

    A figure that fewer than LEAST_CALLS have stays as shipped.
    """
    if len(calls) < LEAST_CALLS:
        return None
    silence = _quantile([call.longest_silence_seconds for call in calls], SILENCE_QUANTILE, 1.0)
    long = _quantile([call.seconds for call in calls], LONG_QUANTILE, 10.0)
    mood = _quantile([call.score for call in calls], 0.5, 0.05)
    pace = _quantile([call.words_per_second for call in calls], FAST_QUANTILE, 0.1)
    effort = _quantile([call.effort_db for call in calls], 0.5, 0.5)
    shortest, longest = SILENCE_SECONDS
    silent = shortest if silence is None else min(max(silence, shortest), longest)
    return Norms(
        silence_from_seconds=silent,
        silence_full_seconds=SILENCE_FULLY * silent,
        long_seconds=(long, FULLY * long) if long else None,
        mood=0.0 if mood is None else min(0.0, max(DARKEST_MOOD, mood)),
        hurried=(min(pace, FASTEST), FULLY * min(pace, FASTEST)) if pace else None,
        loudest_calm_db=None if effort is None else effort + CALM_SPREAD_DB,
    )


def _quantile(values: Sequence[float | None], share: float, step: float) -> float | None:
    """The value below which this share of the known ones lie, rounded to a step."""
    known = sorted(value for value in values if value is not None)
    if len(known) < LEAST_CALLS:
        return None
    return round(round(known[int(share * (len(known) - 1))] / step) * step, 2)
