"""A call's standing: a pure function of its utterances, explained, and steady."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.evaluation import calls
from scripts.training import __main__ as trainer
from state.types import Sentiment
from workers.insight import weights
from workers.insight.attention import AttentionModel, Course
from workers.insight.context import ContextScorer, Mood, overall
from workers.insight.evidence import PRIOR, SOOTHING
from workers.insight.norms import Norms
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.ruled import RuledModel
from workers.insight.rules.rule import RuleEvidence
from workers.insight.rules.rulefile import load, parse
from workers.insight.words.spoken import Spoken, canonical
from workers.sentiment.courses import Courses, pack, unpack

ANALYZER = CallAnalyzer()
MODEL = AttentionModel(ANALYZER)
DEMO = Path(__file__).resolve().parents[3] / "demo"


def call(*turns: tuple[str, str], pause: float = 0.5) -> list[Spoken]:
    """Turns (c or a, text) one after the other, 2.5 words a second."""
    said: list[Spoken] = []
    at = 0.0
    for index, (who, text) in enumerate(turns):
        track = "customer" if who == "c" else "agent"
        end = at + max(1.0, len(text.split()) / 2.5)
        said.append(Spoken(f"{track}:{index}", track, round(at, 3), round(end, 3), text))
        at = end + pause
    return said


ANGRY = call(
    ("a", "thank you for calling how can i help"),
    ("c", "this is the fourth time i'm calling about the same fault"),
    ("a", "i'm sorry there is nothing we can do"),
    ("c", "are you serious i have been waiting for three weeks and nobody has called me back"),
    ("a", "you have to wait"),
    ("c", "that's ridiculous i want to speak to your manager right now"),
)
CALM = call(
    ("a", "good morning how can i help"),
    ("c", "hi i'd like to change my address please"),
    ("a", "of course what is the new address"),
    ("c", "twenty seven mill lane"),
    ("a", "all done for you"),
    ("c", "brilliant thank you"),
)


def test_an_angry_call_is_raised_with_its_reasons_and_a_calm_one_is_not() -> None:
    angry, calm = MODEL.standing(ANGRY), MODEL.standing(CALM)
    assert angry.raised and angry.attention > 0.8 and angry.score is not None and angry.score < -0.3
    assert {"repeat_contact", "escalation", "needs_attention"} <= {alert.kind for alert in angry.alerts}
    assert any("fourth time" in reason.text for reason in angry.reasons)
    assert not calm.raised and calm.attention < 0.2 and calm.alerts == []


def test_a_call_without_words_has_no_score() -> None:
    standing = MODEL.standing([])
    assert standing.score is None and standing.trend is None and standing.attention == 0 and standing.curve == []


def test_a_falling_mood_has_a_negative_trend() -> None:
    standing = MODEL.standing(call(("c", "great thank you"), *[("c", "that is not true you are lying")] * 3))
    assert standing.trend is not None and standing.trend < 0


def test_the_order_of_arrival_does_not_matter() -> None:
    shuffled = list(ANGRY)
    random.Random(1).shuffle(shuffled)
    assert MODEL.standing(shuffled) == MODEL.standing(ANGRY)


texts = st.sampled_from([u.text for u in ANGRY + CALM] + ["no", "uh", "four one one one", "you are useless"])


RULES = parse("""
version: 1
rules:
- {id: "no", title: Says no, severity: medium, phrases: ["no"], cooldown_seconds: 5}
- id: sorry
  title: No apology
  severity: high
  phrases: ["not true", "serious"]
  and_not: {phrases: ["sorry"], within_seconds: 6}
- {id: useless, title: Insults, severity: info, times: 3, track: any, phrases: ["useless", "you"], cooldown_seconds: 0}
- id: hello
  title: No greeting
  severity: low
  and_not: {phrases: ["good morning", "thank you for calling"], within_seconds: 9}
""")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ac"), texts), max_size=60), st.randoms())
def test_a_standing_does_not_depend_on_what_was_kept_of_it(turns: list[tuple[str, str]], rng: random.Random) -> None:
    """Utterances overlap and come late; the course is packed and unpacked between any two of them."""
    said = [
        msgspec.structs.replace(u, start=max(0.0, u.start - rng.random() * 6), end=u.end + rng.random() * 6)
        for u in call(*turns)
    ]
    arrived: list[Spoken] = []
    model = RuledModel(ANALYZER, RULES)
    courses = Courses(Course())
    left_out: list[Spoken] = []
    for utterance in sorted(said, key=lambda u: (u.end + rng.random() * 3, u.id)):
        arrived = canonical([*arrived, utterance])
        if arrived[: len(left_out)] != left_out:
            left_out, courses = [], Courses(Course())
        rest = arrived[len(left_out) :]
        standing, courses = unpack(pack(courses)).follow(model, rest)
        assert msgspec.json.encode(standing) == msgspec.json.encode(model.standing(arrived))
        assert 0 <= standing.attention <= 1 and len(standing.curve) <= 30
        if rng.random() < 0.2:
            count = rng.randrange(len(rest) + 1)
            further = courses.leave_out(model, rest, count)
            if further is not None:
                courses, left_out = further, arrived[: len(left_out) + count]


def test_what_is_kept_of_a_call_does_not_grow_with_it() -> None:
    mine = parse(
        "version: 1\nrules:\n- {id: all, title: t, severity: high, track: any, phrases: [you], cooldown_seconds: 0}"
    )
    model = RuledModel(ANALYZER, mine)
    sizes = []
    course = Course()
    for n in range(20):
        said = [
            msgspec.structs.replace(u, id=f"{u.id}:{n}:{m}", start=u.start + at, end=u.end + at)
            for m in range(10)
            for u in ANGRY
            for at in [(n * 10 + m) * 60.0]
        ]
        _, after = model.follow(course, said)
        assert after is not None
        course = after
        sizes.append(len(pack(Courses(course))))
    assert max(sizes[10:]) < 1.2 * max(sizes[:10]), sizes


def test_a_raised_call_does_not_flap() -> None:
    """A polite answer between complaints does not lower it; staying content for a while does."""
    turns = [(("c" if u.track == "customer" else "a"), u.text) for u in ANGRY]
    on = MODEL.standing(call(*turns, ("c", "okay thank you")))
    assert on.raised and on.raised_at == MODEL.standing(ANGRY).raised_at
    soothing = [
        ("a", "i have refunded it and i will sort it for you"),
        ("c", "oh great thank you so much that is a relief"),
    ]
    assert not MODEL.standing(call(*turns, *soothing * 5)).raised


def test_a_silence_counts_while_it_lasts() -> None:
    last = CALM[3]
    assert MODEL.standing(CALM[:4], now=last.end + 40).attention > MODEL.standing(CALM[:4]).attention
    assert any("silence" in reason.text for reason in MODEL.standing(CALM[:4], now=last.end + 40).reasons)


def test_a_call_much_longer_than_usual_gets_some_attention() -> None:
    short = AttentionModel(MODEL.analyzer, norms=Norms(long_seconds=(5.0, 10.0)))
    assert short.standing(CALM).attention > MODEL.standing(CALM).attention
    assert any("longer than calls" in reason.text for reason in short.standing(CALM).reasons)


def test_a_silence_that_is_usual_in_a_queue_is_no_sign_there() -> None:
    patient = AttentionModel(MODEL.analyzer, norms=Norms(silence_from_seconds=60.0, silence_full_seconds=180.0))
    later = CALM[3].end + 40
    assert patient.standing(CALM[:4], now=later).attention < MODEL.standing(CALM[:4], now=later).attention


def test_haste_strengthens_displeased_words_and_is_nothing_alone() -> None:
    quick = AttentionModel(MODEL.analyzer, norms=Norms(hurried=(1.0, 2.0)))
    assert quick.standing(CALM).attention == MODEL.standing(CALM).attention
    cross = call(("c", "the lamp that i bought is broken and that is a problem for me"))
    assert quick.standing(cross).attention > MODEL.standing(cross).attention
    assert any("speaks faster" in reason.text for reason in quick.standing(cross).reasons)


def test_the_mood_is_told_from_what_is_usual_in_the_queue() -> None:
    gloomy = AttentionModel(MODEL.analyzer, norms=Norms(mood=-0.15))
    sad = call(("c", "it is broken"), ("a", "i see"), ("c", "it does not work and that is a problem"))
    assert gloomy.standing(sad).attention < MODEL.standing(sad).attention


def test_one_critical_rule_hit_raises_a_call() -> None:
    hit = RuleEvidence(CALM[1].end, 0.7, "Threatens legal steps")
    assert MODEL.standing(CALM[:3], rule_evidence=[hit]).raised


def in_context(scorer: ContextScorer, before: Sequence[Spoken], said: Spoken) -> Sentiment:
    """The score of `said` after what was said before it."""
    mood = Mood()
    for earlier in before:
        _, mood = scorer.step(mood, earlier)
    return scorer.step(mood, said)[0]


def test_repetition_and_refusal_darken_what_is_said() -> None:
    scorer = ContextScorer(ANALYZER)
    first = Spoken("customer:0", "customer", 0, 2, "i need a table near the window tonight")
    refused = Spoken("agent:0", "agent", 3, 5, "unfortunately there are no tables available")
    again = Spoken("customer:1", "customer", 6, 8, "i need a table near the window tonight")
    alone = in_context(scorer, [], again)
    after = in_context(scorer, [first, refused], again)
    assert after.polarity < alone.polarity
    assert "after a refusal" in after.reasons and "says again what was said before" in after.reasons


def test_praise_in_a_bad_mood_is_not_taken_at_its_word() -> None:
    said = call(*[("c", "that is terrible and useless")] * 3, ("c", "oh wonderful"))
    assert in_context(ContextScorer(ANALYZER), said[:3], said[3]).polarity < 0


def test_a_whole_calls_score_weighs_the_end_more() -> None:
    assert overall([]) is None
    up, down = overall([-0.5] * 4 + [0.5] * 4), overall([0.5] * 4 + [-0.5] * 4)
    assert up is not None and down is not None and up > 0 > down


@pytest.mark.parametrize("folder", [p.parent.name for p in sorted(DEMO.glob("*/truth.json"))])
def test_demo_calls_that_need_somebody_are_raised_in_time_and_no_others(folder: str) -> None:
    truth = json.loads((DEMO / folder / "truth.json").read_text(encoding="utf-8"))
    outcome = calls.simulate(calls.spoken(truth), truth["duration_s"], MODEL)
    assert bool(outcome.raised) == truth["needs_attention"]
    if outcome.raised:
        earliest = min(start for start, _ in truth["tolerated_s"])
        assert earliest <= outcome.raised[0][0] <= truth["attention_from_s"] + 10
        assert outcome.raised[0][1] == truth["duration_s"], "once raised it stays so: the call never recovers"


def test_a_rule_that_says_what_a_built_in_sign_says_counts_and_is_told_once() -> None:
    ruled = RuledModel(ANALYZER, load())
    kinds = [alert.kind for alert in ruled.standing(ANGRY).alerts]
    assert {"rule:escalation", "rule:repeat-contact"} <= set(kinds)
    assert not {"escalation", "repeat_contact"} & set(kinds), "the supervisors' own words are told instead"
    asked = call(("a", "good morning how can i help"), ("c", "i want to speak to your manager"), ("c", "please do"))
    assert ruled.standing(asked).attention == MODEL.standing(asked).attention


def test_a_rule_with_a_name_of_its_own_adds_to_the_attention() -> None:
    mine = "version: 1\nrules:\n- {id: lane, title: Lives in a lane, severity: high, phrases: [lane]}"
    ruled, plain = RuledModel(ANALYZER, parse(mine)).standing(CALM[:4]), MODEL.standing(CALM[:4])
    assert ruled.attention > plain.attention
    assert [(reason.text, reason.utterances) for reason in ruled.reasons] == [
        ("“lane”: Lives in a lane", ["customer:3"])
    ]


FRIENDLY = call(
    ("a", "good morning you are through to anna how can i help"),
    ("c", "hi there could you tell me when my next shift at the desk is please"),
    ("a", "of course it is on tuesday"),
    ("c", "brilliant thank you so much"),
)


def test_a_misheard_word_raises_no_friendly_call() -> None:
    heard = [msgspec.structs.replace(u, text=u.text.replace("shift", "shit")) for u in FRIENDLY]
    standing = RuledModel(ANALYZER, load()).standing(heard)
    assert not standing.raised and standing.attention < 0.2
    assert ANALYZER.score(heard[1].text, "customer").polarity > -0.35
    assert ANALYZER.score("this is shit and you are useless", "customer").polarity < -0.8


def test_a_word_the_recogniser_doubts_counts_for_less() -> None:
    text = "it was useless on tuesday"
    assert ANALYZER.score(text, "customer", ("useless",)).polarity > ANALYZER.score(text, "customer").polarity + 0.3


def test_nothing_that_rests_on_one_utterance_raises_a_call() -> None:
    one = call(("c", "i am fed up and sick of this are you serious it is a disgrace and a farce"))
    assert not MODEL.standing(one).raised
    more = [msgspec.structs.replace(one[0], id="customer:1", start=9, end=15, text="it is useless and nobody helps me")]
    assert MODEL.standing([*one, *more]).raised


@pytest.mark.parametrize(
    "turns",
    [
        ["the screen goes black when i plug it in", "no it stops at the logo", "yes the light is on"],
        ["no thank you i don't need the insurance", "no not today thanks", "no that's all i need"],
        ["no sorry i meant the fourteenth", "actually no make it the fifteenth", "sorry i read it wrong it's four one"],
        ["the what sorry", "did you say fifteen or fifty", "pardon i didn't catch that"],
        ["i'd like to cancel my subscription please", "no i just don't use it anymore", "no thank you"],
    ],
)
def test_calm_faults_polite_refusals_corrections_and_questions_raise_nothing(turns: list[str]) -> None:
    said = call(*[turn for text in turns for turn in (("a", "let me see what i can find"), ("c", text))])
    standing = MODEL.standing(said)
    assert not standing.raised and standing.attention < 0.35


def test_reasons_are_few_quote_what_was_said_and_name_it() -> None:
    standing = MODEL.standing(ANGRY)
    assert 0 < len(standing.reasons) <= 3
    ids = {utterance.id for utterance in ANGRY}
    for reason in standing.reasons:
        assert reason.utterances and ids.issuperset(reason.utterances), reason
        assert "mood" not in reason.text and "sounds like somebody" not in reason.text
    assert len({tuple(reason.utterances) for reason in standing.reasons}) == len(standing.reasons)
    assert all(alert.reason.startswith("“") and alert.utterances for alert in standing.alerts)


def test_a_missing_greeting_is_a_finding_and_no_part_of_the_attention() -> None:
    ruled = RuledModel(ANALYZER, load())
    cold = call(("a", "account number"), ("c", "four one seven two"), ("a", "one moment i am looking for it"), pause=9)
    standing = ruled.standing(cold)
    assert [finding.kind for finding in standing.findings] == ["rule:greeting-missing"]
    assert standing.alerts == [] and standing.attention == MODEL.standing(cold).attention
    alone = [u for u in cold if u.track == "customer"]
    assert ruled.standing(alone, now=100.0).findings == [], "a call without an agent's track owes no greeting"


def test_every_sign_has_a_weight_of_its_kind() -> None:
    fitted = weights.load()
    assert set(fitted.signs) == set(PRIOR) and fitted.dialogues == trainer.digest(), "run scripts/train"
    assert all((weight <= 0) == (name in SOOTHING) or weight == 0 for name, weight in fitted.signs.items())
    values = [fitted.probability(evidence / 4) for evidence in range(-40, 40)]
    assert values == sorted(values) and values[0] < 0.01 and values[-1] > 0.9
