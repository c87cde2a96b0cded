"""Fits workers/insight/weights.json: the weights of the signs of a call's course, and the meaning of their sum.

It is a logistic regression on the turns of the dialogues written for training. A turn needs a supervisor if the
customer is dissatisfied there and the call ended badly. A trained model that has not seen a dialogue's file judges the
dialogue's words. Weights are drawn to evidence.PRIOR and keep their sign. Then the highest evidence of each call is
calibrated. A second, small regression gives the verdict on whole calls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.evaluation.figures import BAD_BELOW, GOOD_FROM
from scripts.evaluation.pace import spoken
from scripts.evaluation.stats import auc, shown
from workers.insight.attention import AttentionModel
from workers.insight.evidence import PRIOR, SOOTHING
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.polarity.learned import Learned
from workers.insight.verdict import whole
from workers.insight.weights import BASE_SHARE, VerdictWeights, Weights
from workers.insight.words.spoken import Spoken

PULL = 1.0
"""Strength of the pull to the prior, against TOTAL calls. With more of it, fewer unseen calls are found."""
TOTAL = 1000.0
VERDICT_PULL = 10.0
STEPS = 800

Matrix = NDArray[np.float64]
NAMES = tuple(PRIOR)


class Rated(NamedTuple):
    """A dialogue for training: its file, its overall rating, its utterances, and the customer's ratings by place."""

    file: str
    rating: float
    said: list[Spoken]
    ratings: dict[int, float]


class Seen(NamedTuple):
    """A dialogue as the signs show it: their strengths at each of the customer's turns, which turns are low, and the
    verdict's inputs."""

    rated: Rated
    strengths: Matrix
    low: NDArray[np.bool_]
    whole: tuple[float, ...]


def load(folder: Path) -> list[Rated]:
    """All dialogues of `folder`. They are well-formed: somebody has read them once already."""
    out: list[Rated] = []
    for path in sorted(folder.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("# ")[1:]:
            title, *lines = [line.strip() for line in block.strip().splitlines() if line.strip()]
            cut = [line.partition(" ") for line in lines]
            said = spoken((who != "a", text) for who, _, text in cut)
            ratings = {at: float(who[1]) for at, (who, _, _) in enumerate(cut) if who != "a"}
            out.append(Rated(path.name, float(title.split()[-1]), said, ratings))
    return out


def see(dialogues: Sequence[Rated], model: Learned) -> list[Seen]:
    """Send the dialogues through an analyzer with this trained model."""
    analyzer = CallAnalyzer(model)
    attention = AttentionModel(analyzer, weights=_none())
    out: list[Seen] = []
    for rated in dialogues:
        found = attention.courses(rated.said)
        turns = sorted(rated.ratings)
        strengths = np.array([[found[at][name] for name in NAMES] for at in turns])
        low = np.array([rated.ratings[at] < BAD_BELOW for at in turns])
        out.append(Seen(rated, strengths, low, whole(rated.said, analyzer) or (0.0,) * 4))
    return out


def fit(seen: Sequence[Seen], digest: str) -> Weights:
    """Weights from all dialogues, calibrated on what weights from the other files say of each file."""
    intercept, signs = _signs(seen)
    peaks = np.zeros(len(seen))
    verdicts = np.zeros(len(seen))
    bad = np.array([one.rated.rating < BAD_BELOW for one in seen])
    files = np.array([one.rated.file for one in seen])
    for file in sorted(set(files)):
        others = [one for one, name in zip(seen, files, strict=True) if name != file]
        b, w = _signs(others)
        v = _verdict(others)
        for at in map(int, np.flatnonzero(files == file)):
            peaks[at] = float((seen[at].strengths @ w + b).max())
            by = (v.mean, v.last, v.answers, v.brevity)
            verdicts[at] = v.intercept + sum(x * y for x, y in zip(by, seen[at].whole, strict=True))
    good = np.sort(peaks[[one.rated.rating >= GOOD_FROM for one in seen]])
    for share in (0.01, 0.02, 0.04):
        bar = good[-max(1, round(share * len(good)))]
        print(
            f"unseen files: evidence {bar:.2f} raises {share:.0%} of good calls, {(peaks[bad] > bar).mean():.0%} of bad"
        )
    print(
        f"unseen files: AUC of the evidence's peak {shown(auc(list(peaks[bad]), list(peaks[~bad])))},"
        f" of the verdict {shown(auc(list(verdicts[bad]), list(verdicts[~bad])))}"
    )
    told = {name: round(float(w), 3) for name, w in zip(NAMES, signs, strict=True)}
    return Weights(digest, round(float(intercept), 3), told, _knots(peaks, bad), _verdict(seen))


def _shares(seen: Sequence[Seen]) -> Matrix:
    """Weight of each dialogue, so that BASE_SHARE of them are bad."""
    bad = np.array([one.rated.rating < BAD_BELOW for one in seen])
    return np.where(bad, BASE_SHARE / bad.sum(), (1 - BASE_SHARE) / (~bad).sum()) * TOTAL


def _signs(seen: Sequence[Seen]) -> tuple[float, Matrix]:
    rows = np.concatenate([one.strengths for one in seen])
    needed = np.concatenate([one.low & (one.rated.rating < BAD_BELOW) for one in seen]).astype(float)
    weight = np.concatenate(
        [np.full(len(one.low), share / len(one.low)) for one, share in zip(seen, _shares(seen), strict=True)]
    )
    prior = np.array([PRIOR[name] for name in NAMES])
    sign = np.array([-1.0 if name in SOOTHING else 1.0 for name in NAMES])
    return _logistic(rows, needed, weight, prior, PULL, sign)


def _verdict(seen: Sequence[Seen]) -> VerdictWeights:
    rows = np.array([one.whole for one in seen])
    middle, spread = rows.mean(axis=0), rows.std(axis=0)
    bad = np.array([one.rated.rating < BAD_BELOW for one in seen]).astype(float)
    scaled = (rows - middle) / spread
    b, w = _logistic(scaled, bad, _shares(seen), np.zeros(4), VERDICT_PULL, np.ones(4))
    w = w / spread
    return VerdictWeights(round(float(b - middle @ w), 3), *(round(float(x), 3) for x in w))


def _logistic(
    rows: Matrix, truth: Matrix, weight: Matrix, prior: Matrix, pull: float, sign: Matrix
) -> tuple[float, Matrix]:
    """Intercept and weights of a logistic regression. They are drawn to `prior`, and none goes against its `sign`.
    Method: accelerated projected gradient."""
    norm = float(np.linalg.norm(np.c_[rows, np.ones(len(rows))] * np.sqrt(weight)[:, None], 2))
    step = 1 / (0.25 * norm**2 + pull)
    w, b = prior.copy(), 0.0
    ahead, ahead_b, pace = w.copy(), b, 1.0
    for _ in range(STEPS):
        error = weight * (1 / (1 + np.exp(-(rows @ ahead + ahead_b))) - truth)
        new = ahead - step * (rows.T @ error + pull * (ahead - prior))
        new = np.where(sign * new < 0, 0.0, new)
        new_b = ahead_b - step * float(error.sum())
        faster = (1 + math.sqrt(1 + 4 * pace * pace)) / 2
        ahead = new + (pace - 1) / faster * (new - w)
        ahead_b = new_b + (pace - 1) / faster * (new_b - b)
        w, b, pace = new, new_b, faster
    return b, w


def _knots(peaks: Matrix, bad: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Isotonic regression (pool adjacent violators) of bad on peaks, at BASE_SHARE, as the points of a rising line."""
    order = np.argsort(peaks)
    share = np.where(bad, BASE_SHARE / bad.sum(), (1 - BASE_SHARE) / (~bad).sum())
    pools: list[list[float]] = []  # weight, weight of bad, sum of weight * peak
    for at in order:
        pools.append([share[at], share[at] * bad[at], share[at] * peaks[at]])
        while len(pools) > 1 and pools[-2][1] / pools[-2][0] >= pools[-1][1] / pools[-1][0]:
            last = pools.pop()
            pools[-1] = [x + y for x, y in zip(pools[-1], last, strict=True)]
    return [(round(float(p[2] / p[0]), 3), round(float(p[1] / p[0]), 4)) for p in pools]


def _none() -> Weights:
    """Weights of zero, for where only strengths are wanted."""
    return Weights("", 0.0, dict.fromkeys(NAMES, 0.0), [(0.0, 0.0)], VerdictWeights(0.0, 0.0, 0.0, 0.0, 0.0))
