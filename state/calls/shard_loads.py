"""What waits in each part of the store, for operators."""

from __future__ import annotations

from typing import cast

import msgspec

from state.server.shards import Shard, Shards


class ShardLoad(msgspec.Struct, frozen=True):
    """One shard. up: its server answers; otherwise the rest is not known. backlog: audio that is not decoded yet."""

    number: int
    up: bool
    calls_live: int = 0
    backlog_seconds: float = 0.0
    tokens_waiting: int = 0
    finals_waiting: int = 0


def shard_loads(shards: Shards) -> list[ShardLoad]:
    """All shards, by number. Raises redis.RedisError if none answers."""
    found = shards.answers(_load)
    return [found.get(shard.number, ShardLoad(shard.number, False)) for shard in shards]


def _load(shard: Shard) -> ShardLoad:
    keys = shard.keys
    workers = [name.decode() for name in cast(set[bytes], shard.redis.smembers(keys.workers))]
    pipe = shard.redis.pipeline(transaction=False)
    pipe.zcard(keys.live)
    pipe.hget(keys.load, "audio_ms")
    pipe.xlen(keys.finals)
    for stream in (keys.work, *map(keys.own_work, workers)):
        pipe.xlen(stream)
    live, audio_ms, finals, *tokens = pipe.execute()
    return ShardLoad(shard.number, True, live, int(audio_ms or 0) / 1000, sum(tokens), finals)
