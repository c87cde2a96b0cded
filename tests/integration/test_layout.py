"""The protocol's version stands in the store: a process of another version says so and touches nothing; one of the same
version works beside this one, though it is of an earlier commit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis

from state import keys
from state.server.layout import PROTOCOL, Layout
from state.server.opening import open_shards
from state.settings import EXIT_CONFIG, Settings
from tests.harness.fleet import Fleet, demo_chunks
from tests.harness.invariants import violations
from tests.harness.protocol import contents
from tests.harness.servers import Server, start_server

ROOT = Path(__file__).resolve().parents[2]
SAID = f"the store holds calls in protocol {PROTOCOL + 1} and this process speaks {PROTOCOL}"
PROGRAMS = {
    "decoder": ["-m", "workers.decoder"],
    "sentiment": ["-m", "workers.sentiment"],
    "jobs": ["-m", "workers.jobs"],
    "web": ["-m", "gunicorn", "-c", "webapp/gunicorn_conf.py", "webapp.app:create_app()"],
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = start_server("valkey9", dir=tmp_path / "server")
    yield server
    server.kill()


@pytest.mark.parametrize("process", PROGRAMS)
def test_a_process_of_another_version_says_so_and_touches_nothing(process: str, server: Server) -> None:
    client = server.client()
    client.set(keys.LAYOUT, msgspec.json.encode(Layout(PROTOCOL + 1, 1)))
    client.xadd(keys.WORK, {"c": "call", "t": "customer"})
    before = contents(client)
    environ = {"REDIS_URL": server.url, "EARSHOT_ENGINE": "stub", "DECODER_LOOPS": "1", "AUTH": "off", "PORT": "1"}
    ended = subprocess.run(
        [sys.executable, *PROGRAMS[process]],
        cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == EXIT_CONFIG, ended.stderr
    [line] = [line for line in ended.stderr.splitlines() if SAID in line]
    assert line.startswith(f"earshot {process}: ")
    assert contents(client) == before


def test_the_first_process_writes_down_how_many_shards_there_are(server: Server) -> None:
    assert len(open_shards(Settings(redis_url=server.url, shards=4), "web")) == 4
    assert len(open_shards(Settings(redis_url=server.url), "web")) == 4
    assert msgspec.json.decode(server.client().get(keys.LAYOUT) or b"") == {"protocol": PROTOCOL, "shards": 4}


def test_a_layout_that_cannot_be_read_is_not_overwritten(server: Server) -> None:
    server.client().set(keys.LAYOUT, b"{}")
    with pytest.raises(RuntimeError, match="cannot be read"):
        len(open_shards(Settings(redis_url=server.url), "web"))
    assert server.client().get(keys.LAYOUT) == b"{}"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The earliest commit that speaks our protocol, checked out beside this one."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    file, found = "state/server/layout.py", ""
    for commit in git("log", "--format=%H", "-n", "20", "--skip=1").splitlines():
        told = subprocess.run(
            ["git", "show", f"{commit}:{file}"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if f"\nPROTOCOL = {PROTOCOL}\n" not in told.stdout:
            break
        found = commit
    assert found, f"the commit before this one speaks another protocol than {PROTOCOL}, or the history is not here"
    folder = tmp_path_factory.mktemp("earlier") / "tree"
    git("worktree", "add", "--detach", str(folder), found)
    yield folder
    git("worktree", "remove", "--force", str(folder))


def test_workers_of_an_earlier_commit_work_beside_these(earlier: Path, server: Server, tmp_path: Path) -> None:
    fleet = Fleet(server, tmp_path, EARSHOT_ENGINE="stub")
    try:
        for folder in (earlier, ROOT):
            fleet.start("decoder", folder=folder, DECODER_LOOPS="1")
            fleet.start("sentiment", folder=folder)
        fleet.wait(lambda: fleet.reads.fleet().decoders == 2, why="both decode")
        chunks = demo_chunks("late-parcel", "customer", 20)
        call_ids = [f"call-{n}" for n in range(10)]
        for call_id in call_ids:
            fleet.feed(call_id, {"customer": chunks})
        fleet.wait_ended(call_ids)
        assert len({tuple(fleet.transcript(call_id).values()) for call_id in call_ids}) == 1
        assert fleet.stop() == [0] * 4
        fleet.assert_at_rest()
        assert violations(fleet.redis) == []
    finally:
        fleet.kill_all()


def test_who_empties_the_store_begins_it_anew(server: Server) -> None:
    client: redis.Redis = server.client()
    assert len(open_shards(Settings(redis_url=server.url, shards=2), "web")) == 2
    client.flushall()
    assert len(open_shards(Settings(redis_url=server.url), "web")) == 1
