"""A call's standing: what raises it, and its reasons."""

from __future__ import annotations

import json

import pytest

from scripts.evaluation import calls
from scripts.simulator.recording import DEMO
from scripts.training import __main__ as trainer
from tests.harness.calls.spoken import ANALYZER, ANGRY, CALM, MODEL, call
from workers.insight import weights
from workers.insight.attention import AttentionModel
from workers.insight.evidence import PRIOR, SOOTHING
from workers.insight.norms import Norms
from workers.insight.ruled import RuledModel
from workers.insight.rules.rule import RuleEvidence
from workers.insight.rules.rulefile import load, parse


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


@pytest.mark.parametrize("folder", [p.parent.name for p in sorted(DEMO.glob("*/truth.json"))])
def test_demo_calls_that_need_somebody_are_raised_in_time_and_no_others(folder: str) -> None:
    truth = json.loads((DEMO / folder / "truth.json").read_text(encoding="utf-8"))
    outcome = calls.simulate(calls.spoken(truth), truth["duration_s"], MODEL)
    assert bool(outcome.raised) == truth["needs_attention"]
    if outcome.raised:
        earliest = min(start for start, _ in truth["tolerated_s"])
        assert earliest <= outcome.raised[0][0] <= truth["attention_from_s"] + 10
        assert outcome.raised[0][1] == truth["duration_s"], "the call never recovers, so it stays raised"


def test_a_rule_that_says_what_a_built_in_sign_says_counts_and_is_told_once() -> None:
    ruled = RuledModel(ANALYZER, load())
    kinds = [alert.kind for alert in ruled.standing(ANGRY).alerts]
    assert {"rule:escalation", "rule:repeat-contact"} <= set(kinds)
    assert not {"escalation", "repeat_contact"} & set(kinds), "the supervisors' own words take their place"
    asked = call(("a", "good morning how can i help"), ("c", "i want to speak to your manager"), ("c", "please do"))
    assert ruled.standing(asked).attention == MODEL.standing(asked).attention


def test_a_rule_with_a_name_of_its_own_adds_to_the_attention() -> None:
    mine = "version: 1\nrules:\n- {id: lane, title: Lives in a lane, severity: high, phrases: [lane]}"
    ruled, plain = RuledModel(ANALYZER, parse(mine)).standing(CALM[:4]), MODEL.standing(CALM[:4])
    assert ruled.attention > plain.attention
    assert [(reason.text, reason.utterances) for reason in ruled.reasons] == [
        ("“lane”: Lives in a lane", ["customer:3"])
    ]


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
