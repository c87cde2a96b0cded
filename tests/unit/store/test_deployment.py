"""Procfile, app.json and the table of limits name things that exist."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from state.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
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
    """On Heroku, telephony's websockets come to web."""
    app = json.loads((ROOT / "app.json").read_text())
    assert set(app["formation"]) == set(PROCESSES) - {"audiosocket", "streams"} and "STREAMS_PORT" not in app["env"]
    assert {name.lower() for name in app["env"]} <= {field.name for field in fields(Settings)}


def test_heroku_opens_no_more_connections_than_its_plans_have() -> None:
    """The table in docs/OPERATING.md has the counts. Heroku gives a standard-2x four web workers. Its plan premium-0
    has 40 connections, essential-0 has 20."""
    app = json.loads((ROOT / "app.json").read_text())
    assert app["addons"] == ["heroku-redis:premium-0", "heroku-postgresql:essential-0"]
    a_web_worker = int(app["env"]["REDIS_CONNECTIONS"]["value"])
    a_process = int(app["env"]["DATABASE_CONNECTIONS"]["value"])
    decoder, sentiment, jobs, webhooks, at_start = 3, 1, 5, 1, 1
    assert 4 * a_web_worker + decoder + sentiment + jobs + webhooks + at_start <= 40
    assert 4 * a_process + 2 + a_process + 1 <= 20, "the connections of web, jobs, webhooks and recorder"


def test_heroku_builds_the_pages_script_files_which_git_does_not_hold_before_it_starts_python() -> None:
    app = json.loads((ROOT / "app.json").read_text())
    assert [pack["url"] for pack in app["buildpacks"]] == ["heroku/nodejs", "heroku/python"]
    build = json.loads((ROOT / "package.json").read_text())["scripts"]["build"]
    vendor = json.loads((ROOT / "webapp/package.json").read_text())["scripts"]["vendor"]
    assert "--prefix webapp vendor" in build and "static/vendor/" in vendor
    assert "webapp/static/vendor/" in (ROOT / ".gitignore").read_text().split()


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_what_is_installed_is_locked_with_hashes(name: str) -> None:
    """After a change of an .in file without scripts/lock, set-up would install something else than it says."""
    wanted = re.findall(r"(?m)^([A-Za-z0-9_.-]+==[^\s#]+)", (ROOT / f"{name}.in").read_text())
    locked = (ROOT / f"{name}.txt").read_text()
    assert len(wanted) > 10
    for pinned in wanted:
        assert f"\n{pinned.lower()} \\\n    --hash=sha256:" in locked, pinned
    assert "://" not in locked, "the list names no registry: every machine uses its own"


def test_what_runs_is_what_was_tested() -> None:
    """Both lists go into one environment. If their versions differed, each set-up would change them again."""

    def versions(name: str) -> dict[str, str]:
        return dict(re.findall(r"(?m)^([A-Za-z0-9_.-]+)==(\S+)", (ROOT / name).read_text()))

    running, tested = versions("requirements.txt"), versions("requirements-dev.txt")
    assert {name: tested.get(name) for name in running} == running


def test_each_limit_names_a_test_that_is_there() -> None:
    table = (ROOT / "docs/OPERATING.md").read_text().partition("\n## Limits by plan\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(test_\w+)`", table))
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 10
    assert named <= set(re.findall(r"^def (test_\w+)", tests, re.MULTILINE))
