"""How a call stands: does a supervisor need to go in, since when, and why.

`AttentionModel.standing` is a pure fold over the call's utterances in canonical order, hysteresis included:
any worker that has the same utterances computes the same standing, to the bit, at any time.

Attention is the chance that the call deserves a look. It comes of a sum: each sign in the call's course (evidence.py)
adds its weight, kind words take some away, and what the sum is worth was measured (weights.py). It rises at once and
sinks slowly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from state.types import Alert, Reason, Sentiment, Standing
from workers.insight.analyzer import CallAnalyzer, Heard
from workers.insight.context import ContextScorer
from workers.insight.evidence import (
    ALERT_KINDS,
    CALM_ABOVE,
    CALM_KINDS,
    CALM_SHARE,
    GRIEVANCE_SECONDS,
    GRIEVANCES,
    HAPPY_ABOVE,
    LEAST,
    LOUD_TOLD,
    MAX_ALERTS,
    RECENT_UNHAPPY,
    SET_BY_HAND,
    STALE_SECONDS,
    TREND_WINDOW_SECONDS,
    UNHAPPY_BELOW,
    CallState,
    Fading,
    Sign,
    Unhappy,
    faded,
    ramp,
    signs,
    strengths,
)
from workers.insight.gist import cues, story
from workers.insight.norms import ANYWHERE, Norms
from workers.insight.rules import SEVERITY_EVIDENCE, About, Hit, RuleEvidence, RuleState
from workers.insight.spoken import Spoken, canonical
from workers.insight.weights import Weights, load
from workers.voice.calm import Calm, hear, judge

AGENT_WEIGHT = 0.1
"""The agent's tone in the call's score, against the customer's 1."""
NEUTRAL_WEIGHT = 1.0
"""Weight of 'nothing known' at 0 in the score: one utterance does not make a mood."""
FULL_WEIGHT_SECONDS = 2.0
"""An utterance of this length or longer counts fully, a shorter one in proportion, but at least by half."""
FIRM_KINDS = frozenset({"legal_threat", "escalation"})
"""Signs of several words that raise a call by themselves; all others, a misheard word above all, need a second
utterance that speaks for it."""
BESIDE = 0.2
"""Log odds from which a sign counts as a second one."""
WARM_ABOVE = 0.15
"""Polarity from which a turn is warm."""
TELLING_WORDS = 2
"""Content words from which a turn that is not warm says something; "yes" and "go on" do not."""
NEUTRAL_TURNS = 3
"""So many customer turns in a row that are neither break a streak; fewer ("K W five three one") do not."""
LATEST_TURN = 0.3
"""Weight of the latest turn in what the trained model hears, and of the latest answer."""
INTERRUPTION_SECONDS = 0.25
"""Shorter overlaps are quick answers or a recogniser's late endpoint."""
SAME_SECONDS = 30.0
"""A built-in sign and a rule of the same name this near to each other say the same."""
HOW_SAID = frozenset({"raised_voice", "hurried"})
"""Signs that are told beside the words they were heard in."""
PACE_WORDS = 6
"""A turn of fewer words tells no pace."""
MAX_REASONS = 3
CRITICAL = SEVERITY_EVIDENCE["critical"]
RULE = "rule "
"""Before the name of a grievance that is a rule's hit."""


RAISE_AT = 0.54
"""Attention from which a call is raised: 2 % of the good calls in training that the weights had not seen."""
LOWER_AT = 0.35
"""Attention below which a raised call is let go."""
MEMORY_SECONDS = 45.0
"""Half-life of an utterance's weight in the smoothed score: a call's mood turns within a minute."""
RELEASE_SECONDS = 25.0
"""Half-life with which attention sinks when its causes are gone."""


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
        self._scorer = ContextScorer(analyzer)
        self._fitted = weights or load()
        self._weights = self._fitted.signs | SET_BY_HAND

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
            self._step(state, utterance)
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
            self._step(state, utterance)
            unheard.discard(utterance.id)
            at = 0
            while at < len(waiting) and waiting[at].at <= state.at:
                if waiting[at].by in unheard:  # of an utterance that ends before this one and begins after it
                    at += 1
                else:
                    _take_in(state, waiting.pop(at), GRIEVANCE_SECONDS)
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
            self._pass_time(state, max(now or 0.0, state.at))
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

    def _pass_time(self, state: CallState, to: float) -> None:
        """Let time pass from state.at to `to`, and notice a silence that lasts until then."""
        passed = to - state.at
        if passed > 0:
            keep = faded(passed, MEMORY_SECONDS)
            state.weighted *= keep
            state.weight *= keep
            state.attention *= faded(passed, RELEASE_SECONDS)
            state.at = to
        silence = to - state.speech_end
        if state.speech_end and silence >= self.norms.silence_from_seconds:
            value = min(1.0, silence / self.norms.silence_full_seconds)
            held = state.passing.get("silence")
            if held is None or value >= held.now(to, STALE_SECONDS):
                state.passing["silence"] = Fading(value, to, silence)

    def _step(self, state: CallState, utterance: Spoken) -> None:
        if utterance.start > state.at:
            self._pass_time(state, utterance.start)
        agent = utterance.party == "agent"
        if (state.customer_end if agent else state.agent_end) - utterance.start > INTERRUPTION_SECONDS:
            _count(state, "interrupted", utterance.id)
        state.speech_end = max(state.speech_end, utterance.end)
        if agent:
            state.agent_end = max(state.agent_end, utterance.end)
        else:
            state.customer_end = max(state.customer_end, utterance.end)
        self._pass_time(state, max(state.at, utterance.end))

        repeats = state.mood.repeats
        sentiment, state.mood = self._scorer.step(state.mood, utterance)
        if state.mood.repeats > repeats:
            _count(state, "repeats", utterance.id)
        heard = self.analyzer.hear(utterance.text, utterance.party, utterance.doubtful)
        state.story = story.follow(state.story, utterance, sentiment.polarity, heard.kinds)
        weight = max(0.5, min(1.0, (utterance.end - utterance.start) / FULL_WEIGHT_SECONDS))
        if agent:
            weight *= AGENT_WEIGHT
            state.answers += LATEST_TURN * (heard.outlook - state.answers)
            if "unable" in heard.kinds:
                _count(state, "refused", utterance.id)
            if "cold" in heard.kinds:
                _count(state, "cold", utterance.id)
        else:
            self._hear_customer(state, utterance, sentiment, heard)
        state.weighted += weight * sentiment.polarity
        state.weight += weight
        state.add_point(round(state.at, 2), round(state.weighted / (state.weight + NEUTRAL_WEIGHT), 3))

    def _hear_customer(self, state: CallState, utterance: Spoken, sentiment: Sentiment, heard: Heard) -> None:
        half_life, polarity = GRIEVANCE_SECONDS, sentiment.polarity
        state.turns += 1
        _hear_voice(state, utterance, polarity, self.norms)
        _hear_pace(state, utterance, self.norms)
        state.words += LATEST_TURN * (heard.reading - state.words)
        if polarity > WARM_ABOVE:
            state.unthanked = 0
        elif len(heard.content) >= TELLING_WORDS:
            state.unthanked += 1
        if polarity < UNHAPPY_BELOW:
            state.streak, state.neutral = state.streak + 1, 0
            told = next(iter(sentiment.reasons), "")
            turn = Unhappy(polarity, round(utterance.end, 2), told, utterance.id)
            state.unhappy = [*state.unhappy, turn][-RECENT_UNHAPPY:]
        elif polarity > HAPPY_ABOVE:
            state.streak = state.neutral = 0
            # contentment lets go of what was held against the call, by as much as it is content
            state.grievances = _soothed(state.grievances, polarity)
            state.passing = _soothed(state.passing, polarity)
            state.sharpest = state.sharpest._replace(value=state.sharpest.value * (1 - polarity))
            state.unhappy = []
        else:
            state.neutral += 1
            if state.neutral >= NEUTRAL_TURNS:
                state.streak = 0
        sharp = ramp(-polarity, -UNHAPPY_BELOW, 1.0)
        if sharp >= state.sharpest.now(state.at, half_life):
            state.sharpest = Fading(sharp, state.at)
        for kind, reason in heard.kinds.items():
            if kind not in GRIEVANCES:
                continue
            value = CALM_SHARE if kind in CALM_KINDS and state.score > CALM_ABOVE else 1.0
            held = state.grievances.get(kind)
            if held is not None:
                value = max(value, held.now(state.at, half_life))
            state.grievances[kind] = Fading(value, state.at, 1, reason, utterance.id)
            if kind in ALERT_KINDS and all(alert.kind != kind for alert in state.alerts):
                state.add_alert(Alert(kind, reason, round(utterance.end, 2), [utterance.id]))

    def _judge(self, state: CallState) -> list[Sign]:
        """Weigh the signs at state.at, raise or let go; the signs that speak for going in, weightiest first."""
        found = strengths(state, self.norms)
        every = [*signs(state, found, self._weights), *self._hit_signs(state)]
        evidence = self._fitted.intercept + sum(sign.weight for sign in every)
        chance = self._fitted.probability(evidence)
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
                yield Sign(kind, self._weights["rule"] * left, held.words, held.at, (held.by,) if held.by else ())


def _sure(for_it: Sequence[Sign]) -> bool:
    """Whether more than one utterance speaks for going in, or one that can hardly be misheard."""
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


def _take_in(state: CallState, hit: RuleEvidence, half_life: float) -> None:
    """A rule's hit becomes a grievance, once; or strengthens the built-in one that says the same."""
    faint = [
        kind
        for kind, held in state.grievances.items()
        if kind.startswith(RULE) and held.now(state.at, half_life) < LEAST / SET_BY_HAND["rule"]
    ]
    for kind in faint:  # it counts no more and never will again
        del state.grievances[kind]
    key = f"{RULE}{hit.at} {hit.reason}"
    if key in state.grievances:
        return
    same = state.grievances.get(hit.kind)
    known = same is not None and abs(same.at - hit.at) <= SAME_SECONDS
    if known and hit.value >= CRITICAL:
        del state.grievances[hit.kind]
    value = 0.0 if known and hit.value < CRITICAL else hit.value
    state.grievances[key] = Fading(value, hit.at, 1, hit.reason, hit.by)


def _weight_of(sign: Sign) -> tuple[float, str]:
    return -sign.weight, sign.name


def _soothed(held: dict[str, Fading], by: float) -> dict[str, Fading]:
    return {what: seen._replace(value=seen.value * (1 - by)) for what, seen in held.items()}


def _count(state: CallState, what: str, by: str) -> None:
    held = state.passing.get(what)
    before, times = (held.now(state.at, STALE_SECONDS), held.times) if held is not None else (0.0, 0.0)
    state.passing[what] = Fading(before + 1.0, state.at, times + 1, by=by)


def _hear_voice(state: CallState, utterance: Spoken, polarity: float, norms: Norms) -> None:
    """Whether a voice is raised, against the same track's calm speech. With glad words it means nothing."""
    if utterance.voice is None:
        return
    calm = state.calm.get(utterance.track, Calm())
    state.calm[utterance.track] = hear(calm, utterance.voice, utterance.end - utterance.start)
    found = judge(calm, utterance.voice, norms.loudest_calm_db)
    raised = found is not None and found.raised and polarity <= HAPPY_ABOVE
    if raised:
        if not state.is_loud:
            state.loud_from = round(utterance.start, 2)
        state.loud = [*state.loud, utterance.id][-LOUD_TOLD:]
        state.passing["raised_voice"] = Fading(1.0, state.at, 1, by=utterance.id)
    state.is_loud = raised


def _hear_pace(state: CallState, utterance: Spoken, norms: Norms) -> None:
    """Whether somebody speaks faster than the callers of this queue do."""
    words, seconds = len(utterance.text.split()), utterance.end - utterance.start
    if norms.hurried is None or words < PACE_WORDS or seconds <= 0:
        return
    value = ramp(words / seconds, *norms.hurried)
    held = state.passing.get("hurried")
    if value > (held.now(state.at, STALE_SECONDS) if held is not None else 0.0):
        state.passing["hurried"] = Fading(value, state.at, by=utterance.id)


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
