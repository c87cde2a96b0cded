"""What many tests share: a scorer, loaded once; archives with calls; a command's environment."""

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
    """A scorer with its phrases, which take a second to load."""
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
    """The environment in which commands find the server and the database."""
    monkeypatch.setenv("REDIS_URL", valkey.url)
    monkeypatch.setenv("DATABASE_URL", database_url)
