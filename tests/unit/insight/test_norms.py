"""What is normal for a queue, measured from its ended calls."""

from __future__ import annotations

from state.types import Voice
from workers.insight.norms import ANYWHERE, LEAST_CALLS, CallFigures, measure
from workers.voice.calm import Calm, hear, judge


def ordinary(count: int) -> list[CallFigures]:
    return [CallFigures(float(n % 20), 100.0 + n, -0.5, 2.0 + n / 100, -9.0) for n in range(count)]


def test_a_queue_with_few_calls_has_the_shipped_norms() -> None:
    assert measure(ordinary(LEAST_CALLS - 1)) is None


def test_a_figure_that_few_calls_have_stays_as_shipped() -> None:
    bare = [CallFigures(seconds=60.0)] * LEAST_CALLS
    norms = measure(bare)
    assert norms is not None
    assert norms.long_seconds == (60.0, 120.0)
    assert (norms.hurried, norms.mood, norms.loudest_calm_db) == (None, 0.0, None)
    assert norms.silence_from_seconds == ANYWHERE.silence_from_seconds


def test_norms_are_the_high_quantiles_and_stay_in_bounds() -> None:
    norms = measure(ordinary(100))
    assert norms is not None
    assert (norms.silence_from_seconds, norms.long_seconds) == (17.0, (190.0, 380.0))
    assert norms.mood == -0.15, "an unhappy customer is not normal in any queue"
    assert norms.hurried == (2.9, 5.8)
    assert norms.loudest_calm_db == -4.0


def test_a_day_with_some_more_calls_like_them_changes_nothing() -> None:
    assert measure(ordinary(400)[:-1]) == measure(ordinary(400))


def test_a_caller_who_is_loud_from_the_first_word_is_heard_against_the_queue() -> None:
    loud = Voice(-0.5, None, None, -20.0, 3.0, 0.1)
    calm = Calm()
    for _ in range(4):
        calm = hear(calm, loud, 3.0)
    shipped, queue = judge(calm, loud), judge(calm, loud, -4.0)
    assert shipped is not None
    assert queue is not None
    assert (shipped.raised, queue.raised) == (False, True)
