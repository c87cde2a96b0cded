"""How a call stands: does a supervisor need to go in, since when, and why.

`standing` is a pure fold over the call's utterances in canonical order, hysteresis included: any worker that has the
same utterances computes the same standing, to the bit, at any time.

Attention joins independent pieces of evidence, each 0..1 and each with its reason in words, as 1 - product(1 - e): no
single faint sign can raise it, several can. It rises at once and sinks slowly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from state.types import Alert, Standing
from workers.insight.analyzer import CallAnalyzer
from workers.insight.context import ContextScorer, Mood
from workers.insight.spoken import Spoken, canonical


class AttentionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator may tune. All times are seconds of call audio."""

    raise_at: float = 0.6
    """Attention from which a call is raised."""
    lower_at: float = 0.35
    """Attention below which a raised call is let go."""
    memory_seconds: float = 45.0
    """Half-life of an utterance's weight in the smoothed score: a call's mood turns within a minute."""
    release_seconds: float = 25.0
    """Half-life with which attention sinks when its causes are gone."""
    grievance_seconds: float = 120.0
    """Half-life of a grievance (asked for the manager, third call): nothing has solved it meanwhile."""
    silence_from_seconds: float = 8.0
    """A pause of the whole call from which it counts: people think for shorter."""
    usual_length_seconds: float | None = None
    """The queue's usual call length, if known."""


GRIEVANCES = {
    "legal_threat": 0.55,
    "escalation": 0.5,
    "cancellation": 0.4,
    "fed_up": 0.3,
    "repeat_contact": 0.25,
    "refund": 0.25,
    "sarcasm": 0.2,
    "disbelief": 0.2,
    "waiting": 0.15,
    "not_delivered": 0.15,
    "failure": 0.1,
    "dispute": 0.1,
}
"""Evidence of a phrase group of the customer (phrases.py) when just heard."""
ALERT_KINDS = frozenset({"legal_threat", "escalation", "cancellation", "repeat_contact", "fed_up"})
"""Grievances that are also put on the call's alert list, each kind once."""

AGENT_WEIGHT = 0.1
"""The agent's tone in the call's score, against the customer's 1."""
NEUTRAL_WEIGHT = 1.0
"""Weight of 'nothing known' at 0 in the score: one utterance does not make a mood."""
FULL_WEIGHT_SECONDS = 2.0
"""An utterance of this length or longer counts fully, a shorter one in proportion, but at least by half."""
MOOD_FROM, MOOD_FULL = 0.15, 0.65
"""Smoothed score below zero at which the mood begins to count and at which it counts fully."""
MOOD_EVIDENCE = 0.75
"""Evidence of the blackest mood by itself: enough to raise a call without any other sign."""
TREND_WINDOW_SECONDS = 60.0
FALL_FROM, FALL_FULL, FALL_EVIDENCE = 0.3, 1.2, 0.25
"""Fall of the score over the window from which, and at which fully, it counts."""
ANGRY_BELOW = -0.35
STREAK_EVIDENCE = {2: 0.1, 3: 0.25, 4: 0.35}
"""Unhappy customer utterances in a row (4: or more); a neutral answer ("K W five three one") does not break a streak."""
HAPPY_ABOVE = 0.3
STALE_SECONDS = 60.0
"""Half-life of refusals, interruptions and silences."""
CURVE_POINTS = 30
MAX_ALERTS = 20
MAX_REASONS = 5


@dataclass(slots=True)
class _Fold:
    """Running state of the fold; `at` is the latest second of audio accounted for."""

    mood: Mood = field(default_factory=Mood)
    at: float = 0.0
    weighted: float = 0.0
    weight: float = 0.0
    streak: int = 0
    attention: float = 0.0
    raised_at: float | None = None
    last_end: float = 0.0
    grievances: dict[str, tuple[float, str]] = field(default_factory=dict)
    passing: dict[str, tuple[float, float]] = field(default_factory=dict)
    curve: list[tuple[float, float]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    agent_end: float = 0.0
    customer_end: float = 0.0
    reasons: list[str] = field(default_factory=list)


class AttentionModel:
    """Computes standings with one analyzer. Stateless; share one per process."""

    def __init__(self, analyzer: CallAnalyzer, settings: AttentionSettings | None = None) -> None:
        self._analyzer = analyzer
        self._scorer = ContextScorer(analyzer)
        self.settings = settings or AttentionSettings()

    def standing(
        self,
        utterances: Sequence[Spoken],
        *,
        rule_alerts: Sequence[Alert] = (),
        rule_evidence: Sequence[tuple[float, float, str]] = (),
        now: float | None = None,
        settings: AttentionSettings | None = None,
    ) -> Standing:
        """The standing after `utterances`.

        rule_alerts:   alerts of the supervisor's rules, merged into the list.
        rule_evidence: (second, evidence 0..1, reason in words) of each rule hit, see rules.Hit.
        now:           second of audio reached, if later than the last word: lets a silence count while it lasts.
        """
        limits = settings or self.settings
        fold = _Fold()
        pending = sorted(rule_evidence)
        for utterance in canonical(list(utterances)):
            self._step(fold, utterance, limits)
            while pending and pending[0][0] <= fold.at:
                second, evidence, reason = pending.pop(0)
                fold.grievances[f"rule: {reason}"] = (evidence * _left(fold.at - second, limits.grievance_seconds), reason)
            self._judge(fold, limits)
        if now is not None and now > fold.at and utterances:
            self._pass_time(fold, now, limits)
            self._judge(fold, limits)
        alerts = sorted([*fold.alerts, *rule_alerts], key=lambda a: (a.at, a.kind))[-MAX_ALERTS:]
        return Standing(
            score=fold.curve[-1][1] if fold.curve else None,
            trend=_trend(fold.curve),
            attention=round(fold.attention, 3),
            alerts=alerts,
            curve=_thin(fold.curve),
            raised=fold.raised_at is not None,
            raised_at=fold.raised_at,
            reasons=fold.reasons,
        )

    def _pass_time(self, fold: _Fold, to: float, limits: AttentionSettings) -> None:
        """Let everything fade from fold.at to `to` and notice a silence that lasts until then."""
        passed = to - fold.at
        if passed > 0:
            keep = _left(passed, limits.memory_seconds)
            fold.weighted *= keep
            fold.weight *= keep
            fold.attention *= _left(passed, limits.release_seconds)
            fold.grievances = {
                kind: (value * _left(passed, limits.grievance_seconds), reason)
                for kind, (value, reason) in fold.grievances.items()
            }
            fold.passing = {k: (v * _left(passed, STALE_SECONDS), n) for k, (v, n) in fold.passing.items()}
            fold.at = to
        silence = to - fold.last_end
        if fold.last_end and silence >= limits.silence_from_seconds:
            value = min(0.3, 0.1 * silence / limits.silence_from_seconds)
            if value >= fold.passing.get("silence", (0.0, 0.0))[0]:
                fold.passing["silence"] = (value, silence)

    def _step(self, fold: _Fold, utterance: Spoken, limits: AttentionSettings) -> None:
        if utterance.start > fold.at:
            self._pass_time(fold, utterance.start, limits)
        self._interruption(fold, utterance)
        fold.last_end = max(fold.last_end, utterance.end)
        self._pass_time(fold, max(fold.at, utterance.end), limits)
        sentiment, fold.mood = self._scorer.step(fold.mood, utterance)
        heard = self._analyzer.hear(utterance.text, utterance.party)
        length = utterance.end - utterance.start
        weight = max(0.5, min(1.0, length / FULL_WEIGHT_SECONDS))
        if utterance.party == "agent":
            weight *= AGENT_WEIGHT
            self._count(fold, "refused", "unable" in heard.kinds)
            self._count(fold, "cold", "cold" in heard.kinds)
        else:
            self._customer(fold, utterance, sentiment.polarity, heard.kinds)
        fold.weighted += weight * sentiment.polarity
        fold.weight += weight
        score = round(fold.weighted / (fold.weight + NEUTRAL_WEIGHT), 3)
        if fold.curve and fold.curve[-1][0] >= round(fold.at, 2):
            fold.curve[-1] = (fold.curve[-1][0], score)
        else:
            fold.curve.append((round(fold.at, 2), score))

    @staticmethod
    def _count(fold: _Fold, what: str, happened: bool) -> None:
        if happened:
            value, times = fold.passing.get(what, (0.0, 0.0))
            fold.passing[what] = (value + 1.0, times + 1)

    @staticmethod
    def _interruption(fold: _Fold, utterance: Spoken) -> None:
        agent = utterance.party == "agent"
        other_end = fold.customer_end if agent else fold.agent_end
        if other_end - utterance.start > 0.25:  # shorter overlaps are quick answers or a recogniser's late endpoint
            AttentionModel._count(fold, "interrupted", True)
        if agent:
            fold.agent_end = max(fold.agent_end, utterance.end)
        else:
            fold.customer_end = max(fold.customer_end, utterance.end)

    def _customer(self, fold: _Fold, utterance: Spoken, polarity: float, kinds: dict[str, str]) -> None:
        if polarity < ANGRY_BELOW:
            fold.streak += 1
        elif polarity > HAPPY_ABOVE:
            fold.streak = 0
            # contentment lets go of what was held against the call, by as much as it is content
            fold.grievances = {k: (v * (1 - polarity), r) for k, (v, r) in fold.grievances.items()}
        for kind, reason in kinds.items():
            value = GRIEVANCES.get(kind)
            if value is None:
                continue
            fold.grievances[kind] = (max(value, fold.grievances.get(kind, (0.0, ""))[0]), reason)
            if kind in ALERT_KINDS and all(alert.kind != kind for alert in fold.alerts):
                fold.alerts.append(Alert(kind, reason, round(utterance.end, 2)))

    def _judge(self, fold: _Fold, limits: AttentionSettings) -> None:
        """Weigh the evidence at fold.at, raise or let go."""
        evidence = [(v, r) for v, r in (*fold.grievances.values(), *_evidence(fold, limits)) if v >= 0.03]
        calm = 1.0
        for value, _ in evidence:
            calm *= 1.0 - min(0.95, value)
        fold.attention = max(fold.attention, 1.0 - calm)
        evidence.sort(key=lambda e: (-e[0], e[1]))
        fold.reasons = [reason for _, reason in evidence[:MAX_REASONS]]
        if fold.raised_at is None and fold.attention >= limits.raise_at:
            fold.raised_at = round(fold.at, 2)
            fold.alerts.append(Alert("needs_attention", "; ".join(fold.reasons[:3]), fold.raised_at))
        elif fold.raised_at is not None and fold.attention < limits.lower_at:
            fold.raised_at = None


def _evidence(fold: _Fold, limits: AttentionSettings) -> list[tuple[float, str]]:
    """Evidence of the call's course, with words; grievances are weighed apart."""
    out: list[tuple[float, str]] = []
    score = fold.curve[-1][1] if fold.curve else 0.0
    dark = _ramp(-score, MOOD_FROM, MOOD_FULL)
    if dark:
        out.append((MOOD_EVIDENCE * dark, f"mood {score:+.1f}"))
    high, fell_from = max(
        ((s, t) for t, s in fold.curve if t >= fold.at - TREND_WINDOW_SECONDS), default=(score, fold.at)
    )
    fall = _ramp(high - score, FALL_FROM, FALL_FULL)
    if fall and score < 0:
        seconds = max(1, round(fold.at - fell_from))
        out.append((FALL_EVIDENCE * fall, f"fell from {high:.1f} to {score:.1f} in {seconds} s"))
    if fold.streak >= 2 and score < 0:
        out.append((STREAK_EVIDENCE[min(4, fold.streak)], f"{fold.streak} unhappy turns without a happy one"))
    if fold.mood.repeats:
        out.append((min(0.15, 0.08 * fold.mood.repeats), "customer has to repeat"))
    for what, scale, most, words in (
        ("refused", 0.08, 0.2, "agent could not help {n} times"),
        ("cold", 0.12, 0.25, "agent sounds dismissive"),
        ("interrupted", 0.04, 0.12, "talking over each other {n} times"),
    ):
        value, times = fold.passing.get(what, (0.0, 0.0))
        if value:
            text = words.format(n=int(times)) if times > 1 else words.format(n="").replace(" times", "").rstrip()
            out.append((min(most, scale * value), " ".join(text.split())))
    value, seconds_silent = fold.passing.get("silence", (0.0, 0.0))
    if value:
        out.append((value, f"{seconds_silent:.0f} s of silence or hold"))
    usual = limits.usual_length_seconds
    if usual and fold.at > 1.5 * usual:
        out.append((min(0.25, 0.1 * fold.at / usual), f"lasts {fold.at / usual:.1f} times the usual"))
    return out


def _left(seconds: float, half_life: float) -> float:
    return float(2.0 ** (-seconds / half_life))


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`, straight between."""
    return max(0.0, min(1.0, (value - low) / (high - low)))


def _trend(curve: Sequence[tuple[float, float]]) -> float | None:
    """Least-squares slope of the score over the last TREND_WINDOW_SECONDS, per minute; None with under 2 points."""
    points = [(t, s) for t, s in curve if t >= curve[-1][0] - TREND_WINDOW_SECONDS]
    if len(points) < 2:
        return None
    mean_t = sum(t for t, _ in points) / len(points)
    mean_s = sum(s for _, s in points) / len(points)
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    if spread < 1e-9:
        return None
    return round(60.0 * sum((t - mean_t) * (s - mean_s) for t, s in points) / spread, 3)


def _thin(curve: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most CURVE_POINTS of the curve, evenly picked, first and last kept."""
    if len(curve) <= CURVE_POINTS:
        return curve
    step = (len(curve) - 1) / (CURVE_POINTS - 1)
    return [curve[round(i * step)] for i in range(CURVE_POINTS)]
