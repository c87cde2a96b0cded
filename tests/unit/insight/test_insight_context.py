"""The score of an utterance depends on what was said before it."""

from __future__ import annotations

from collections.abc import Sequence

from state.types import Sentiment
from tests.harness.calls.spoken import ANALYZER, call
from workers.insight.context import ContextScorer, Mood, overall
from workers.insight.words.spoken import Spoken


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
