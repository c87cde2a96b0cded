"""Supervisors' rules: how they are read, refused and applied."""

from __future__ import annotations

import pytest

from state.types import Sentiment
from workers.insight.rules import rule as rules
from workers.insight.rules import rulefile
from workers.insight.rules.ruleset import RuleSet
from workers.insight.words.spoken import Spoken


def ruleset(body: str) -> RuleSet:
    return rulefile.parse("version: 1\nrules:\n" + body, "mine.yaml")


def said(track: str, start: float, text: str, polarity: float | None = None) -> Spoken:
    sentiment = None if polarity is None else Sentiment(polarity, 0.5)
    return Spoken(f"{track}:{start}", track, start, start + 3, text, sentiment)


@pytest.mark.parametrize(
    ("rule_id", "track", "text"),
    [
        ("cancellation", "customer", "I'm cancelling my account."),
        ("legal-threat", "customer", "you will hear from my solicitor"),
        ("escalation", "customer", "then get me your manager"),
        ("repeat-contact", "customer", "this is the fourth time i'm calling"),
        ("vulnerability", "customer", "my husband has just died and i can't cope"),
        ("profanity", "agent", "what the hell is this"),
        ("card-number-asked", "agent", "can you read me the card number"),
    ],
)
def test_the_starter_rules_hear_what_they_are_for(rule_id: str, track: str, text: str) -> None:
    hits = rulefile.load().apply([said("agent", 0, "good morning this is tom"), said(track, 5, text)])
    assert [hit.rule_id for hit in hits] == [rule_id]
    assert hits[0].at == 8.0 and hits[0].quote and hits[0].alert.kind == f"rule:{rule_id}"


def test_a_missing_greeting_is_noticed_when_its_time_is_over_not_before() -> None:
    starter = rulefile.load()
    silent = [said("agent", 0, "yes")]
    assert starter.apply(silent, now=19.0) == []
    assert [hit.rule_id for hit in starter.apply(silent, now=20.0)] == ["greeting-missing"]
    assert starter.apply([said("agent", 1, "hello this is tom")], now=100.0) == []


def test_said_and_not_answered_within_its_seconds() -> None:
    body = (
        "- {id: a, title: t, severity: low, phrases: [refund],"
        " and_not: {track: agent, within_seconds: 10, phrases: [sorry]}}"
    )
    rule = ruleset(body)
    asked = said("customer", 0, "i want a refund")
    assert [hit.at for hit in rule.apply([asked], now=30)] == [13.0]
    assert rule.apply([asked, said("agent", 5, "i am sorry")], now=30) == []
    assert len(rule.apply([asked, said("agent", 14, "i am sorry")], now=30)) == 1
    assert len(rule.apply([asked, said("customer", 5, "sorry")], now=30)) == 1, "the wrong party said it"


def test_times_cooldown_track_and_polarity_limit_a_rule() -> None:
    often = [said("customer", float(i * 10), "refund please", -0.5 if i % 2 else 0.5) for i in range(6)]
    assert len(ruleset("- {id: a, title: t, severity: low, phrases: [refund], cooldown_seconds: 0}").apply(often)) == 6
    assert len(ruleset("- {id: a, title: t, severity: low, phrases: [refund], cooldown_seconds: 25}").apply(often)) == 2
    third = ruleset("- {id: a, title: t, severity: low, phrases: [refund], times: 3, cooldown_seconds: 99}").apply(
        often
    )
    assert [hit.at for hit in third] == [23.0]
    dark = "- {id: a, title: t, severity: low, phrases: [refund], polarity_below: 0, cooldown_seconds: 0}"
    assert len(ruleset(dark).apply(often)) == 3
    assert ruleset("- {id: a, title: t, severity: low, phrases: [refund], track: agent}").apply(often) == []


def test_a_phrase_split_over_two_utterances_is_heard_once() -> None:
    rule = ruleset("- {id: a, title: t, severity: low, phrases: [speak to your manager], cooldown_seconds: 0}")
    parts = [
        said("customer", 0, "I want to speak to"),
        said("customer", 3.5, "your manager."),
        said("customer", 7, "now"),
    ]
    assert [hit.utterance_id for hit in rule.apply(parts)] == ["customer:3.5"]
    assert rule.apply([parts[0], said("customer", 30, "your manager")]) == []


def test_a_disabled_rule_raises_nothing() -> None:
    assert (
        ruleset("- {id: a, title: t, severity: low, phrases: [a], enabled: false}").apply([said("customer", 0, "a")])
        == []
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("rules: []", "mine.yaml: line 1: top: .*version"),
        ("version: 1\nrules: [", "mine.yaml: line 2: "),
        ("version: 0\nrules: []", "mine.yaml: line 1: version"),
        ("version: 1\nrules:\n- {id: a, title: t, severity: huge, phrases: [x]}", r"line 3: rules\[0\].severity"),
        ("version: 1\nrules:\n- {id: a, title: t, severity: low, phrase: [x]}", r"rules\[0\].*phrase"),
        ("version: 1\nrules:\n- {id: A B, title: t, severity: low, phrases: [x]}", r"rules\[0\].id"),
        ("version: 1\nrules:\n- {id: a, title: t, severity: low}", r"rules\[0\] \(a\): needs phrases"),
        (
            "version: 1\nrules:\n- {id: a, title: t, severity: low, phrases: ['(x']}",
            r"rules\[0\] \(a\) phrases\[0\]",
        ),
        (
            "version: 1\nrules:\n- {id: a, title: t, severity: low, phrases: [x]}\n"
            "- {id: a, title: t, severity: low, phrases: [y]}",
            r"rules\[1\] \(a\): the id is used twice",
        ),
        (
            "version: 1\nrules:\n- {id: a, title: t, severity: low, and_not: {phrases: ['* x'], within_seconds: 5}}",
            r"rules\[0\] \(a\) and_not.phrases\[0\]",
        ),
        ("version: 1\nrules:\n- {id: a, title: t, severity: low, phrases: [x], times: .inf}", "mine.yaml"),
        ("just words", "mine.yaml: line 1: top"),
        ("!!python/object/apply:os.getcwd []", "mine.yaml"),
    ],
)
def test_a_file_with_a_fault_is_refused_naming_the_place(text: str, place: str) -> None:
    with pytest.raises(rules.RuleError, match=place):
        rulefile.parse(text, "mine.yaml")


def test_rules_that_stand_for_too_much_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this, a file of the allowed size keeps every process that reads it busy for a quarter of an hour."""
    monkeypatch.setattr("workers.insight.rules.ruleset.MAX_COMBINATIONS", 12)
    text = "version: 1\nrules:\n- {id: a, title: t, severity: low, phrases: ['(a|b) (c|d)', '(e|f) (g|h)'%s]}"
    assert rulefile.parse(text % ", x y", "mine.yaml")
    with pytest.raises(rules.RuleError, match=r"phrases\[2\] '\(i\|j\) .*more than 12 combinations"):
        rulefile.parse(text % ", '(i|j) (k|l) [m]'", "mine.yaml")


def test_a_rule_set_survives_being_written_and_read_again() -> None:
    starter = rulefile.load()
    assert rulefile.parse(rulefile.dump(starter.file)).digest == starter.digest


@pytest.mark.parametrize(
    ("texts", "quoted"),
    [
        (["This is the FOURTH time I'm calling, um, about it."], "FOURTH time I'm"),
        (["This is the fourth time", "I'm calling about it."], "4th time I'm"),
    ],
)
def test_a_hit_quotes_the_words_as_they_were_heard(texts: list[str], quoted: str) -> None:
    again = ruleset("- {id: again, title: Again, severity: low, track: customer, phrases: [4th time i am]}")
    heard = [Spoken(f"customer:{n}", "customer", 3.0 * n, 3.0 * n + 2.5, text) for n, text in enumerate(texts)]
    assert [hit.quote for hit in again.apply(heard)] == [quoted]
