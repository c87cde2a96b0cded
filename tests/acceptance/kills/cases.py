"""Which engine meets which disaster where. The most expensive pairs run only with --soak."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.calls.engines import ENGINES
from tests.harness.places import PLACES

NAME = "Dryver"
"""Admins list this name for every queue, so it takes the place of "driver"."""

ON_A_CLUSTER = "sherpa"
"""The quickest engine. What a cluster does to a lease does not depend on the engine, so the others run there only with
--soak. So do crashes away from a commit: decoding knows nothing of the store."""


def quick_or_soak(quick: list[str]) -> list[Any]:
    """Every place with every engine. On one server, engines that are not in `quick` run only with --soak."""
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
