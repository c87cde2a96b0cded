"""Fixtures for tests of what Earshot keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.archive.opening import Archive
from state.recording.sounds import Sounds


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Archive]:
    """An empty archive in SQLite, for tests in which the kind of database makes no difference."""
    opened = Archive(f"sqlite:///{tmp_path / 'archive.db'}")
    yield opened
    opened.close()


@pytest.fixture
def sounds(tmp_path: Path) -> Sounds:
    """A store of recordings in a folder."""
    return Sounds(str(tmp_path / "recordings"))
