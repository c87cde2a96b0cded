"""Fixtures every test may use: a real server, and a clean client to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.servers import Server, start_server


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One Valkey server for the whole session. A test that stops it or sets its options starts its own."""
    server = start_server("valkey9", dir=tmp_path_factory.mktemp("valkey"))
    yield server
    server.kill()


@pytest.fixture
def store(valkey: Server) -> Iterator[redis.Redis]:
    """A client to the session's server, emptied."""
    with valkey.client() as client:
        client.flushall()
        yield client
