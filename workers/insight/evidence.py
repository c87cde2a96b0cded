"""The signs in a call's state (call_state.py) that a supervisor should go in.

A sign has a name, a strength (0..1) and the utterances it rests on. Its weight is fitted (weights.py). Written
dialogues cannot show some signs; their weights are set here. A new kind of sign is a name with a weight in SET_BY_HAND,
its strength in `strengths`, and an entry in `signs`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from workers.insight.call_state import CallState
from workers.insight.norms import Norms

GRIEVANCES = {
    "legal_threat": 3.0,
    "escalation": 2.2,
    "fed_up": 1.5,
    "sarcasm": 1.0,
    "disbelief": 1.0,
    "accusation": 0.8,
    "hardship": 0.8,
    "waiting": 0.6,
    "cancellation": 0.5,
    "refund": 0.5,
    "run_around": 0.5,
    "understatement": 0.5,
    "bad_state": 0.5,
    "repeat_contact": 0.0,
    "not_delivered": 0.0,
    "dispute": 0.0,
    "denial": 0.0,
    "failure": 0.0,
    "retort": 0.0,
    "long_time": 0.0,
    "distress": 0.0,
}
"""Signs that are phrase groups of the customer (phrases.py). The values are the weights to be near where dialogues say
little: some signs, such as a threat of legal steps, are rare and telling. Corrections, polite refusals, dislikes and
alternatives are no displeasure, so they are no signs."""
COURSE = {
    "dark": 0.0,
    "warm": 0.0,
    "streak": 0.0,
    "sharp": 0.0,
    "unthanked": 0.0,
    "words": 0.0,
    "kind_words": 0.0,
    "cold": 1.0,
    "repeats": 0.0,
    "answers": 0.0,
}
"""Signs in the call's course, with the same: the score below and above 0, unhappy turns in a row, the unhappiest, no
warm word, what the trained model hears, coldness, the customer's repetitions, answers that seldom please. A refusal is
an answer like others: counted by itself it raised ordinary calls."""
PRIOR = GRIEVANCES | COURSE
"""All signs whose weights are fitted."""
DISPLEASED = ("sharp", "streak", "words", "interrupted", *GRIEVANCES)
"""Signs beside which a raised voice or haste means something: it strengthens them, and alone it is nothing."""
SOOTHING = frozenset({"warm", "kind_words"})
"""Signs that speak against going in: their weights are not above 0, all others' not below."""
SET_BY_HAND = {"interrupted": 0.6, "silence": 1.0, "length": 0.8, "raised_voice": 0.5, "hurried": 0.3, "rule": 7.0}
"""Log odds at full strength. A rule counts by its severity (rules/rule.py): a critical hit (0.7) is enough."""

CALM_KINDS, CALM_SHARE, CALM_ABOVE = frozenset({"cancellation", "refund"}), 0.5, -0.1
"""Grievances that are also plain errands: while the score is above CALM_ABOVE they count by CALM_SHARE."""
ALERT_KINDS = frozenset({"legal_threat", "escalation", "cancellation", "repeat_contact", "fed_up"})
"""Grievances that are also put on the call's alert list, each kind once."""

UNHAPPY_BELOW, HAPPY_ABOVE = -0.35, 0.3
"""Polarity, in context, below which a turn is unhappy, and above which one is happy."""


STREAK_FULL, COLD_FULL, REPEATS_FULL = 3, 2, 2
"""Number at which a sign is at full strength; of a streak, beyond the first."""
WORDS_FULL, ANSWERS_FULL = 0.4, 0.15
"""The trained model's reading of words, and of answers, that counts fully: one turn in fifty goes beyond."""
UNTHANKED_FROM, UNTHANKED_FULL, UNTHANKED_SCORE = 2, 5, 0.2
"""Turns in a row without a warm word beyond which they count, how many more count fully, and the score below 0 from
which they do: alone they say nothing, content people may be curt."""


GRIEVANCE_SECONDS = 120.0
"""Half-life, in seconds, of a grievance (asked for the manager, third call) that nothing has solved."""
STALE_SECONDS = 60.0
"""Half-life, in seconds, of refusals, coldness, repetitions, interruptions and silences."""
INTERRUPTED_FULL = 3


LEAST = 0.05
"""Least log odds of a sign that people are told."""


class Sign(NamedTuple):
    """One sign: its name, what it adds in log odds, how it is told ("" is not), since when, and the utterances it
    rests on."""

    name: str
    weight: float
    told: str = ""
    at: float = 0.0
    by: tuple[str, ...] = ()


def strengths(state: CallState, norms: Norms) -> dict[str, float]:
    """Every sign's strength at second `state.at`, 0..1; rules' hits apart."""
    at, dark = state.at, max(0.0, norms.mood - state.score)
    out = dict.fromkeys(PRIOR, 0.0)
    for kind, held in state.grievances.items():
        if kind in GRIEVANCES:
            out[kind] = held.now(at, GRIEVANCE_SECONDS)
    cold = min(UNTHANKED_FULL, max(0, state.unthanked - UNTHANKED_FROM)) / UNTHANKED_FULL
    out |= {
        "dark": dark,
        "warm": max(0.0, state.score),
        "streak": _full(state.streak - 1, STREAK_FULL),
        "sharp": state.sharpest.now(at, GRIEVANCE_SECONDS),
        "unthanked": cold * min(1.0, dark / UNTHANKED_SCORE),
        "cold": _full(_passing(state, "cold"), COLD_FULL),
        "repeats": _full(_passing(state, "repeats"), REPEATS_FULL),
        "words": _full(-state.words, WORDS_FULL),
        "kind_words": _full(state.words, WORDS_FULL),
        "answers": _full(-state.answers, ANSWERS_FULL),
        "interrupted": _full(_passing(state, "interrupted") - 1, INTERRUPTED_FULL),
        "silence": _passing(state, "silence"),
        "length": ramp(at, *norms.long_seconds) if norms.long_seconds else 0.0,
    }
    displeased = max(_full(dark, UNTHANKED_SCORE), *(out[name] for name in DISPLEASED))
    return out | {name: _passing(state, name) * displeased for name in ("raised_voice", "hurried")}


def signs(state: CallState, found: dict[str, float], weights: dict[str, float]) -> Iterator[Sign]:
    """The signs with their weights, those of a kind together: a tone is told once, by the words it was heard in."""
    last = state.unhappy[-1:]
    worst = min(state.unhappy, default=None)
    for kind in sorted(GRIEVANCES.keys() & state.grievances.keys()):
        held = state.grievances[kind]
        yield Sign(kind, weights[kind] * found[kind], held.words, held.at, (held.by,))
    tone = sum(weights[name] * found[name] for name in ("dark", "streak", "sharp", "unthanked", "words"))
    by = tuple(turn.by for turn in state.unhappy)
    if state.streak > 1 and len(by) > 1:
        yield Sign("tone", tone, f"{state.streak} unhappy turns in a row", last[0].at, by)
    elif worst:
        yield Sign("tone", tone, worst.words, worst.at, (worst.by, *by))
    else:
        yield Sign("tone", tone)
    yield Sign("content", weights["warm"] * found["warm"] + weights["kind_words"] * found["kind_words"])
    for name, sign in _COUNTED.items():
        counted = state.passing.get(name)
        if counted is None:
            yield Sign(sign, weights[sign] * found[sign])
            continue
        once, often = _TOLD[name]
        told = once if counted.times < 2 else often.format(int(counted.times))
        yield Sign(sign, weights[sign] * found[sign], told, counted.at, (counted.by,))
    loud = state.passing.get("raised_voice")
    if loud is not None:
        minutes, seconds = divmod(int(state.loud_from), 60)
        told = f"raised voice since {minutes}:{seconds:02d}"
        yield Sign("raised_voice", weights["raised_voice"] * found["raised_voice"], told, state.loud_from, (loud.by,))
    hurried = state.passing.get("hurried")
    if hurried is not None:
        told = "speaks faster than callers of this queue do"
        yield Sign("hurried", weights["hurried"] * found["hurried"], told, hurried.at, (hurried.by,))
    silence = state.passing.get("silence")
    if silence is not None:
        told = f"{silence.times:.0f} s of silence or hold"
        yield Sign("silence", weights["silence"] * found["silence"], told, silence.at)
    if found["length"]:
        yield Sign("length", weights["length"] * found["length"], "longer than calls of this queue usually are", 0.0)


_COUNTED = {"refused": "answers", "repeats": "repeats", "cold": "cold", "interrupted": "interrupted"}
"""The reason to tell for a sign and its count."""
_TOLD = {
    "refused": ("the agent could not help", "the agent could not help, {} times"),
    "repeats": ("the customer says it again", "the customer says it again, {} times"),
    "cold": ("the agent sounds dismissive", "the agent sounds dismissive, {} times"),
    "interrupted": ("they talk over each other", "they talk over each other, {} times"),
}


def _passing(state: CallState, what: str) -> float:
    held = state.passing.get(what)
    return held.now(state.at, STALE_SECONDS) if held is not None else 0.0


def _full(value: float, at: float) -> float:
    return max(0.0, min(1.0, value / at))


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`, straight between."""
    return max(0.0, min(1.0, (value - low) / (high - low)))
