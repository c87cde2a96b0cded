"""What many tests of the store share: a scorer, loaded once."""

from __future__ import annotations

import copy

import pytest

from workers.sentiment.assessor import Assessor


@pytest.fixture(scope="session")
def loaded() -> Assessor:
    """One that has its phrases: loading them takes a second."""
    return Assessor()


@pytest.fixture
def assessor(loaded: Assessor) -> Assessor:
    """A scorer whose rules no other test has changed."""
    return copy.copy(loaded)
