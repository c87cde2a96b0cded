"""The change of a call's state (call_state.py) by one more utterance, a silence or a rule's hit."""

from __future__ import annotations

from state.types import Alert, Sentiment
from workers.insight.call_state import LOUD_TOLD, RECENT_UNHAPPY, CallState, Fading, Unhappy, faded
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
    SET_BY_HAND,
    STALE_SECONDS,
    UNHAPPY_BELOW,
    ramp,
)
from workers.insight.gist import story
from workers.insight.norms import Norms
from workers.insight.polarity.analyzer import CallAnalyzer, Heard
from workers.insight.rules.rule import SEVERITY_EVIDENCE, RuleEvidence
from workers.insight.words.spoken import Spoken
from workers.voice.calm import LOUDEST_CALM_DB, Calm, hear, judge

AGENT_WEIGHT = 0.1
"""The agent's tone in the call's score, against the customer's 1."""
NEUTRAL_WEIGHT = 1.0
"""Weight of 'nothing known' at 0 in the score: one utterance does not make a mood."""
FULL_WEIGHT_SECONDS = 2.0
"""An utterance of this length or longer counts fully, a shorter one in proportion, but at least by half."""
WARM_ABOVE = 0.15
"""Polarity from which a turn is warm."""
TELLING_WORDS = 2
"""Content words from which a turn that is not warm says something; "yes" and "go on" do not."""
NEUTRAL_TURNS = 3
"""Customer turns in a row, neither happy nor unhappy, that break a streak. Fewer ("K W five three one") do not."""
LATEST_TURN = 0.3
"""Weight of the latest turn in what the trained model hears, and of the latest answer."""
INTERRUPTION_SECONDS = 0.25
"""Seconds from which an overlap is an interruption. Shorter ones are quick answers or a recogniser's late endpoint."""
SAME_SECONDS = 30.0
"""Seconds within which a built-in sign and a rule of the same name say the same."""
PACE_WORDS = 6
"""Fewest words of a turn that tells a pace."""
CRITICAL = SEVERITY_EVIDENCE["critical"]
RULE = "rule "
"""Beginning of a grievance's name if it is a rule's hit."""

MEMORY_SECONDS = 45.0
"""Half-life, in seconds, of an utterance's weight in the smoothed score. A call's mood turns within a minute."""
RELEASE_SECONDS = 25.0
"""Half-life, in seconds, with which attention sinks when its causes are gone."""


class Hearing:
    """Takes what happens into a call's state. Safe to share between threads."""

    def __init__(self, analyzer: CallAnalyzer, norms: Norms) -> None:
        self.analyzer = analyzer
        self.norms = norms
        self._scorer = ContextScorer(analyzer)

    def hear(self, state: CallState, utterance: Spoken) -> None:
        """Take in an utterance."""
        if utterance.start > state.at:
            self.pass_time(state, utterance.start, utterance.held)
        agent = utterance.party == "agent"
        if (state.customer_end if agent else state.agent_end) - utterance.start > INTERRUPTION_SECONDS:
            _count(state, "interrupted", utterance.id)
        state.speech_end = max(state.speech_end, utterance.end)
        if agent:
            state.agent_end = max(state.agent_end, utterance.end)
        else:
            state.customer_end = max(state.customer_end, utterance.end)
        self.pass_time(state, max(state.at, utterance.end))

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

    def pass_time(self, state: CallState, to: float, hold: tuple[float, float] | None = None) -> None:
        """Let time pass from state.at to `to`, and notice a silence that lasts until then. A hold is none."""
        passed = to - state.at
        if passed > 0:
            keep = faded(passed, MEMORY_SECONDS)
            state.weighted *= keep
            state.weight *= keep
            state.attention *= faded(passed, RELEASE_SECONDS)
            state.at = to
        silence = to - state.speech_end
        if hold is not None:
            silence -= max(0.0, min(hold[1], to) - max(hold[0], state.speech_end))
        if state.speech_end and silence >= self.norms.silence_from_seconds:
            value = min(1.0, silence / self.norms.silence_full_seconds)
            held = state.passing.get("silence")
            if held is None or value >= held.now(to, STALE_SECONDS):
                state.passing["silence"] = Fading(value, to, silence)

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
            # a content turn takes away evidence against the call, in proportion
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


def take_in(state: CallState, hit: RuleEvidence, half_life: float) -> None:
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


def _count(state: CallState, what: str, by: str) -> None:
    held = state.passing.get(what)
    before, times = (held.now(state.at, STALE_SECONDS), held.times) if held is not None else (0.0, 0.0)
    state.passing[what] = Fading(before + 1.0, state.at, times + 1, by=by)


def _soothed(held: dict[str, Fading], by: float) -> dict[str, Fading]:
    return {what: seen._replace(value=seen.value * (1 - by)) for what, seen in held.items()}


def _hear_voice(state: CallState, utterance: Spoken, polarity: float, norms: Norms) -> None:
    """Whether a voice is raised, against the same track's calm speech. With glad words it means nothing."""
    if utterance.voice is None:
        return
    calm = state.calm.get(utterance.track, Calm())
    state.calm[utterance.track] = hear(calm, utterance.voice, utterance.end - utterance.start)
    found = judge(calm, utterance.voice, LOUDEST_CALM_DB if norms.loudest_calm_db is None else norms.loudest_calm_db)
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
