"""The weight of each sign of a call's course, and the worth of a sum of them: fitted by scripts/train (weights.json).

A call's evidence is a sum of log odds: the intercept, and for each sign (evidence.py) its weight times its strength.
`Weights.probability` turns the highest such sum so far into the share of calls with that much evidence that deserved a
look, among calls of which BASE_SHARE do (isotonic regression on dialogues the weights have not seen).
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("weights.json")

LIKELIEST = 0.999
"""Highest chance that any evidence gives."""
BASE_SHARE = 0.1
"""Share of calls that deserve a look for which attention is calibrated. It cannot be known before a queue's own calls
have been judged; with fewer such calls attention shows too much, with more too little."""


class VerdictWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights for a whole call (verdict.py)."""

    intercept: float
    mean: float
    last: float
    answers: float
    brevity: float


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """weights.json. dialogues: digest of what it was trained on. knots: (evidence, probability), rising."""

    dialogues: str
    intercept: float
    signs: dict[str, float]
    knots: list[tuple[float, float]]
    verdict: VerdictWeights

    def probability(self, evidence: float) -> float:
        """Straight between the knots, level beyond them."""
        before = self.knots[0]
        for knot in self.knots:
            if evidence < knot[0]:
                if knot is before:
                    return knot[1]
                share = (evidence - before[0]) / (knot[0] - before[0])
                return before[1] + share * (knot[1] - before[1])
            before = knot
        return before[1]


@lru_cache(maxsize=1)
def load() -> Weights:
    """The fitted weights, once a process. The file ships with the package: an error in it is ours."""
    return msgspec.json.decode(FILE.read_bytes(), type=Weights)


def odds(probability: float) -> float:
    """A probability as log odds; certainty as LIKELIEST."""
    sure = max(1 - LIKELIEST, min(LIKELIEST, probability))
    return math.log(sure / (1 - sure))


def chance(log_odds: float) -> float:
    """Log odds as a probability."""
    return 1 / (1 + math.exp(-log_odds))
