"""Gives the turns of written dialogues the times at which they would begin and end if spoken."""

from __future__ import annotations

from collections.abc import Iterable

from workers.insight.words.spoken import Spoken

WORDS_A_SECOND = 2.8
"""Words a second, at an ordinary pace on the telephone."""
PAUSE_SECONDS = 0.5
LEAST_SECONDS = 1.0
"""Least seconds of a turn: one word with the breath around it."""


def spoken(turns: Iterable[tuple[bool, str]]) -> list[Spoken]:
    """Turns (is the customer's, text) as utterances with times, one after the other."""
    out: list[Spoken] = []
    at = 0.0
    for index, (customer, text) in enumerate(turns):
        track = "customer" if customer else "agent"
        end = at + max(LEAST_SECONDS, len(text.split()) / WORDS_A_SECOND)
        out.append(Spoken(f"{track}:{index}", track, round(at, 2), round(end, 2), text))
        at = end + PAUSE_SECONDS
    return out
