"""What the tests of killed decoders share: an engine in a place, a fleet there, and a call in its language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from state.calls.ingest import Chunk
from state.queues import OTHERS
from state.vocabularies import Vocabularies
from tests.acceptance.kills.cases import NAME
from tests.harness.calls.engines import Engine
from tests.harness.fleet import Fleet
from tests.harness.places import Place, store_in

BRIEF_CHUNKS = 8
"""Chunks of each track, a second each."""


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Engine:
    chosen: Engine = request.param
    return chosen


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A store for each engine, so that none meets the calls of another."""
    with store_in(request.param, tmp_path_factory.mktemp("store")) as place:
        yield place


@pytest.fixture(scope="module")
def fleet(engine: Engine, place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    fleet = Fleet(place, tmp_path_factory.mktemp("fleet"), **engine.environ)
    Vocabularies(fleet.redis).say(OTHERS, [NAME])
    yield fleet
    fleet.kill_all()


@pytest.fixture(scope="module")
def call(engine: Engine) -> dict[str, list[Chunk]]:
    return engine.call()


@pytest.fixture(scope="module")
def brief(call: dict[str, list[Chunk]]) -> dict[str, list[Chunk]]:
    """The call's beginning: long enough to die at two of its chunks."""
    return {track: chunks[:BRIEF_CHUNKS] for track, chunks in call.items()}
