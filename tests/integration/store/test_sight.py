"""Decoders make costly partials only for calls that somebody looks at, and only while no track waits."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest
import redis

from state import keys
from state.calls.ingest import Chunk, Ingest
from state.calls.leases import Token
from state.calls.sight import ALL, SEEN_SECONDS, Sight, seen
from state.server.shards import Shard, shards_on
from state.settings import Settings
from tests.harness.protocol import Play
from workers.decoder import track
from workers.decoder.measured import Busy
from workers.decoder.names import Names
from workers.decoder.post import PARTIAL_SECONDS, Bench, Post
from workers.decoder.warm import WarmCache
from workers.engines.base import Model, Snapshot
from workers.engines.stub import StubModel, StubRecogniser

CHUNK = Chunk(bytes(8000), "mulaw", 8000)


class CostlyRecogniser(StubRecogniser):
    def snapshot(self, want_partial: bool) -> Snapshot:
        told = super().snapshot(want_partial)
        return told if want_partial else msgspec.structs.replace(told, partial="")


class CostlyModel(StubModel):
    partials_cost = True

    def recogniser(self, rate: int, snapshot: Snapshot | None, open_from: int = 0) -> CostlyRecogniser:
        return CostlyRecogniser(rate, open_from)


class Loop:
    """A decode loop at work on the one shard. A test drives it turn by turn."""

    def __init__(self, store: redis.Redis, model: Model) -> None:
        self.store = store
        self.shards = shards_on(store)
        settings = Settings()
        self.ingest = Ingest(self.shards, settings)
        names = Names(self.shards, model)
        bench = Bench(model, WarmCache(10**9), settings, self.ingest, lambda: False, lambda: None, names, Busy())
        self.post = Post(self.shards[0], "d", bench, resident=True)

    def partial(self, call_id: str) -> bytes:
        return cast(bytes, self.store.hget(keys.track(call_id, "customer"), "partial"))


def seen_now(shard: Shard) -> frozenset[str]:
    return seen(shard, shard.now_ms())


def test_a_look_counts_for_some_seconds_in_its_shard(store: redis.Redis) -> None:
    shards = shards_on(store, 4)
    Sight(shards).look(["a", "b", "c", "d"])
    assert frozenset().union(*map(seen_now, shards)) == {"a", "b", "c", "d"}
    assert all(shards.of(call_id) is shard for shard in shards for call_id in seen_now(shard))
    Sight(shards).look([ALL])
    assert all(ALL in seen_now(shard) for shard in shards)
    key = shards.of("a").keys.seen
    assert 0 < store.ttl(key) <= 10 * SEEN_SECONDS
    store.zadd(key, {"a": shards[0].now_ms() - 1})
    assert "a" not in seen_now(shards.of("a"))


def test_a_server_that_takes_nothing_harms_no_look(store: redis.Redis) -> None:
    store.set(keys.STORE.seen, "another kind of key")
    Sight(shards_on(store)).look(["a"])


def test_costly_partials_are_made_where_somebody_looks(store: redis.Redis) -> None:
    loop = Loop(store, CostlyModel())
    loop.post.look_after()
    Sight(loop.shards).look(["watched"])
    for call_id in ("watched", "alone"):
        for seq in (1, 2):
            loop.ingest.put(call_id, "customer", seq, CHUNK)
        assert loop.post.work(0)
    assert loop.partial("watched") != b""
    assert loop.partial("alone") == b""


def test_partials_that_cost_nothing_are_made_everywhere(store: redis.Redis) -> None:
    loop = Loop(store, StubModel())
    loop.post.look_after()
    loop.ingest.put("alone", "customer", 1, CHUNK)
    assert loop.post.work(0)
    assert loop.partial("alone") != b""


def test_no_partial_comes_before_a_track_that_waits(store: redis.Redis) -> None:
    loop = Loop(store, CostlyModel())
    Sight(loop.shards).look([ALL])
    assert loop.post._partial_seconds("c") == PARTIAL_SECONDS
    loop.post._fleet._held.append(Token("work|1-0", "d", "customer"))
    assert loop.post._partial_seconds("c") == track.NO_PARTIALS


@pytest.mark.parametrize(("percent", "seconds"), [(0, 2), (50, 4), (100, 20)])
def test_partials_grow_rare_with_the_load(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch, percent: int, seconds: float
) -> None:
    loop = Loop(store, CostlyModel())
    Sight(loop.shards).look(["c"])
    monkeypatch.setattr(Busy, "percent", lambda _: percent)
    assert loop.post._partial_seconds("c") == seconds


def test_of_tracks_that_wait_together_the_call_in_need_comes_first(store: redis.Redis) -> None:
    decoder = Play(store, heartbeat_seconds=60).decoder("d")
    store.zadd(keys.STORE.live, {"calm": 0.1, "raised": 0.9})
    for call_id, party in (("new", "customer"), ("calm", "customer"), ("raised", "agent"), ("raised", "customer")):
        store.xadd(keys.work("d"), {"c": call_id, "t": party})
    order = []
    while (token := decoder.next_token(0)) is not None:
        order.append((token.call_id, token.track))
    assert order == [("raised", "customer"), ("raised", "agent"), ("calm", "customer"), ("new", "customer")]
