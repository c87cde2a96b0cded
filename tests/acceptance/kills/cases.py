"""Which engine meets which disaster where: the dearest pairs only with --soak."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.calls.engines import ENGINES
from tests.harness.places import PLACES

NAME = "Dryver"
"""Said in every queue, as the calls' admins say: it takes the place of "driver"."""

ON_A_CLUSTER = "sherpa"
"""The quickest engine. What a cluster does to a lease does not depend on the engine; the others there with --soak, as
are the crashes that are not at a commit: decoding knows nothing of the store."""


def quick_or_soak(quick: list[str]) -> list[Any]:
    """Every place with every engine. On one server, those not in `quick` only with --soak."""
    pairs = [(place, engine) for place in PLACES for engine in ENGINES]
    return [
        pytest.param(
            place,
            engine,
            id=f"{place}-{engine.name}",
            marks=[] if engine.name in (quick if place == PLACES[0] else [ON_A_CLUSTER]) else [pytest.mark.soak],
        )
        for place, engine in pairs
    ]
