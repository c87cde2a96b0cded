"""Decoders tell how busy they are, and scripts/autoscale says how many there should be."""

from __future__ import annotations

import json

import pytest
import redis

from scripts.operating.autoscale import main
from state.calls.fleet import FleetMember
from state.calls.health import Health
from state.server.shards import shards_of
from state.settings import Settings
from tests.harness.servers import Server


def member(store: redis.Redis, name: str) -> FleetMember:
    found = FleetMember(shards_of(store)[0], name, Settings())
    found.join()
    return found


def test_the_number_follows_what_decoders_tell(
    valkey: Server, store: redis.Redis, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", valkey.url)
    loops = [member(store, f"loop-{n}") for n in range(4)]
    assert Health(store).fleet().busy is None, "no loop has told yet"
    assert main([]) == 0 and capsys.readouterr().out == "2\n", (
        "four loops are two decoders, and without a figure nothing changes"
    )
    for loop, percent in zip(loops, (90, 90, 80, 100), strict=True):
        loop.beat(percent)
    assert Health(store).fleet().busy == pytest.approx(0.9)
    assert main([]) == 0 and capsys.readouterr().out == "3\n"
    store.hset(shards_of(store)[0].keys.load, "audio_ms", 75_000)
    assert main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"wanted": 4, "running": 2.0, "busy": 0.9, "backlog_seconds": 75.0}


def test_a_full_server_hears_the_heart_though_not_how_busy_it_is(store: redis.Redis) -> None:
    loop = member(store, "loop")
    loop.beat(10)
    store.config_set("maxmemory", 1)
    try:
        loop.beat(20)
        assert Health(store).fleet().busy == 0.1 and Health(store).fleet().decoders == 1
    finally:
        store.config_set("maxmemory", 0)
    loop.beat(20)
    assert Health(store).fleet().busy == 0.2
    store.set(shards_of(store)[0].keys.heartbeat("loop"), "odd%")
    assert Health(store).fleet().busy is None


def test_without_a_store_it_says_so_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert main([]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("autoscale: ") and said.err.count("\n") == 1
