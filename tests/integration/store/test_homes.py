"""Where a decode loop is at home, when a shard does not answer."""

from __future__ import annotations

import pytest
import redis

from state.server.shards import shards_on
from state.settings import Settings
from workers.decoder.loop import DecodeLoop
from workers.engines.stub import StubModel


def test_a_home_that_is_away_does_not_end_the_loop(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = shards_on(store, 4)
    loop = DecodeLoop(shards, StubModel(), "worker", Settings(), lambda: False)
    for number in (3, 1):
        loop._post(number, resident=True)
    monkeypatch.setattr(shards, "answers", lambda _ask: {0: 1, 1: 3, 2: 1})  # shard 3 is away, shard 1 is crowded
    for _ in range(200):
        loop._next_look = 0.0
        loop._find_homes()
        if 1 not in loop._posts:
            break
    assert set(loop._posts) == {3}
