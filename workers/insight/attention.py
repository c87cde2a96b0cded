"""How a call stands: does a supervisor need to go in, since when, and why.

`AttentionModel.standing` depends only on the call's utterances in canonical order, hysteresis included. So any worker
that has the same utterances computes the same standing, to the bit, at any time.

Attention is the chance that the call deserves a look. It comes from a sum. Each sign in the call's course (evidence.py)
adds its weight, and kind words take some away. What a sum is worth was measured (weights.py). Attention rises at once
and sinks slowly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from state.types import Alert, Reason, Standing
from workers.insight.call_state import MAX_ALERTS, TREND_WINDOW_SECONDS, CallState
from workers.insight.evidence import GRIEVANCE_SECONDS, LEAST, SET_BY_HAND, Sign, signs, strengths
from workers.insight.gist import cues, story
from workers.insight.hearing import CRITICAL, RULE, Hearing, take_in
from workers.insight.norms import ANYWHERE, Norms
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.rules.rule import About, Hit, RuleEvidence
from workers.insight.rules.ruleset import RuleState
from workers.insight.weights import Weights, load
from workers.insight.words.spoken import Spoken, canonical

FIRM_KINDS = frozenset({"legal_threat", "escalation"})
"""Signs of several words that raise a call by themselves. All others may be a misheard word, so they need a second
utterance that speaks for it."""
BESIDE = 0.2
"""Log odds from which a sign counts as a second one."""
HOW_SAID = frozenset({"raised_voice", "hurried"})
"""Signs that reasons tell beside the words they were heard in."""
MAX_REASONS = 3
RAISE_AT = 0.54
"""Least attention of a raised call: it raises 2 % of the good calls in training that the weights had not seen."""
LOWER_AT = 0.35
"""Attention below which a raised call is let go."""


class Course(msgspec.Struct, array_like=True):
    """How a call has gone so far: all that its further utterances need, small however long the call is.

    alerts, findings: the rules' latest. waiting: hits at a second that the call has not reached (they are rounded).
    """

    call: CallState = msgspec.field(default_factory=CallState)
    heard: RuleState = msgspec.field(default_factory=RuleState)
    alerts: list[Alert] = []
    findings: list[Alert] = []
    waiting: list[RuleEvidence] = []


class AttentionModel:
    """Computes standings with one analyzer; one per process, safe to share between threads."""

    def __init__(self, analyzer: CallAnalyzer, weights: Weights | None = None, norms: Norms = ANYWHERE) -> None:
        self.analyzer = analyzer
        self.norms = norms
        cues.prepare()
        self._hearing = Hearing(analyzer, norms)
        self.weights = weights or load()
        self._by_sign = self.weights.signs | SET_BY_HAND

    def standing(
        self,
        utterances: Sequence[Spoken],
        *,
        rule_alerts: Sequence[Alert] = (),
        rule_evidence: Sequence[RuleEvidence] = (),
        findings: Sequence[Alert] = (),
        now: float | None = None,
    ) -> Standing:
        """The standing after `utterances` (any order; they are put in canonical order).

        rule_alerts:   alerts of the supervisor's rules, merged into the list.
        rule_evidence: the same hits as evidence (rules.Hit.evidence).
        findings:      of rules that are about compliance, told as they are.
        now:           second of audio reached, if later than the last word: a silence counts while it lasts.
        """
        state = CallState()
        evidence, _ = self._fold(state, canonical(list(utterances)), rule_evidence)
        return self._tell(state, evidence, rule_alerts, findings, now)

    def follow(self, course: Course, said: Sequence[Spoken]) -> tuple[Standing, Course | None]:
        """The standing after `said`, further utterances in canonical order, and the course with them.

        The standing is that of all the call's utterances, to the bit. The course is None if a rule's hit in it may
        still be taken back: then the next utterances must be followed from an earlier one.
        """
        heard, hits, open_hits = self._hits(course.heard, said)
        state = course.call.copy()
        new = [hit.evidence for hit in [*hits, *open_hits] if hit.about == "attention"]
        evidence, waiting = self._fold(state, said, [*course.waiting, *new])
        alerts, findings = _more(course.alerts, hits, "attention"), _more(course.findings, hits, "compliance")
        after = None if open_hits else Course(state.copy(), heard, alerts, findings, waiting)
        alerts, findings = _more(alerts, open_hits, "attention"), _more(findings, open_hits, "compliance")
        return self._tell(state, evidence, alerts, findings), after

    def courses(self, utterances: Sequence[Spoken]) -> list[dict[str, float]]:
        """The strength of every sign (evidence.strengths) after each utterance, in order: to fit weights to."""
        state = CallState()
        out: list[dict[str, float]] = []
        for utterance in canonical(list(utterances)):
            self._hearing.hear(state, utterance)
            out.append(strengths(state, self.norms))
        return out

    def _hits(self, heard: RuleState, said: Sequence[Spoken]) -> tuple[RuleState, list[Hit], list[Hit]]:
        """Without rules: none."""
        return heard, [], []

    def _fold(
        self, state: CallState, said: Sequence[Spoken], hits: Sequence[RuleEvidence]
    ) -> tuple[list[Sign], list[RuleEvidence]]:
        """Take utterances and rules' hits into `state`; the evidence after the last, and hits that are yet to come."""
        waiting = sorted(hits)
        unheard = {utterance.id for utterance in said}
        evidence: list[Sign] = []
        for utterance in said:
            self._hearing.hear(state, utterance)
            unheard.discard(utterance.id)
            at = 0
            while at < len(waiting) and waiting[at].at <= state.at:
                if waiting[at].by in unheard:  # of an utterance that ends before this one and begins after it
                    at += 1
                else:
                    take_in(state, waiting.pop(at), GRIEVANCE_SECONDS)
            evidence = self._judge(state)
        return evidence, waiting

    def _tell(
        self,
        state: CallState,
        evidence: list[Sign],
        rule_alerts: Sequence[Alert],
        findings: Sequence[Alert],
        now: float | None = None,
    ) -> Standing:
        """The standing at `state`, at second `now` if that is later. Changes the state."""
        if state.curve and (not evidence or (now is not None and now > state.at)):
            self._hearing.pass_time(state, max(now or 0.0, state.at))
            evidence = self._judge(state)
        return Standing(
            score=state.curve[-1][1] if state.curve else None,
            trend=_trend(state.curve),
            attention=round(state.attention, 3),
            alerts=sorted([*state.alerts, *rule_alerts], key=_place)[-MAX_ALERTS:],
            curve=state.shown_curve(),
            raised=state.raised_at is not None,
            raised_at=state.raised_at,
            reasons=_reasons(evidence),
            findings=sorted(findings, key=_place)[-MAX_ALERTS:],
            loud=list(state.loud),
            loud_since=state.loud_from if state.is_loud else None,
            about=story.about(state.story),
            gist=story.points(state.story),
        )

    def _judge(self, state: CallState) -> list[Sign]:
        """Weigh the signs at state.at, raise or let go; the signs that speak for going in, weightiest first."""
        found = strengths(state, self.norms)
        every = [*signs(state, found, self._by_sign), *self._hit_signs(state)]
        evidence = self.weights.intercept + sum(sign.weight for sign in every)
        chance = self.weights.probability(evidence)
        for_it = sorted((sign for sign in every if sign.weight >= LEAST), key=_weight_of)
        sure = _sure(for_it)
        if not sure:  # what rests on one utterance may have been misheard
            chance = min(chance, RAISE_AT - 0.01)
        state.attention = max(state.attention, chance)
        if state.raised_at is None and sure and state.attention >= RAISE_AT:
            state.raised_at = round(state.at, 2)
            why = _reasons(for_it) or [Reason("", state.raised_at)]
            first = next((reason for reason in why if reason.text.startswith("“")), why[0])
            state.add_alert(Alert("needs_attention", first.text, state.raised_at, first.utterances))
        elif state.raised_at is not None and state.attention < LOWER_AT:
            state.raised_at = None
        return for_it

    def _hit_signs(self, state: CallState) -> Iterable[Sign]:
        for kind, held in state.grievances.items():
            if kind.startswith(RULE):
                left = held.now(state.at, GRIEVANCE_SECONDS)
                yield Sign(kind, self._by_sign["rule"] * left, held.words, held.at, (held.by,) if held.by else ())


def _sure(for_it: Sequence[Sign]) -> bool:
    """Whether two or more utterances speak for going in, or one that can hardly be misheard."""
    utterances: set[str] = set()
    for sign in for_it:
        critical = sign.name.startswith(RULE) and sign.weight >= SET_BY_HAND["rule"] * CRITICAL / 2
        if critical or sign.name in FIRM_KINDS:
            return True
        if sign.weight >= BESIDE:
            utterances.update(sign.by)
    return len(utterances) > 1


def _reasons(for_it: Sequence[Sign]) -> list[Reason]:
    """At most MAX_REASONS, strongest first; of what rests on the same words only the first."""
    out: list[Reason] = []
    told: set[tuple[str, ...]] = set()
    for sign in for_it:
        by = tuple(dict.fromkeys(sign.by))
        words = sign.name not in HOW_SAID  # how something was said is another reason than what was said
        if not sign.told or any(reason.text == sign.told for reason in out) or (words and by and by in told):
            continue
        told.add(by)
        out.append(Reason(sign.told, round(sign.at, 2), list(by)))
    return out[:MAX_REASONS]


def _more(alerts: Sequence[Alert], hits: Sequence[Hit], about: About) -> list[Alert]:
    return sorted([*alerts, *(hit.alert for hit in hits if hit.about == about)], key=_place)[-MAX_ALERTS:]


def _place(alert: Alert) -> tuple[float, str]:
    return alert.at, alert.kind


def _weight_of(sign: Sign) -> tuple[float, str]:
    return -sign.weight, sign.name


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


class Following:
    """The standing of one call while it goes on: each further utterance in canonical order costs one step."""

    def __init__(self, model: AttentionModel) -> None:
        self._model = model
        self._said: list[Spoken] = []
        self._course = Course()

    def standing(self, utterances: Sequence[Spoken]) -> Standing:
        """The standing after `utterances`, all of the call so far (any order)."""
        said = canonical(list(utterances))
        known = len(self._said)
        if said[:known] != self._said:
            known, self._said, self._course = 0, [], Course()
        standing, course = self._model.follow(self._course, said[known:])
        if course is not None:
            self._said, self._course = said, course
        return standing
