"""How full the shards' servers are, as a process that writes to them knows without asking each time."""

from __future__ import annotations

import time
from math import inf
from typing import Any

import msgspec

from state.server.connection import may_evict
from state.server.shards import Shard


class _Memory(msgspec.Struct):
    """Memory of a shard's server: when it was asked (monotonic), its answer, and what this process has put in since."""

    asked_at: float = -inf
    percent: float = 0.0
    unseen_bytes: int = 0
    unseen_most: float = inf


class Pressure:
    """Of all shards."""

    def __init__(self) -> None:
        self._memory: dict[int, _Memory] = {}

    def add(self, shard: Shard, put_bytes: int) -> None:
        """This process puts so much more into the shard's server."""
        self._of(shard).unseen_bytes += put_bytes

    def percent(self, shard: Shard) -> float:
        """Memory the shard's server uses, in percent of its maxmemory; 0 without a limit.

        It asks once a second, and again when this process has put one percent more into the server. A server that has
        begun to evict keys counts as full: it must accept nothing. Raises redis.RedisError.
        """
        known = self._of(shard)
        if time.monotonic() - known.asked_at > 1.0 or known.unseen_bytes > known.unseen_most:
            memory: dict[str, Any] = shard.redis.info("memory")
            limit = int(memory.get("maxmemory", 0))
            percent = 100.0 * int(memory["used_memory"]) / limit if limit else 0.0
            if may_evict(memory):
                percent = 100.0
            known = _Memory(time.monotonic(), percent, 0, limit // 100 if limit else inf)
            self._memory[shard.number] = known
        return known.percent

    def _of(self, shard: Shard) -> _Memory:
        return self._memory.setdefault(shard.number, _Memory())
