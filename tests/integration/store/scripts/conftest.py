"""A server of every kind, and a sender, decoders and a scorer on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.harness.invariants import violations
from tests.harness.protocol import Play
from tests.harness.servers import KINDS, Server, start_server


@pytest.fixture(scope="package", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(request.param, dir=tmp_path_factory.mktemp(request.param))
    yield server
    server.kill()


@pytest.fixture
def client(server: Server) -> Iterator[redis.Redis]:
    with server.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def play(client: redis.Redis) -> Iterator[Play]:
    """The sender, decoders and scorer; afterwards the store must be sound, whatever the test did."""
    play = Play(client, heartbeat_seconds=60, backlog_limit_seconds=1000)
    yield play
    assert violations(client) == []
