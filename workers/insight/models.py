"""An attention model: weights and norms, for everywhere and by queue (state/attention_models.py keeps versions)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Literal

import msgspec

from state.attention_models import ModelVersion
from workers.insight import weights
from workers.insight.norms import ANYWHERE, Norms
from workers.insight.weights import VerdictWeights, Weights

Taken = Literal["", "threshold", "weights"]


class Fitted(msgspec.Struct, frozen=True):
    """Weights that were learned from judgements: of the signs (evidence.PRIOR), and of the verdict."""

    intercept: float
    signs: dict[str, float]
    verdict: VerdictWeights


class Gain(msgspec.Struct, frozen=True):
    """How well calls are judged that the weights had not seen, before and after learning.

    loss: mean log loss, lower is better. auc: chance that a call that was right stands above one that was not needed.
    taken: what is better, and applies: the threshold alone (the intercept: how much evidence is enough), the weights,
    too, or nothing ("").
    """

    loss_before: float
    loss_after: float
    auc_before: float
    auc_after: float
    taken: Taken


class Lesson(msgspec.Struct, frozen=True):
    """Lessons from the judged calls of a queue (None: of all); right: the number of them that deserved a look.

    live: of the attention while a call goes on. ended: of the verdict. None where there are too few calls.
    """

    queue: str | None
    calls: int
    right: int
    live: Gain | None = None
    ended: Gain | None = None


class Model(msgspec.Struct, frozen=True):
    """base: digest of the shipped weights that `fitted` and `queues` were drawn to; with others they do not apply.

    fitted: of every queue that has none of its own in `queues`.
    """

    base: str = ""
    fitted: Fitted | None = None
    queues: dict[str, Fitted] = {}
    norms: dict[str, Norms] = {}

    def weights(self, queue: str) -> Weights:
        """The weights for a call of this queue."""
        shipped = weights.load()
        found = self.queues.get(queue, self.fitted) if self.base == base() else None
        return shipped if found is None else fit_in(shipped, found)

    def norms_of(self, queue: str) -> Norms:
        """What is normal for this queue."""
        return self.norms.get(queue, ANYWHERE)


SHIPPED = Model()
"""Version 0."""

decode = msgspec.json.Decoder(Model).decode
decode_lessons = msgspec.json.Decoder(list[Lesson]).decode
encode = msgspec.json.Encoder().encode


def of(version: ModelVersion | None) -> Model:
    """The model of a stored version; None is the shipped one. Raises msgspec.DecodeError."""
    return SHIPPED if version is None else decode(version.content)


@lru_cache(maxsize=1)
def base() -> str:
    """Names the shipped weights."""
    return hashlib.blake2b(weights.FILE.read_bytes(), digest_size=8).hexdigest()


def fit_in(shipped: Weights, fitted: Fitted) -> Weights:
    """Shipped weights with learned ones in their place."""
    return msgspec.structs.replace(
        shipped, intercept=fitted.intercept, signs=shipped.signs | fitted.signs, verdict=fitted.verdict
    )
