"""A recorded call's audio on its way from Redis into the store of recordings.

Redis keeps what the store does not have (the track's `spooled` says how much it has; lua/ingest.lua). First the store
gets a part, then Redis learns of it. A process that dies in between, or two at once, leave parts that overlap. The same
samples twice do no harm.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import redis

from state.calls.listening import read_sound
from state.recording.sounds import Named, Part, Piece, Sounds
from state.server.shards import Shard, Shards, shards_of

SPOOL_SECONDS = 15
"""Seconds of a call in one part. As SPOOL_MS of lua/ingest.lua."""

AT_ONCE = 20
"""Calls that one process takes from a shard at once."""

PART_CHUNKS = 2000
"""Chunks of a track in one part at most: 40 s in chunks of 20 ms."""


class _Read(NamedTuple):
    pieces: list[Piece]
    upto: dict[str, bytes]
    more: bool


class Spool:
    """Takes recorded calls' audio to the store. Every method may be repeated, by many processes at once.

    Raises redis.RedisError, SoundsAway.
    """

    def __init__(self, store: Shards | redis.Redis, sounds: Sounds) -> None:
        self._shards, self._sounds = shards_of(store), sounds

    def due(self) -> list[str]:
        """Calls whose audio is due now. They count as taken, and are due again SPOOL_SECONDS later."""
        return [call_id for found in self._shards.answers(self._due).values() for call_id in found]

    def take(self, call_id: str) -> int:
        """Take what there is of a call. Returns the number of parts."""
        shard = self._shards.of(call_id)
        key = shard.keys.call(call_id)
        state, tracks, started, recorded = cast(
            Any, shard.redis.hmget(key, "state", "tracks", "started_at_ms", "recorded")
        )
        count = 0
        if state is not None and recorded == b"1":
            call = Named(call_id, int(started))
            names = tracks.decode().split()
            more = True
            while more:
                read = self._read(shard, call_id, names)
                more = read.more
                part = self._sounds.put_part(call, read.pieces) if read.pieces else None
                count += part is not None
                if not self._settle(shard, call_id, read.upto, call, part):
                    return 0
        if state != b"live":  # read before its audio: nothing has come since
            shard.redis.zrem(shard.keys.spooling, call_id)
        return count

    def _due(self, shard: Shard) -> list[str]:
        now = shard.now_ms()
        found = cast(list[bytes], shard.redis.zrangebyscore(shard.keys.spooling, "-inf", now, start=0, num=AT_ONCE))
        if found:
            shard.redis.zadd(shard.keys.spooling, dict.fromkeys(found, now + SPOOL_SECONDS * 1000), xx=True)
        return [call_id.decode() for call_id in found]

    def _read(self, shard: Shard, call_id: str, names: list[str]) -> _Read:
        pipe = shard.redis.pipeline(transaction=False)
        for name in names:
            pipe.hget(shard.keys.track(call_id, name), "spooled")
        marks = [mark.decode() if mark else "" for mark in pipe.execute()] if names else []
        for name, mark in zip(names, marks, strict=True):
            pipe.xrange(shard.keys.listen(call_id, name), min=f"({mark}" if mark else "-", count=PART_CHUNKS)
        found = pipe.execute() if names else []
        pieces = [
            Piece(name, read_sound(entry))
            for name, entries in zip(names, found, strict=True)
            for entry in entries
            if b"p" not in entry[1]  # the recording was paused
        ]
        upto = {name: entries[-1][0] for name, entries in zip(names, found, strict=True) if entries}
        return _Read(pieces, upto, any(len(entries) == PART_CHUNKS for entries in found))

    def _settle(self, shard: Shard, call_id: str, upto: dict[str, bytes], call: Named, part: Part | None) -> bool:
        """Tell Redis. False if somebody has erased the call: then the part goes, too."""
        for track, entry in upto.items():
            if shard.run("spooled", call_id=call_id, track=track, upto=entry)["outcome"] == "GONE":
                if part is not None:
                    self._sounds.clear_parts(call)
                return False
        return True
