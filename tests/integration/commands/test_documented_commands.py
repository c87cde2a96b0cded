"""Every block of commands in README and docs runs as printed.

The test replaces only the web process's address and the words in capitals, which a reader fills in. It leaves out the
commands that other tests run (ELSEWHERE), and the configuration of other programs, which is not marked `sh`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from state.people.access import Access
from state.settings import Settings
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, sign_in
from tests.harness.web import Web, web_process
from webapp.app import create_app

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = {"scripts/run": "tests/acceptance/test_killed_run.py", "scripts/test": "continuous integration"}
BLOCKS = [
    pytest.param(found[2], id=f"{path.name}-{number}")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for number, found in enumerate(BLOCK.finditer(path.read_text()))
    if found[1] == "sh"
]


def test_a_block_of_our_commands_is_marked_so_that_it_is_run() -> None:
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for found in BLOCK.finditer(path.read_text()):
            assert found[1] == "sh" or not re.search(r"^(scripts/|curl )", found[2], re.MULTILINE), (path, found[2])


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path_factory.mktemp("web") / "web.log", AUTH="on") as running:
        yield running


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_runs_as_printed(block: str, web: Web, store: redis.Redis, valkey: Server, tmp_path: Path) -> None:
    access = Access(store)
    name = "reader"
    if "sign-out" in block:
        access.users.add(name, "supervisor", PASSWORD)
        sign_in(create_app(Settings(redis_url=valkey.url)).test_client(), name)
    replaced = {
        "https://earshot.example": web.url,
        "http://127.0.0.1:8000": web.url,
        "=KEY\n": f"={access.api_keys.add('doc', ('ingest', 'read'))}\n",
        "NAME": name,
    }
    for audio in re.findall(r"@([a-z0-9]+\.[a-z]+)", block):
        (tmp_path / audio).write_bytes(bytes(8000))
        replaced[f"@{audio}"] = f"@{tmp_path / audio}"
    for word, value in replaced.items():
        block = block.replace(word, value)
    lines = [line for line in block.splitlines() if line.split(" ")[0] not in ELSEWHERE]
    curl = tmp_path / "programs" / "curl"
    curl.parent.mkdir()
    curl.write_text(f'#!/bin/sh\nexec {shutil.which("curl")} --fail-with-body --silent --show-error "$@"\n')
    curl.chmod(0o755)
    environ = {
        **os.environ,
        "PATH": f"{curl.parent}:{os.environ['PATH']}",
        "REDIS_URL": valkey.url,
        "KEY": access.api_keys.add("environment", ("ingest", "read")),
        "CALL": "documented",
    }
    command = ["bash", "-eu", "-c", "\n".join(lines)]
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended
