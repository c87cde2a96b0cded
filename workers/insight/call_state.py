"""The running state of a call: all it has heard so far, in a size that does not grow with the call.

Everything here is fixed arithmetic on audio seconds. Values fade: they stand with their second, and count by their age.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from state.types import Alert
from workers.insight.context import Mood
from workers.insight.gist.story import Story
from workers.voice.calm import Calm

TREND_WINDOW_SECONDS = 60.0

CURVE_SECONDS = TREND_WINDOW_SECONDS + 1.0
"""Seconds of the curve that count for the trend, and one more for rounded times."""

CURVE_POINTS = 30

MAX_ALERTS = 20

RECENT_UNHAPPY = 3
"""Most unhappy turns remembered with their words."""

LOUD_TOLD = 100
"""Most utterances in a raised voice remembered by their ids."""


def faded(seconds: float, half_life: float) -> float:
    """The rest of 1 after `seconds`."""
    return float(2.0 ** (-seconds / half_life))


class Fading(NamedTuple):
    """A value seen at a second of the call. `times`: occurrences, or seconds of silence. `words`: its reason.
    `by`: id of the utterance it rests on."""

    value: float
    at: float
    times: float = 1.0
    words: str = ""
    by: str = ""

    def now(self, second: float, half_life: float) -> float:
        """The rest of it at `second`."""
        return self.value * faded(second - self.at, half_life)


class Unhappy(NamedTuple):
    """An unhappy turn of the customer: how it is told, and the utterance."""

    polarity: float
    at: float
    words: str
    by: str


@dataclass(slots=True)
class CallState:
    """Running state of a call; `at` is the latest second of audio accounted for. Its size does not grow with the call.

    words: what the trained model heard in the customer's latest turns, the last counting most. unhappy: the last turns
    of that kind. sharpest: how unhappy the unhappiest turn was. curve: [second, score] points of the last
    CURVE_SECONDS. drawn: every `drawn_every`-th of all `points`, for people. calm: how each track sounds when calm.
    loud: the last utterances in a raised voice; loud_from: second at which the last stretch of them began; is_loud:
    whether it goes on. story: what the call is about.
    """

    mood: Mood = field(default_factory=Mood)
    at: float = 0.0
    weighted: float = 0.0
    weight: float = 0.0
    streak: int = 0
    neutral: int = 0
    unthanked: int = 0
    turns: int = 0
    words: float = 0.0
    answers: float = 0.0
    sharpest: Fading = field(default_factory=lambda: Fading(0.0, 0.0))
    attention: float = 0.0
    raised_at: float | None = None
    speech_end: float = 0.0
    agent_end: float = 0.0
    customer_end: float = 0.0
    unhappy: list[Unhappy] = field(default_factory=list)
    grievances: dict[str, Fading] = field(default_factory=dict)
    passing: dict[str, Fading] = field(default_factory=dict)
    curve: list[tuple[float, float]] = field(default_factory=list)
    drawn: list[tuple[float, float]] = field(default_factory=list)
    drawn_every: int = 1
    points: int = 0
    alerts: list[Alert] = field(default_factory=list)
    calm: dict[str, Calm] = field(default_factory=dict)
    loud: list[str] = field(default_factory=list)
    loud_from: float = 0.0
    is_loud: bool = False
    story: Story = field(default_factory=Story)

    def copy(self) -> CallState:
        """An independent copy; the values inside are immutable."""
        twin = CallState(*(getattr(self, name) for name in self.__slots__))
        twin.grievances, twin.passing, twin.unhappy = dict(self.grievances), dict(self.passing), list(self.unhappy)
        twin.curve, twin.drawn, twin.alerts = list(self.curve), list(self.drawn), list(self.alerts)
        twin.calm, twin.loud = dict(self.calm), list(self.loud)
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
