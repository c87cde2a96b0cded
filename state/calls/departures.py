"""Ended calls on their way to the database: those that wait, what a job writes, and when a call may leave Redis."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import redis

from state import keys
from state.calls.reads import Reads
from state.calls.summaries import take
from state.server.shards import Shard, Shards, shards_of
from state.views import CallView

AT_ONCE = 1000
"""Calls put back on the list in one request."""


class Leaving(msgspec.Struct, frozen=True):
    """A call, ready to be written. handling: as stored before the call was read; b"" if there was none."""

    call: CallView
    handling: bytes
    engine: str


class Departures:
    """The list of ended calls whose present state the database does not have."""

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)

    def take(self) -> list[str]:
        """Some calls of each shard that nobody asked about lately; they count as asked now. Shards that are away are
        left out. Raises redis.RedisError if all are."""

        def part(shard: Shard) -> list[str]:
            return take(shard, shard.keys.unarchived, shard.keys.archive_asked)

        return [call_id for taken in self._shards.answers(part).values() for call_id in taken]

    def take_recorded(self) -> list[str]:
        """The same of archived calls whose recording is to be assembled."""

        def part(shard: Shard) -> list[str]:
            return take(shard, shard.keys.unassembled, shard.keys.assembly_asked)

        return [call_id for taken in self._shards.answers(part).values() for call_id in taken]

    def assembled(self, call_id: str) -> None:
        """Note that the call has its recording, or will have none."""
        shard = self._shards.of(call_id)
        shard.redis.srem(shard.keys.unassembled, call_id)

    def again(self) -> int:
        """Put every ended call that is still here on the list: the database has lost some. Returns how many.

        Shards that are away are left out. Raises redis.RedisError if all are.
        """
        return sum(self._shards.answers(_again).values())

    def outstanding(self) -> list[str]:
        """Number of calls on the list. Calls that wait for their summary are not on it yet."""
        parts = self._shards.answers(lambda shard: cast(set[bytes], shard.redis.smembers(shard.keys.unarchived)))
        return [call_id.decode() for part in parts.values() for call_id in part]

    def read(self, call_id: str) -> Leaving | None:
        """The call, or None if it is gone. Supervisors may still change it: see `settle`."""
        shard = self._shards.of(call_id)
        handling = cast("bytes | None", shard.redis.hget(shard.keys.call(call_id), "handling"))
        call = Reads(self._shards).call(call_id)
        if call is None:
            return None
        engine = cast("bytes | None", self._shards.plain.hget(keys.FLEET, "model"))
        return Leaving(call, handling or b"", (engine or b"").decode())

    def settle(self, call_id: str, handling: bytes = b"") -> str:
        """The database has the call, with this handling. Returns OK, CHANGED (write it again) or GONE."""
        only: dict[str, Any] = {"handling": handling} if handling else {}
        return str(self._shards.of(call_id).run("archived", call_id=call_id, **only)["outcome"])


def _again(shard: Shard) -> int:
    ended = cast(list[bytes], shard.redis.zrange(shard.keys.ended, 0, -1))
    for at in range(0, len(ended), AT_ONCE):
        part = ended[at : at + AT_ONCE]
        pipe = shard.redis.pipeline()
        pipe.sadd(shard.keys.unarchived, *part)
        for call_id in part:
            pipe.hdel(shard.keys.call(call_id.decode()), "archived")
            pipe.delete(shard.keys.archive_asked(call_id.decode()))
        pipe.execute()
    return len(ended)
