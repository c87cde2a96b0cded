"""Removes old words and sound, on a quiet system too. docs/ACCESS.md has all ages.

Every sentiment process calls `sweep` every few seconds: one is always there, and sweeping twice does no harm.
"""

from __future__ import annotations

from typing import Any, cast

import redis

from state.events import QUIET
from state.server.entries import read_entry_id
from state.server.shards import Shard, Shards, shards_of
from state.settings import Settings

FEED_SECONDS = 3600
"""Age at which an event leaves the feed. A page that was away for longer takes a new snapshot."""

CALLS_A_SWEEP = 100
"""At most so many calls of a list in one sweep: some milliseconds of the server."""


class Retention:
    """Enforces the ages. Every method is safe to repeat."""

    def __init__(self, store: Shards | redis.Redis, settings: Settings) -> None:
        self._shards = shards_of(store)
        self._kept_ms = settings.retention_hours * 3_600_000
        self._archives = bool(settings.database_url)
        self._passed: dict[str, int] = {}
        """By list, the number of old calls that stay for now, because the database does not have them. The next sweep
        begins after them."""

    def sweep(self) -> int:
        """Remove what is too old. Returns the number of calls erased; more may wait for the next sweep.

        Shards that are away are left out. Raises redis.RedisError if all are.
        """
        return sum(self._shards.answers(self._sweep).values())

    def erase(self, call_id: str, before_ms: int | None = None) -> bool:
        """Erase a whole call, whatever its state. before_ms: only if nothing has happened to it since then, and, with a
        database, only if that has it. Returns whether it did.

        Its words stay in the feed for up to FEED_SECONDS.
        """
        only = {} if before_ms is None else {"before_ms": before_ms} | ({"archived": 1} if self._archives else {})
        return bool(self._shards.of(call_id).run("erase", call_id=call_id, **only)["outcome"] == "ERASED")

    def _sweep(self, shard: Shard) -> int:
        now = shard.now_ms()
        before = now - self._kept_ms
        count = sum(self._sweep_list(shard, listed, before) for listed in (shard.keys.retained, shard.keys.idle))
        _clear_dead_letters(shard, before)
        _clear_feed(shard, now)
        return count

    def _sweep_list(self, shard: Shard, listed: str, before_ms: int) -> int:
        """Erase calls of a list that ended, began to end, or were last heard of before that moment; returns how many.

        It passes over calls that must stay. So sweep by sweep it comes to every call, and then begins again.
        """
        passed = self._passed.get(listed, 0)
        found = cast(list[bytes], shard.redis.zrangebyscore(listed, "-inf", before_ms, start=passed, num=CALLS_A_SWEEP))
        erased = [self.erase(call_id.decode(), before_ms) for call_id in found]
        ends = len(found) < CALLS_A_SWEEP
        self._passed[listed] = 0 if ends else passed + erased.count(False)
        return erased.count(True)


def _clear_dead_letters(shard: Shard, before_ms: int) -> None:
    dead, dead_texts = shard.keys.dead, shard.keys.dead_texts
    shard.redis.xtrim(dead, minid=f"{before_ms}-0", approximate=False)
    texts = cast(list[bytes], shard.redis.hkeys(dead_texts))
    if not texts:
        return
    pipe = shard.redis.pipeline(transaction=False)
    for letter_id in texts:
        pipe.xrange(dead, letter_id, letter_id)
    gone = [letter_id for letter_id, letter in zip(texts, pipe.execute(), strict=True) if not letter]
    if gone:
        shard.redis.hdel(dead_texts, *gone)


def _clear_feed(shard: Shard, now: int) -> None:
    """Cut old events off. The last entry must stay, because followers of the feed are at it. If it is old, this adds an
    entry without words after it, and the next sweep cuts."""
    newest = cast(list[Any], shard.redis.xrevrange(shard.keys.feed, count=1))
    if not newest:
        return
    said_at_ms, _ = read_entry_id(newest[0][0].decode())
    if said_at_ms <= now - FEED_SECONDS * 500:
        shard.redis.xadd(shard.keys.feed, {"j": QUIET})
    else:
        shard.redis.xtrim(shard.keys.feed, minid=f"{now - FEED_SECONDS * 1000}-0", approximate=False)
