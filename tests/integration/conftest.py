"""What many tests of the store share: a scorer, loaded once; archives with calls in them; a command line."""

from __future__ import annotations

import copy

import pytest

from state.archive.opening import Archive
from state.archive.write import write
from tests.harness.calls.archived import ARCHIVED
from tests.harness.calls.reported import REPORTED
from tests.harness.servers import Server
from workers.sentiment.assessor import Assessor


@pytest.fixture(scope="session")
def loaded() -> Assessor:
    """One that has its phrases: loading them takes a second."""
    return Assessor()


@pytest.fixture
def assessor(loaded: Assessor) -> Assessor:
    """A scorer whose rules no other test has changed."""
    return copy.copy(loaded)


@pytest.fixture
def history(archive: Archive) -> Archive:
    """An archive with the calls of harness/calls/archived.py."""
    for call in ARCHIVED:
        assert write(archive, call, "test")
    return archive


@pytest.fixture
def reported(archive: Archive) -> Archive:
    """An archive with the calls of harness/calls/reported.py."""
    for call in REPORTED:
        assert write(archive, call, "test")
    return archive


@pytest.fixture
def command_line(valkey: Server, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the server and the database in the environment."""
    monkeypatch.setenv("REDIS_URL", valkey.url)
    monkeypatch.setenv("DATABASE_URL", database_url)
