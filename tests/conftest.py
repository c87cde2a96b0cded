"""Fixtures for every test: real servers and databases, and clean clients to them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis

from state.archive.opening import Archive
from tests.harness.cluster import Cluster
from tests.harness.postgres import Postgres
from tests.harness.servers import Server, start_server

TESTS = Path(__file__).parent

# On a busy machine any example may be slow once. No test asserts a time.
hypothesis.settings.register_profile("any-machine", deadline=None)
hypothesis.settings.load_profile("any-machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="also run the tests that check more cases for hours")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mix the files, and skip tests marked soak unless --soak asks for them. The summary names them."""
    items[:] = mixed(items)
    if config.getoption("--soak"):
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="takes hours: only with --soak"))


ENDS_AT = {"acceptance": 0.8, "integration": 0.9, "unit": 1.0}
"""Where the last file of a kind stands, as a part of the whole. A long file at the very end would run alone."""


def mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    """Spread the files of each kind evenly between those of the others.

    Acceptance tests mostly wait for heartbeats and browsers, and the others mostly compute. Side by side they fill the
    cores. With four browsers at once, tests of a promised time would fail.
    """
    kinds: dict[str, dict[Path, list[pytest.Item]]] = {}
    for item in items:
        kind = item.path.relative_to(TESTS).parts[0]
        kinds.setdefault(kind, {}).setdefault(item.path, []).append(item)
    places = []
    for kind, files in kinds.items():
        slow_first = sorted(files, key=lambda path: path.parent.name == "page")  # fleets before pages
        places += [(place / len(files) * ENDS_AT[kind], files[path]) for place, path in enumerate(slow_first)]
    return [item for _, tests in sorted(places, key=lambda one: one[0]) for item in tests]


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One Valkey server for the whole session. A test that stops it or sets its options starts its own."""
    server = start_server("valkey9", dir=tmp_path_factory.mktemp("valkey"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for the whole session: three masters, three replicas. A test that breaks it starts its own."""
    with Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def store(valkey: Server) -> Iterator[redis.Redis]:
    """A client to the session's server, emptied."""
    with valkey.client() as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole session. Each test that asks gets its own database."""
    cluster = Postgres()
    yield cluster
    cluster.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database. A test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'archive.db'}"
    cluster: Postgres = request.getfixturevalue("postgres")
    return cluster.new_database(f"t{uuid.uuid4().hex}")


@pytest.fixture
def archive(database_url: str) -> Iterator[Archive]:
    """An empty archive. A test that asks for it runs on both databases."""
    opened = Archive(database_url)
    yield opened
    opened.close()
