"""An agent's own live calls: those whose metadata name the agent, in capitals or small letters."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import msgspec
import redis

from state.calls.rows import answers, readable
from state.server.shards import Shard, Shards, shards_of

AGAIN_SECONDS = 1.0
"""Seconds for which a process keeps its answer: however many agents ask, it asks the store once."""


def is_of(agent: str, metadata: dict[str, str]) -> bool:
    """Whether a call with this metadata is the agent's. Calls without a name are nobody's."""
    return agent != "" and metadata.get("agent", "").casefold() == agent.casefold()


class OwnCalls:
    """The agents of all live calls, for one process. Any thread may ask."""

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._by_agent: dict[str, list[str]] = {}

    def of(self, agent: str) -> list[str]:
        """Ids of the agent's live calls; at most AGAIN_SECONDS old, so look at a call's metadata before you show it.
        Raises redis.RedisError if no server answers."""
        with self._lock:
            if time.monotonic() - self._read_at >= AGAIN_SECONDS:
                self._by_agent = self._read()
                self._read_at = time.monotonic()
            return list(self._by_agent.get(agent.casefold(), []))

    def _read(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for calls in self._shards.answers(_agents).values():
            for call_id, agent in calls:
                found.setdefault(agent.casefold(), []).append(call_id)
        return found


def _agents(shard: Shard) -> list[tuple[str, str]]:
    """Live calls of the shard that name an agent."""
    call_ids = [name.decode() for name in cast(list[bytes], shard.redis.zrange(shard.keys.live, 0, -1))]
    pipe = shard.redis.pipeline(transaction=False)
    for call_id in call_ids:
        pipe.hget(shard.keys.call(call_id), "metadata")
    found: list[tuple[str, str]] = []
    stored: list[Any] = answers(pipe)
    for call_id, metadata in zip(call_ids, stored, strict=True):
        with readable(call_id):
            if metadata and (agent := msgspec.json.decode(metadata, type=dict[str, str]).get("agent")):
                found.append((call_id, agent))
    return found
