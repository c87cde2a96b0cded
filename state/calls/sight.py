"""The calls that somebody looks at just now. A recogniser whose partials cost much makes them for these alone.

Web processes say which calls their pages have in sight or open, and which calls programs read. Decoders ask when they
have a chunk. It is a hint: what gets lost comes again with the next look.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import cast

import redis

from state.server.shards import Shard, Shards

SEEN_SECONDS = 6
"""Seconds for which a look counts: three of a page's signs of life."""

AGAIN_SECONDS = 2.0
"""Least seconds between two notes of the same call."""

ALL = "*"
"""In the place of a call's id: somebody looks at every call, as followers of the feed do that name none."""


class Sight:
    """What one web process has to say. No method raises redis.RedisError. Safe from several threads."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards
        self._noted: dict[str, float] = {}

    def look(self, call_ids: Iterable[str]) -> None:
        """Note that somebody looks at these calls, or at ALL."""
        now = time.monotonic()
        fresh = [call_id for call_id in call_ids if now - self._noted.get(call_id, -AGAIN_SECONDS) >= AGAIN_SECONDS]
        if not fresh:
            return
        self._noted = {call_id: at for call_id, at in list(self._noted.items()) if now - at < AGAIN_SECONDS}
        self._noted |= dict.fromkeys(fresh, now)
        with contextlib.suppress(redis.RedisError):
            for shard in self._shards:
                here = [one for one in fresh if one == ALL or self._shards.of(one) is shard]
                if here:
                    _note(shard, here)


def _note(shard: Shard, call_ids: list[str]) -> None:
    now_ms = shard.now_ms()
    pipe = shard.redis.pipeline(transaction=False)
    pipe.zremrangebyscore(shard.keys.seen, "-inf", now_ms)
    pipe.zadd(shard.keys.seen, dict.fromkeys(call_ids, now_ms + 1000 * SEEN_SECONDS))
    pipe.expire(shard.keys.seen, 10 * SEEN_SECONDS)
    pipe.execute()


def seen(shard: Shard, now_ms: float) -> frozenset[str]:
    """The shard's calls that somebody looks at, and perhaps ALL. now_ms: by the shard's clock. Raises redis.RedisError
    as the client does."""
    found = cast(list[bytes], shard.redis.zrangebyscore(shard.keys.seen, f"({now_ms:.0f}", "+inf"))
    return frozenset(call_id.decode() for call_id in found)
