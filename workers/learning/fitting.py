"""Weights of signs and of the verdict, fitted to judged calls and drawn to those that applied before.

A call is judged as a whole, so its highest evidence is what counts, as on the page: logistic regression on the signs
at that moment, which is looked for again after each round. Weights keep their sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workers.insight.attention import AttentionModel
from workers.insight.evidence import PRIOR, SOOTHING
from workers.insight.models import Fitted
from workers.insight.verdict import whole
from workers.insight.weights import VerdictWeights, load
from workers.insight.words.spoken import Spoken

SIGN_PULL, VERDICT_PULL = 3.0, 10.0
"""Strength of the pull to the weights before, against one call: chosen among 1, 3, 10 and 30 on rated dialogues."""
INTERCEPT_PULL = 0.1
"""Likewise of the intercept: how many calls deserve a look differs most between queues."""
ONLY_THRESHOLD = 1e9
"""A pull that keeps all weights as they are."""
LEAST_PULL = 1e-3
"""A small number, so that signs that are equal in all calls get a weight at all."""
ROUNDS = 5
STEPS, HALVINGS = 20, 12

Matrix = NDArray[np.float64]
SIGNS = tuple(PRIOR)
_SIDES = np.array([0.0, *(-1.0 if name in SOOTHING else 1.0 for name in SIGNS)])
_WORSE = np.array([0.0, 1.0, 1.0, 1.0, 1.0])


class Judged(NamedTuple):
    """A judged call. strengths: of all signs, a row an utterance. whole: what the verdict goes by (verdict.py)."""

    queue: str
    right: bool
    strengths: Matrix
    whole: tuple[float, float, float, float]


def seen(queue: str, right: bool, said: Sequence[Spoken], attention: AttentionModel) -> Judged | None:
    """A judged call as the signs show it. None if the customer said nothing."""
    found = whole(said, attention.analyzer)
    if found is None:
        return None
    rows = np.array([[strengths[name] for name in SIGNS] for strengths in attention.courses(said)])
    return Judged(queue, right, rows, found)


def shipped() -> Fitted:
    """The weights that apply where nothing was learned."""
    weights = load()
    return Fitted(weights.intercept, {name: weights.signs[name] for name in SIGNS}, weights.verdict)


def fit_signs(calls: Sequence[Judged], before: Fitted, pull: float = SIGN_PULL) -> Fitted:
    """`before` with the intercept and weights of signs that fit these calls; pull: ONLY_THRESHOLD for the intercept."""
    shift, scale = _odds()
    start = np.array([shift + scale * before.intercept, *(scale * before.signs[name] for name in SIGNS)])
    pulls = np.array([INTERCEPT_PULL, *([pull] * len(SIGNS))])
    right = np.array([call.right for call in calls], float)
    found = start
    for _ in range(ROUNDS):
        rows = np.array([[1.0, *call.strengths[(call.strengths @ found[1:]).argmax()]] for call in calls])
        found = _logistic(rows, right, start, pulls, _SIDES)
    signs = {name: round(float(w / scale), 3) for name, w in zip(SIGNS, found[1:], strict=True)}
    return Fitted(round(float((found[0] - shift) / scale), 3), signs, before.verdict)


def fit_verdict(calls: Sequence[Judged], before: Fitted, pull: float = VERDICT_PULL) -> Fitted:
    """`before` with the verdict's intercept and weights that fit these calls; pull as for fit_signs."""
    verdict = before.verdict
    start = np.array([verdict.intercept, verdict.mean, verdict.last, verdict.answers, verdict.brevity])
    rows = np.array([[1.0, *call.whole] for call in calls])
    pulls = np.array([INTERCEPT_PULL, *(pull * rows[:, 1:].var(axis=0) + LEAST_PULL)])
    found = _logistic(rows, np.array([call.right for call in calls], float), start, pulls, _WORSE)
    return Fitted(before.intercept, before.signs, VerdictWeights(*(round(float(x), 3) for x in found)))


def live_odds(calls: Sequence[Judged], by: Fitted) -> Matrix:
    """Log odds that each call deserves a look, at the height of its attention."""
    shift, scale = _odds()
    weights = np.array([by.signs[name] for name in SIGNS])
    return np.array([shift + scale * (by.intercept + float((call.strengths @ weights).max())) for call in calls])


def ended_odds(calls: Sequence[Judged], by: Fitted) -> Matrix:
    """The same of the verdict."""
    verdict = by.verdict
    weights = np.array([verdict.mean, verdict.last, verdict.answers, verdict.brevity])
    odds: Matrix = verdict.intercept + np.array([call.whole for call in calls]) @ weights
    return odds


@lru_cache(maxsize=1)
def _odds() -> tuple[float, float]:
    """Shift and scale from evidence to log odds: the straight line nearest to the shipped curve (weights.py)."""
    knots = np.array([knot for knot in load().knots if 0.002 < knot[1] < 0.998])
    scale, shift = np.polyfit(knots[:, 0], np.log(knots[:, 1] / (1 - knots[:, 1])), 1)
    return float(shift), float(scale)


def _logistic(rows: Matrix, truth: Matrix, start: Matrix, pull: Matrix, sides: Matrix) -> Matrix:
    """Weights drawn to `start`, none against its side (0: any): Newton's steps, shortened until each is an advance."""

    def cost(weights: Matrix) -> float:
        odds = rows @ weights
        return float((np.logaddexp(0.0, odds) - truth * odds).sum() + (pull * (weights - start) ** 2).sum() / 2)

    found, least = start.copy(), cost(start)
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ found, -50, 50)))
        slope = rows.T @ (chance - truth) + pull * (found - start)
        bend = (rows * (chance * (1 - chance))[:, None]).T @ rows + np.diag(pull)
        step = np.linalg.solve(bend, slope)
        for share in 0.5 ** np.arange(HALVINGS):
            tried = found - share * step
            tried = np.where(tried * sides < 0, 0.0, tried)
            if (costs := cost(tried)) < least:
                found, least = tried, costs
                break
        else:
            break
    return found
