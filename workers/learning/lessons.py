"""A new model from judged calls, taken only where it judges calls better that it has not seen.

All judged calls together first, drawn to what is shipped; then each queue that has enough of its own, drawn to that.
Attention and verdict are learned, and guarded, each by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import numpy as np
from numpy.typing import NDArray

from workers.insight.models import Fitted, Gain, Lesson, Model, Taken, base
from workers.learning.fitting import (
    ONLY_THRESHOLD,
    SIGN_PULL,
    VERDICT_PULL,
    Judged,
    Matrix,
    ended_odds,
    fit_signs,
    fit_verdict,
    live_odds,
    shipped,
)

LEAST_CALLS = 50
LEAST_EACH = 10
"""Least judged calls to learn from, and least calls of each judgement, right and not."""
FOLDS = 5
SURE = 1.0
"""Standard errors by which the loss must fall on unseen calls."""

Right = NDArray[np.bool_]
Folds = NDArray[np.int_]
Fit = Callable[..., Fitted]
Odds = Callable[[Sequence[Judged], Fitted], Matrix]


def learn(calls: Sequence[Judged], now: Model) -> tuple[Model, list[Lesson]]:
    """The model after these judged calls, and what was learned. The same calls in the same order give the same.

    now: the model that applies; its norms are kept, and its weights where nothing better was learned.
    """
    kept = now if now.base == base() else msgspec.structs.replace(now, base=base(), fitted=None, queues={})
    everywhere, lesson = _lesson(None, calls, shipped())
    lessons = [lesson]
    fitted = everywhere or kept.fitted
    queues = dict(kept.queues)
    by_queue: dict[str, list[Judged]] = defaultdict(list)
    for call in calls:
        by_queue[call.queue].append(call)
    for queue in sorted(name for name, some in by_queue.items() if name and len(some) >= LEAST_CALLS):
        own, lesson = _lesson(queue, by_queue[queue], fitted or shipped())
        lessons.append(lesson)
        if own is not None:
            queues[queue] = own
    return msgspec.structs.replace(kept, fitted=fitted, queues=queues), lessons


def _lesson(queue: str | None, calls: Sequence[Judged], before: Fitted) -> tuple[Fitted | None, Lesson]:
    """New weights, None if they are no better anywhere."""
    right = sum(call.right for call in calls)
    if len(calls) < LEAST_CALLS or min(right, len(calls) - right) < LEAST_EACH:
        return None, Lesson(queue, len(calls), right)
    after, live = _guarded(calls, before, fit_signs, SIGN_PULL, live_odds)
    after, ended = _guarded(calls, after, fit_verdict, VERDICT_PULL, ended_odds)
    return after if after != before else None, Lesson(queue, len(calls), right, live, ended)


def _guarded(calls: Sequence[Judged], before: Fitted, fit: Fit, pull: float, odds: Odds) -> tuple[Fitted, Gain]:
    """First the threshold alone is fitted, then the weights with it; each is taken only if it is better than what was
    taken before, on calls that the weights in question have not seen."""
    right = np.array([call.right for call in calls])
    fold = _dealt(right)
    old = kept = odds(calls, before)
    after: Fitted = before
    taken: Taken = ""
    tried: list[tuple[Taken, float]] = [("threshold", ONLY_THRESHOLD), ("weights", pull)]
    for name, strength in tried:
        new = _unseen(calls, fold, partial(fit, before=before, pull=strength), odds)
        if _better(new, kept, right, fold):
            after, taken, kept = fit(calls, before, strength), name, new
    return after, Gain(
        round(float(_losses(old, right).mean()), 4),
        round(float(_losses(kept, right).mean()), 4),
        round(_auc(old, right, fold), 4),
        round(_auc(kept, right, fold), 4),
        taken,
    )


def _dealt(right: Right) -> Folds:
    """A fold for each call: those that were right, and those that were not, are dealt out evenly."""
    fold = np.zeros(len(right), int)
    for kind in (True, False):
        at = np.flatnonzero(right == kind)
        fold[at] = np.arange(len(at)) % FOLDS
    return fold


def _unseen(calls: Sequence[Judged], fold: Folds, fit: Callable[[Sequence[Judged]], Fitted], odds: Odds) -> Matrix:
    """Each call's log odds by weights of the calls in the other folds."""
    told = np.zeros(len(calls))
    for number in range(FOLDS):
        unseen = [call for call, n in zip(calls, fold, strict=True) if n == number]
        seen = [call for call, n in zip(calls, fold, strict=True) if n != number]
        told[fold == number] = odds(unseen, fit(seen))
    return told


def _better(new: Matrix, old: Matrix, right: Right, fold: Folds) -> bool:
    """Whether the loss falls by more than chance, and calls are ranked no worse."""
    gain = _losses(old, right) - _losses(new, right)
    sure = gain.mean() > SURE * gain.std(ddof=1) / np.sqrt(len(gain))
    return bool(sure and _auc(new, right, fold) >= _auc(old, right, fold))


def _auc(odds: Matrix, right: Right, fold: Folds) -> float:
    """Mean over the folds: another threshold in each must not look like another order."""
    return float(np.mean([ranked(odds[fold == number], right[fold == number]) for number in range(FOLDS)]))


def _losses(odds: Matrix, right: Right) -> Matrix:
    return np.asarray(np.logaddexp(0.0, np.where(right, -odds, odds)))


def ranked(odds: Matrix, right: Right) -> float:
    """Chance that a call that was right stands above one that was not; ties count half."""
    above = np.round(odds[right][:, None] - odds[~right][None, :], 9)  # the last bits are no order
    return float(((above > 0) + 0.5 * (above == 0)).mean())
