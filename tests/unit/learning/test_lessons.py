"""What Earshot learns from judged calls, and what it does not learn."""

from __future__ import annotations

import random

import numpy as np
import pytest

from workers.insight import models, weights
from workers.insight.models import SHIPPED, Fitted, Model
from workers.learning import lessons
from workers.learning.fitting import ONLY_THRESHOLD, SIGNS, Judged, fit_signs, live_odds, shipped
from workers.learning.lessons import learn, ranked

REFUND = SIGNS.index("refund")


def calls(count: int, seed: int, queue: str = "", tells: bool = True) -> list[Judged]:
    """Calls of a queue where a call that asks for a refund always needs somebody. Without `tells`, no sign says so."""
    draw = random.Random(seed)
    out = []
    for _ in range(count):
        asks = draw.random() < 0.3
        right = asks if tells else draw.random() < 0.3
        rows = np.zeros((4, len(SIGNS)))
        rows[2, REFUND] = float(asks)
        rows[3, SIGNS.index("words")] = draw.random()
        out.append(Judged(queue, right, rows, (draw.gauss(0, 0.3), draw.gauss(0, 0.3), 0.0, draw.random())))
    return out


def auc(judged: list[Judged], by: Fitted) -> float:
    return ranked(live_odds(judged, by), np.array([call.right for call in judged]))


def test_what_supervisors_call_right_is_weighed_more_on_calls_not_seen() -> None:
    learned, (lesson,) = learn(calls(200, 1), SHIPPED)
    assert lesson.live is not None
    assert (lesson.calls, lesson.live.taken) == (200, "weights")
    assert lesson.live.auc_after > lesson.live.auc_before
    assert learned.fitted is not None
    unseen = calls(300, 2)
    assert auc(unseen, learned.fitted) > auc(unseen, shipped()) + 0.1
    assert learned.weights("any").signs["refund"] > weights.load().signs["refund"]


def test_judgements_that_follow_nothing_make_nothing_worse() -> None:
    for seed in range(4):
        learned, _ = learn(calls(150, seed, tells=False), SHIPPED)
        by, unseen = learned.fitted or shipped(), calls(300, 9)
        assert auc(unseen, by) >= auc(unseen, shipped()) - 0.01


def test_a_threshold_far_from_the_shipped_one_is_found() -> None:
    for share in (0.02, 0.5, 0.98):
        judged = [call._replace(right=number < share * 200) for number, call in enumerate(calls(200, 6, tells=False))]
        moved = fit_signs(judged, shipped(), ONLY_THRESHOLD)
        assert moved.signs == shipped().signs
        assert (1 / (1 + np.exp(-live_odds(judged, moved)))).mean() == pytest.approx(share, abs=0.05)


def test_few_judgements_change_nothing() -> None:
    few = calls(lessons.LEAST_CALLS - 1, 1)
    one_sided = [call._replace(right=False) for call in calls(200, 1)]
    for judged in (few, one_sided, []):
        learned, (lesson,) = learn(judged, SHIPPED)
        assert (learned.fitted, lesson.live, lesson.ended) == (None, None, None)


def test_little_data_stays_near_the_shipped_weights() -> None:
    one = fit_signs(calls(2, 3), shipped())
    assert max(abs(one.signs[name] - shipped().signs[name]) for name in SIGNS) < 0.3


def test_a_queue_with_enough_calls_has_weights_of_its_own() -> None:
    judged = calls(200, 1, "refunds") + calls(200, 2, "other", tells=False) + calls(20, 3, "small")
    learned, told = learn(judged, SHIPPED)
    assert [lesson.queue for lesson in told] == [None, "other", "refunds"]
    assert "refunds" in learned.queues
    assert "small" not in learned.queues
    assert learned.weights("refunds").signs["refund"] > learned.weights("small").signs["refund"]


def test_the_same_calls_teach_the_same_to_the_byte() -> None:
    assert models.encode(learn(calls(120, 4), SHIPPED)) == models.encode(learn(calls(120, 4), SHIPPED))


def test_weights_that_were_drawn_to_others_than_the_shipped_do_not_apply() -> None:
    fitted = Fitted(9.0, {"refund": 9.0}, weights.load().verdict)
    assert Model(models.base(), fitted).weights("").intercept == 9.0
    assert Model("of another release", fitted).weights("") == weights.load()


@pytest.mark.parametrize("kind", ["soothing", "speaking for it"])
def test_no_weight_turns_against_its_side(kind: str) -> None:
    turned = [call._replace(right=not call.strengths[2, REFUND]) for call in calls(300, 5)]
    found = fit_signs(turned, shipped()).signs
    assert found["warm"] <= 0 if kind == "soothing" else found["refund"] >= 0
