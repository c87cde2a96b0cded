"""How a call stands: does a supervisor need to go in, since when, and why.

`AttentionModel.standing` is a pure fold over the call's utterances in canonical order, hysteresis included:
any worker that has the same utterances computes the same standing, to the bit, at any time.

Attention joins independent pieces of evidence (evidence.py), each 0..1 and each with its reason in words, as
1 - product(1 - e): no single faint sign can raise it, several can. It rises at once and sinks slowly.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import msgspec

from state.types import Alert, Standing
from workers.insight.analyzer import CallAnalyzer, Heard
from workers.insight.context import ContextScorer
from workers.insight.evidence import (
    ALERT_KINDS,
    CALM_ABOVE,
    CALM_KINDS,
    CALM_SHARE,
    GRIEVANCES,
    LEAST,
    SILENCE_EVIDENCE,
    SILENCE_MOST,
    STALE_SECONDS,
    TREND_WINDOW_SECONDS,
    CallState,
    Evidence,
    Fading,
    faded,
    weigh,
)
from workers.insight.rules import RuleEvidence
from workers.insight.spoken import Spoken, canonical

AGENT_WEIGHT = 0.1
"""The agent's tone in the call's score, against the customer's 1."""
NEUTRAL_WEIGHT = 1.0
"""Weight of 'nothing known' at 0 in the score: one utterance does not make a mood."""
FULL_WEIGHT_SECONDS = 2.0
"""An utterance of this length or longer counts fully, a shorter one in proportion, but at least by half."""
UNHAPPY_BELOW, HAPPY_ABOVE = -0.35, 0.3
MIN_TURNS = 2
"""Customer turns before faint signs together may raise a call; a single strong one may at once."""
WARM_ABOVE = 0.15
"""Polarity from which a turn is warm."""
TELLING_WORDS = 2
"""Content words from which a turn that is not warm says something; "yes" and "go on" do not."""
NEUTRAL_TURNS = 3
"""So many customer turns in a row that are neither break a streak; fewer ("K W five three one") do not."""
INTERRUPTION_SECONDS = 0.25
"""Shorter overlaps are quick answers or a recogniser's late endpoint."""
SAME_SECONDS = 30.0
"""A built-in sign and a rule of the same name this near to each other say the same."""
CURVE_POINTS = 30
MAX_ALERTS = 20
MAX_REASONS = 5
WARM_CALLS = 512
"""Calls whose fold is kept, so that one more utterance costs one step instead of all. Only a cache."""


class AttentionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator may tune. All times are seconds of call audio."""

    raise_at: float = 0.55
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


class AttentionModel:
    """Computes standings with one analyzer; one per process, safe to share between threads."""

    def __init__(self, analyzer: CallAnalyzer, settings: AttentionSettings | None = None) -> None:
        self._analyzer = analyzer
        self._scorer = ContextScorer(analyzer)
        self._settings = settings or AttentionSettings()
        self._warm: OrderedDict[str, tuple[list[Spoken], list[RuleEvidence], float | None, CallState]] = OrderedDict()
        self._lock = Lock()

    def standing(
        self,
        utterances: Sequence[Spoken],
        *,
        rule_alerts: Sequence[Alert] = (),
        rule_evidence: Sequence[RuleEvidence] = (),
        usual_length_seconds: float | None = None,
        now: float | None = None,
        call_id: str | None = None,
    ) -> Standing:
        """The standing after `utterances` (any order; they are put in canonical order).

        rule_alerts:   alerts of the supervisor's rules, merged into the list.
        rule_evidence: the same hits as evidence (rules.Hit.evidence).
        usual_length_seconds: how long calls of this queue usually last.
        now:           second of audio reached, if later than the last word: a silence counts while it lasts.
        call_id:       lets the fold of this call be kept for the next time. The result does not depend on it.
        """
        said = canonical(list(utterances))
        hits = sorted(rule_evidence)
        state, done = self._resume(call_id, said, hits, usual_length_seconds)
        evidence: list[Evidence] = []
        for utterance in said[done:]:
            self._step(state, utterance)
            for hit in hits:
                if hit.at <= state.at:
                    _take_in(state, hit)
            evidence = self._judge(state, usual_length_seconds)
        if call_id is not None:
            with self._lock:
                self._warm[call_id] = (said, hits, usual_length_seconds, state.copy())
                self._warm.move_to_end(call_id)
                while len(self._warm) > WARM_CALLS:
                    self._warm.popitem(last=False)
        if said and (not evidence or (now is not None and now > state.at)):
            self._pass_time(state, max(now or 0.0, state.at))
            evidence = self._judge(state, usual_length_seconds)
        alerts = sorted([*state.alerts, *rule_alerts], key=lambda a: (a.at, a.kind))[-MAX_ALERTS:]
        return Standing(
            score=state.curve[-1][1] if state.curve else None,
            trend=_trend(state.curve),
            attention=round(state.attention, 3),
            alerts=alerts,
            curve=_thin(state.curve),
            raised=state.raised_at is not None,
            raised_at=state.raised_at,
            reasons=[e.told() for e in evidence[:MAX_REASONS]],
        )

    def _resume(
        self, call_id: str | None, said: list[Spoken], hits: list[RuleEvidence], usual: float | None
    ) -> tuple[CallState, int]:
        """The kept state of this call and how many utterances are in it, if it is a beginning of `said`."""
        with self._lock:
            kept = self._warm.get(call_id) if call_id is not None else None
        if kept is not None:
            before, hits_before, usual_before, state = kept
            late = [h for h in hits if h.at <= state.at]
            same_hits = late == [h for h in hits_before if h.at <= state.at]
            if usual == usual_before and same_hits and said[: len(before)] == before:
                return state.copy(), len(before)
        return CallState(), 0

    def _pass_time(self, state: CallState, to: float) -> None:
        """Let time pass from state.at to `to`, and notice a silence that lasts until then."""
        passed = to - state.at
        if passed > 0:
            keep = faded(passed, self._settings.memory_seconds)
            state.weighted *= keep
            state.weight *= keep
            state.attention *= faded(passed, self._settings.release_seconds)
            state.at = to
        silence = to - state.speech_end
        if state.speech_end and silence >= self._settings.silence_from_seconds:
            value = min(SILENCE_MOST, SILENCE_EVIDENCE * silence / self._settings.silence_from_seconds)
            held = state.passing.get("silence")
            if held is None or value >= held.now(to, STALE_SECONDS):
                state.passing["silence"] = Fading(value, to, silence)

    def _step(self, state: CallState, utterance: Spoken) -> None:
        if utterance.start > state.at:
            self._pass_time(state, utterance.start)
        agent = utterance.party == "agent"
        if (state.customer_end if agent else state.agent_end) - utterance.start > INTERRUPTION_SECONDS:
            _count(state, "interrupted")
        state.speech_end = max(state.speech_end, utterance.end)
        if agent:
            state.agent_end = max(state.agent_end, utterance.end)
        else:
            state.customer_end = max(state.customer_end, utterance.end)
        self._pass_time(state, max(state.at, utterance.end))

        sentiment, state.mood = self._scorer.step(state.mood, utterance)
        heard = self._analyzer.hear(utterance.text, utterance.party)
        weight = max(0.5, min(1.0, (utterance.end - utterance.start) / FULL_WEIGHT_SECONDS))
        if agent:
            weight *= AGENT_WEIGHT
            if "unable" in heard.kinds:
                _count(state, "refused")
            if "cold" in heard.kinds:
                _count(state, "cold")
        else:
            self._hear_customer(state, utterance, sentiment.polarity, heard)
        state.weighted += weight * sentiment.polarity
        state.weight += weight
        point = (round(state.at, 2), round(state.weighted / (state.weight + NEUTRAL_WEIGHT), 3))
        if state.curve and state.curve[-1][0] >= point[0]:
            state.curve[-1] = point
        else:
            state.curve.append(point)

    def _hear_customer(self, state: CallState, utterance: Spoken, polarity: float, heard: Heard) -> None:
        half_life = self._settings.grievance_seconds
        state.turns += 1
        if polarity > WARM_ABOVE:
            state.unthanked = 0
        elif len(heard.content) >= TELLING_WORDS:
            state.unthanked += 1
        if polarity < UNHAPPY_BELOW:
            state.streak, state.neutral = state.streak + 1, 0
        elif polarity > HAPPY_ABOVE:
            state.streak = state.neutral = 0
            # contentment lets go of what was held against the call, by as much as it is content
            state.grievances = _soothed(state.grievances, polarity)
            state.passing = _soothed(state.passing, polarity)
        else:
            state.neutral += 1
            if state.neutral >= NEUTRAL_TURNS:
                state.streak = 0
        for kind, reason in heard.kinds.items():
            value = GRIEVANCES.get(kind)
            if value is None:
                continue
            if kind in CALM_KINDS and state.score > CALM_ABOVE:
                value *= CALM_SHARE
            held = state.grievances.get(kind)
            if held is not None:
                value = max(value, held.now(state.at, half_life))
            state.grievances[kind] = Fading(value, state.at, 1, reason)
            if kind in ALERT_KINDS and all(alert.kind != kind for alert in state.alerts):
                state.alerts.append(Alert(kind, reason, round(utterance.end, 2)))

    def _judge(self, state: CallState, usual_length_seconds: float | None) -> list[Evidence]:
        """Weigh the evidence at state.at, raise or let go; the evidence that counted, weightiest first."""
        limits = self._settings
        evidence = [e for e in weigh(state, limits.grievance_seconds, usual_length_seconds) if e.value >= LEAST]
        calm = 1.0
        for piece in evidence:
            calm *= 1.0 - min(0.95, piece.value)
        state.attention = max(state.attention, 1.0 - calm)
        evidence.sort(key=_weight_of)
        sure = state.turns >= MIN_TURNS or (evidence and evidence[0].value >= limits.raise_at)
        if state.raised_at is None and sure and state.attention >= limits.raise_at:
            state.raised_at = round(state.at, 2)
            why = "; ".join(piece.told() for piece in evidence[:3])
            state.alerts.append(Alert("needs_attention", why, state.raised_at))
        elif state.raised_at is not None and state.attention < limits.lower_at:
            state.raised_at = None
        return evidence


def _take_in(state: CallState, hit: RuleEvidence) -> None:
    """A rule's hit becomes a grievance, once; or strengthens the built-in one that says the same."""
    key = f"rule {hit.at} {hit.reason}"
    if key in state.grievances:
        return
    same = state.grievances.get(hit.kind)
    known = same is not None and abs(same.at - hit.at) <= SAME_SECONDS
    if same is not None and known:
        state.grievances[hit.kind] = same._replace(value=max(same.value, hit.value))
    state.grievances[key] = Fading(0.0 if known else hit.value, hit.at, 1, hit.reason)


def _weight_of(piece: Evidence) -> tuple[float, str]:
    return (-piece.value, piece.template)


def _soothed(held: dict[str, Fading], by: float) -> dict[str, Fading]:
    return {what: seen._replace(value=seen.value * (1 - by)) for what, seen in held.items()}


def _count(state: CallState, what: str) -> None:
    held = state.passing.get(what)
    if held is None:
        state.passing[what] = Fading(1.0, state.at)
    else:
        state.passing[what] = Fading(held.now(state.at, STALE_SECONDS) + 1.0, state.at, held.times + 1)


def _trend(curve: Sequence[tuple[float, float]]) -> float | None:
    """Least-squares slope of the score over the last TREND_WINDOW_SECONDS, per minute; None with under 2
    points."""
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
        return list(curve)
    step = (len(curve) - 1) / (CURVE_POINTS - 1)
    return [curve[round(i * step)] for i in range(CURVE_POINTS)]
