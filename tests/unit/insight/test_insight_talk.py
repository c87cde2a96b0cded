"""Talk figures and the summary of an ended call."""

from __future__ import annotations

import pytest

from workers.insight.attention import AttentionModel, Course
from workers.insight.context import ContextScorer
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.talk import analyse, summary
from workers.insight.verdict import verdict
from workers.insight.words.spoken import Spoken, waited

SAID = [
    Spoken("agent:0", "agent", 0.0, 4.0, "good morning how can i help"),
    Spoken("customer:0", "customer", 3.0, 6.0, "uh my parcel never came"),
    Spoken("customer:1", "customer", 7.0, 10.0, "this is the worst service ever"),
    Spoken("agent:1", "agent", 10.5, 12.0, "one moment please hold"),
    Spoken("agent:2", "agent", 20.0, 22.0, "thanks for holding"),
]


def test_shares_pace_and_pauses_are_counted() -> None:
    talk = analyse(SAID)
    agent, customer = talk.parties["agent"], talk.parties["customer"]
    assert talk.duration_seconds == 22.0
    assert (agent.talk_seconds, customer.talk_seconds) == (7.5, 6.0)
    assert talk.talk_ratio == pytest.approx(7.5 / 13.5, abs=0.001)
    assert (agent.words, customer.words) == (13, 10), "hesitations are not words"
    assert customer.words_per_minute == 100.0
    assert customer.longest_monologue_seconds == 7.0
    assert (talk.overlaps, talk.overlap_seconds, customer.interruptions, agent.interruptions) == (
        1,
        1.0,
        1,
        0,
    )
    assert (talk.silence_seconds, talk.longest_silence_seconds) == (8.0, 8.0)
    assert (talk.holds, talk.hold_seconds) == (1, 8.0), "only the announced pause is a hold"


def test_what_the_switch_tells_of_holds_wins_over_guesses_and_is_no_silence() -> None:
    talk = analyse([*SAID, Spoken("customer:2", "customer", 30.0, 31.0, "yes")], held=[(13.0, 20.0)])
    assert (talk.holds, talk.hold_seconds) == (1, 7.0)
    assert (talk.silence_seconds, talk.longest_silence_seconds) == (8.0, 8.0), "the hold takes one of two pauses"


def test_a_call_without_words_has_figures_of_nothing() -> None:
    talk = analyse([])
    assert talk.parties == {} and talk.talk_ratio is None and talk.duration_seconds == talk.silence_seconds == 0.0


def test_a_summary_names_the_worst_moment() -> None:
    analyzer = CallAnalyzer()
    kept = summary(SAID, AttentionModel(analyzer), ContextScorer(analyzer))
    assert kept.worst is not None and (kept.worst.utterance_id, kept.worst.at) == ("customer:1", 7.0)
    assert kept.score is not None and kept.score < 0
    assert kept.peak_attention >= kept.standing.attention
    assert 0 <= kept.verdict <= 1
    assert kept.standing == AttentionModel(analyzer).standing(SAID)


def test_a_friendly_call_has_no_worst_moment() -> None:
    analyzer = CallAnalyzer()
    happy = [Spoken("customer:0", "customer", 0, 2, "brilliant thank you so much")]
    assert summary(happy, AttentionModel(analyzer), ContextScorer(analyzer)).worst is None


def test_a_verdict_knows_how_a_call_ended_and_a_raised_one_counts_less_if_it_was_put_right() -> None:
    analyzer = CallAnalyzer()
    opening = [("agent", "how can i help"), ("customer", "my order has not come yet")]

    def judged(*ending: tuple[str, str], raised: float | None = None) -> float:
        turns = [*opening, *ending]
        said = [Spoken(f"{who}:{at}", who, at * 5.0, at * 5.0 + 4, text) for at, (who, text) in enumerate(turns)]
        return verdict(said, analyzer, raised)

    good = [("agent", "i have sent a new one today"), ("customer", "oh that's great thank you so much")]
    bad = [("agent", "there is nothing i can do"), ("customer", "right so that's that then")]
    assert judged(*good) < 0.15 < judged(*bad)
    assert judged(*good) < judged(*good, raised=0.7) < judged(*bad, raised=0.7)
    assert verdict([], analyzer) == 0.0


def test_a_held_callers_silence_is_no_silence() -> None:
    model = AttentionModel(CallAnalyzer())
    said = [
        Spoken("customer:0", "customer", 0.0, 4.0, "my parcel never came"),
        Spoken("agent:0", "agent", 80.0, 82.0, "thanks for holding"),
    ]

    def silences(holds: list[tuple[float, float]]) -> bool:
        standing, _ = model.follow(Course(), waited(said, holds))
        return any("silence" in told.text for told in standing.reasons) or "silence" in str(standing.alerts)

    assert silences([]) and silences([(90.0, 99.0)]) and silences([(4.0, 10.0)])
    assert not silences([(5.0, 79.0)]) and not silences([(5.0, 99.0)])


def test_holds_before_an_utterance_do_not_depend_on_what_came_before_it() -> None:
    holds = [(5.0, 9.0), (13.0, 19.0)]
    assert waited(SAID, holds)[3:] == waited(SAID[3:], holds)
    assert [one.held for one in waited(SAID, holds)] == [None, None, (5.0, 7.0), (5.0, 9.0), (13.0, 19.0)]
