"""Procfile and app.json name what there is."""

from __future__ import annotations

import importlib.util
import json
import shlex
from pathlib import Path

import pytest

from state.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_started_by_a_module_that_exists(name: str) -> None:
    words = shlex.split(PROCESSES[name])
    if words[0] == "gunicorn":
        assert (ROOT / words[words.index("-c") + 1]).is_file()
        module = words[-1].partition(":")[0]
    else:
        assert words[:2] == ["python", "-m"]
        module = words[2]
    assert importlib.util.find_spec(module) is not None


def test_heroku_starts_every_process_that_its_router_can_reach_or_that_needs_none() -> None:
    app = json.loads((ROOT / "app.json").read_text())
    assert set(app["formation"]) == set(PROCESSES) - {"audiosocket"}
    assert {name.lower() for name in app["env"]} <= set(Settings.__struct_fields__)
