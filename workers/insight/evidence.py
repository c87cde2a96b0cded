"""What speaks for going into a call: the running state of a call and the evidence in it, each piece with its
words.

Everything here is deterministic arithmetic on audio seconds. Values fade: they are stored with the second
they were seen and weighed by their age when read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from state.types import Alert
from workers.insight.context import Mood

GRIEVANCES = {
    "legal_threat": 0.65,
    "escalation": 0.6,
    "cancellation": 0.35,
    "fed_up": 0.3,
    "repeat_contact": 0.25,
    "refund": 0.25,
    "sarcasm": 0.2,
    "disbelief": 0.2,
    "waiting": 0.15,
    "not_delivered": 0.15,
    "failure": 0.1,
    "accusation": 0.2,
    "hardship": 0.2,
    "retort": 0.1,
    "denial": 0.1,
    "long_time": 0.1,
    "dispute": 0.15,
}
"""Evidence of a phrase group of the customer (phrases.py) when just heard."""
CALM_KINDS, CALM_SHARE, CALM_ABOVE = frozenset({"cancellation", "refund"}), 0.5, -0.1
"""Grievances that are also plain errands: while the score is above CALM_ABOVE they count by CALM_SHARE."""
ALERT_KINDS = frozenset({"legal_threat", "escalation", "cancellation", "repeat_contact", "fed_up"})
"""Grievances that are also put on the call's alert list, each kind once."""

MOOD_FROM, MOOD_FULL = 0.15, 0.65
"""Smoothed score below zero at which the mood begins to count and at which it counts fully."""
MOOD_EVIDENCE = 0.75
"""Evidence of the blackest mood: enough to raise a call without any other sign."""
ELSEWHERE = 0.5
"""Share of that left when nothing is held against the service: dark words may be about a third party."""
TREND_WINDOW_SECONDS = 60.0
CURVE_SECONDS = TREND_WINDOW_SECONDS + 1.0
"""Of the curve, so much is looked back on; the second is for rounded times."""
CURVE_POINTS = 30
MAX_ALERTS = 20
FALL_FROM, FALL_FULL, FALL_EVIDENCE = 0.3, 1.2, 0.25
"""Fall of the score over the window from which, and at which fully, it counts."""
STREAK_EVIDENCE = (0.0, 0.0, 0.1, 0.25, 0.35)
"""By the number of unhappy customer utterances without a happy one between; the last for more."""
UNTHANKED_FROM, UNTHANKED_EVIDENCE, UNTHANKED_MOST, UNTHANKED_SCORE = 3, 0.08, 0.4, 0.15
"""Customer turns in a row without a warm word ("thanks", "great", "that's fine") from which they count, and
how much each further one does, in full from a score of -UNTHANKED_SCORE: content people warm up every two or
three turns, whatever the call is about; a neutral call that only collects facts is none of our business."""
REPEAT_EVIDENCE, REPEAT_MOST = 0.08, 0.15
PASSING = {
    "refused": (0.1, 0.3, "agent could not help", "agent could not help ({n} times)"),
    "cold": (0.12, 0.25, "agent sounds dismissive", "agent sounds dismissive ({n} times)"),
    "interrupted": (0.04, 0.12, "they talk over each other", "they talk over each other ({n} times)"),
}
"""Evidence of one occurrence, the most it can come to, the words for one and for several."""
STALE_SECONDS = 60.0
"""Half-life of refusals, coldness, interruptions and silences."""
SILENCE_EVIDENCE, SILENCE_MOST = 0.1, 0.3
LENGTH_FROM, LENGTH_EVIDENCE, LENGTH_MOST = 1.5, 0.1, 0.25
"""Multiple of the queue's usual length from which a call is long; evidence per multiple."""
LEAST = 0.03
"""Evidence below this is neither counted nor told."""


class Fading(NamedTuple):
    """A value seen at a second of the call. `times`: occurrences, or seconds of silence. `words`: its
    reason."""

    value: float
    at: float
    times: float = 1.0
    words: str = ""

    def now(self, second: float, half_life: float) -> float:
        """What is left of it at `second`."""
        return self.value * faded(second - self.at, half_life)


class Evidence(NamedTuple):
    """One piece of evidence, 0..1, and how it is told."""

    value: float
    template: str
    numbers: tuple[float, ...] = ()

    def told(self) -> str:
        """The reason in words; only made when shown, most evidence never is."""
        return self.template.format(*self.numbers) if self.numbers else self.template


@dataclass(slots=True)
class CallState:
    """Running state of a call; `at` is the latest second of audio accounted for. Its size does not grow with the call.

    curve: [second, score] points of the last CURVE_SECONDS. drawn: every `drawn_every`-th of all `points`, for people.
    """

    mood: Mood = field(default_factory=Mood)
    at: float = 0.0
    weighted: float = 0.0
    weight: float = 0.0
    streak: int = 0
    neutral: int = 0
    unthanked: int = 0
    turns: int = 0
    attention: float = 0.0
    raised_at: float | None = None
    speech_end: float = 0.0
    agent_end: float = 0.0
    customer_end: float = 0.0
    grievances: dict[str, Fading] = field(default_factory=dict)
    passing: dict[str, Fading] = field(default_factory=dict)
    curve: list[tuple[float, float]] = field(default_factory=list)
    drawn: list[tuple[float, float]] = field(default_factory=list)
    drawn_every: int = 1
    points: int = 0
    alerts: list[Alert] = field(default_factory=list)

    def copy(self) -> CallState:
        """An independent copy; the values inside are immutable."""
        twin = CallState(*(getattr(self, name) for name in self.__slots__))
        twin.grievances, twin.passing = dict(self.grievances), dict(self.passing)
        twin.curve, twin.drawn, twin.alerts = list(self.curve), list(self.drawn), list(self.alerts)
        return twin

    def add_point(self, second: float, score: float) -> None:
        """A point of the curve; it takes the place of the last one if that is not earlier."""
        point = (second, score)
        if self.curve and self.curve[-1][0] >= second:
            if self.drawn[-1] == self.curve[-1]:
                self.drawn[-1] = point
            self.curve[-1] = point
            return
        self.curve.append(point)
        while self.curve[0][0] < second - CURVE_SECONDS:
            del self.curve[0]
        if self.points % self.drawn_every == 0:
            self.drawn.append(point)
        self.points += 1
        if len(self.drawn) == CURVE_POINTS:
            del self.drawn[1::2]
            self.drawn_every *= 2

    def shown_curve(self) -> list[tuple[float, float]]:
        """At most CURVE_POINTS of all points, evenly picked; the first and the last are among them."""
        last = self.curve[-1:]
        return [*self.drawn, *(last if last != self.drawn[-1:] else [])]

    def add_alert(self, alert: Alert) -> None:
        """Put an alert on the list. Of a kind that comes again and again, the last MAX_ALERTS are kept."""
        self.alerts.append(alert)
        same = [n for n, kept in enumerate(self.alerts) if kept.kind == alert.kind]
        if len(same) > MAX_ALERTS:
            del self.alerts[same[0]]

    @property
    def score(self) -> float:
        """Smoothed score after the last utterance; 0 before any."""
        return self.curve[-1][1] if self.curve else 0.0


def weigh(state: CallState, grievance_seconds: float, usual_length_seconds: float | None) -> Iterator[Evidence]:
    """All evidence at second `state.at`."""
    at, score = state.at, state.score
    for grievance in state.grievances.values():
        yield Evidence(grievance.now(at, grievance_seconds), grievance.words)
    if score < 0:
        dark = MOOD_EVIDENCE * ramp(-score, MOOD_FROM, MOOD_FULL)
        if not state.grievances and "refused" not in state.passing and "cold" not in state.passing:
            dark *= ELSEWHERE
        yield Evidence(dark, "the customer's mood is {:+.1f}", (score,))
        yield _fall(state)
        yield Evidence(
            STREAK_EVIDENCE[min(state.streak, len(STREAK_EVIDENCE) - 1)],
            "{} unhappy turns, no happy one between",
            (state.streak,),
        )
        cold = min(UNTHANKED_MOST, UNTHANKED_EVIDENCE * (state.unthanked - UNTHANKED_FROM + 1))
        yield Evidence(cold * ramp(-score, 0.0, UNTHANKED_SCORE), "{} turns without a warm word", (state.unthanked,))
    if state.mood.repeats:
        yield Evidence(min(REPEAT_MOST, REPEAT_EVIDENCE * state.mood.repeats), "the customer has to repeat")
    for what, held in state.passing.items():
        if what == "silence":
            yield Evidence(held.now(at, STALE_SECONDS), "{:.0f} s of silence or hold", (held.times,))
            continue
        each, most, once, often = PASSING[what]
        words = once if held.times < 2 else often.format(n=int(held.times))
        yield Evidence(min(most, each * held.now(at, STALE_SECONDS)), words)
    if usual_length_seconds and at > LENGTH_FROM * usual_length_seconds:
        times = at / usual_length_seconds
        yield Evidence(min(LENGTH_MOST, LENGTH_EVIDENCE * times), "lasts {:.1f} times the usual", (times,))


def _fall(state: CallState) -> Evidence:
    """How far the score fell from its highest point within the window."""
    curve = state.curve
    recent = [point for point in curve if point[0] >= state.at - TREND_WINDOW_SECONDS] or curve[-1:]
    second, high = max(recent, key=_score_of)
    value = FALL_EVIDENCE * ramp(high - state.score, FALL_FROM, FALL_FULL)
    return Evidence(value, "fell from {:.1f} to {:.1f} in {:.0f} s", (high, state.score, max(1.0, state.at - second)))


def _score_of(point: tuple[float, float]) -> float:
    return point[1]


def faded(seconds: float, half_life: float) -> float:
    """What is left of 1 after `seconds`."""
    return float(2.0 ** (-seconds / half_life))


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`, straight between."""
    return max(0.0, min(1.0, (value - low) / (high - low)))
