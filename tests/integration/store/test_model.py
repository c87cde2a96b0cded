"""The model of the protocol is sound, and the check finds each fault that is built into it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from state.model.check import FAULTS, MODEL, SPARE, check
from state.server.scripts import SCRIPTS


def test_no_disaster_at_any_moment_breaks_an_invariant() -> None:
    found = check(disasters=1)
    assert (found["wrong"], found["complete"]) == (None, True)
    assert found["states"] > 1_000_000


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - SPARE))
def test_every_seeded_fault_is_found(fault: str, tmp_path: Path) -> None:
    trail = tmp_path / "trail"
    assert check(disasters=2, fault=fault, whole=False, trail=trail)["wrong"]
    assert "decoder" in trail.read_text(), "the trail tells how it came about"


def test_the_model_says_which_scripts_are_in_it() -> None:
    inlines = set(re.findall(r"^inline (\w+)\(", MODEL.read_text(), re.MULTILINE))
    assert inlines & SCRIPTS.keys() == {"ingest", "end", "open", "commit", "release", "move", "bury", "register"}
