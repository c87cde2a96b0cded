"""The store has the protocol's version. A process of another version says so and touches nothing.

tests/acceptance/test_upgrade.py shows how releases with the same protocol work side by side.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis

from scripts.machine.programs import free_port
from state import keys
from state.server.layout import PROTOCOL, Layout
from state.server.opening import open_shards
from state.settings import EXIT_CONFIG, Settings
from tests.harness.deploy import TYPES
from tests.harness.protocol import contents
from tests.harness.servers import Server, start_server

ROOT = Path(__file__).resolve().parents[2]
SAID = f"the store holds calls in protocol {PROTOCOL + 1} and this process speaks {PROTOCOL}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = start_server("valkey9", dir=tmp_path / "server")
    yield server
    server.kill()


@pytest.mark.parametrize("process", TYPES)
def test_a_process_of_another_version_says_so_and_touches_nothing(process: str, server: Server, tmp_path: Path) -> None:
    client = server.client()
    client.set(keys.LAYOUT, msgspec.json.encode(Layout(PROTOCOL + 1, 1)))
    client.xadd(keys.WORK, {"c": "call", "t": "customer"})
    before = contents(client)
    environ = {
        "REDIS_URL": server.url, "EARSHOT_ENGINE": "stub", "DECODER_LOOPS": "1", "AUTH": "off", "PORT": "1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'archive.db'}", "SOUND_DAYS": "*=1", "RECORDINGS": str(tmp_path),
        "AUDIOSOCKET_PORT": str(free_port()), "STREAMS_PORT": str(free_port()),
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, *TYPES[process]],
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


def test_an_emptied_store_begins_again(server: Server) -> None:
    client: redis.Redis = server.client()
    assert len(open_shards(Settings(redis_url=server.url, shards=2), "web")) == 2
    client.flushall()
    assert len(open_shards(Settings(redis_url=server.url), "web")) == 1
