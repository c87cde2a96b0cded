"""Erasing one call, or all of a customer, everywhere they are kept: database, recordings, Redis, feed, dead letters."""

from __future__ import annotations

import json
from typing import Any, cast

import redis

from state.archive.erase import calls_of, erase_call
from state.archive.opening import Archive
from state.calls.dead import forget_call
from state.calls.feed import forget_words
from state.calls.reads import Reads
from state.calls.retention import Retention
from state.recording import catalogue
from state.recording.sounds import Named, open_sounds
from state.server.shards import Shards, shards_of
from state.settings import Settings
from state.texts import customer


class CallIsLive(Exception):
    """The call goes on: it is to be ended first."""


class Erasure:
    """Every method may be done again: what is gone stays gone. Raises redis.RedisError, ArchiveAway, SoundsAway."""

    def __init__(self, store: Shards | redis.Redis, archive: Archive | None, settings: Settings) -> None:
        self._shards, self._archive = shards_of(store), archive
        self._reads, self._retention = Reads(self._shards), Retention(self._shards, settings)
        self._sounds = open_sounds(settings)

    def erase(self, call_id: str) -> list[str]:
        """Erase a call; returns where it was: "database", "recordings", "redis"; [] if there was none.

        The database goes first: it says whether there is a hold, and from then on no job writes the call to it. Raises
        CallIsLive, Held.
        """
        shard = self._shards.of(call_id)
        state, metadata = cast(Any, shard.redis.hmget(shard.keys.call(call_id), "state", "metadata"))
        if state in (b"live", b"ending"):
            raise CallIsLive(call_id)
        places = []
        if self._archive is not None:
            caller = customer(json.loads(metadata)) if metadata else None
            if erase_call(self._archive, call_id, {caller} if caller else set(), shard.now_ms()):
                places.append("database")
        if self._sounds is not None and self._sounds.erase(call_id, shard.now_ms()):
            places.append("recordings")
        if state is not None:
            self._retention.erase(call_id)
            places.append("redis")
        forget_words(shard, call_id)
        forget_call(shard, call_id)
        return places

    def strays(self) -> list[Named]:
        """Recordings of calls that neither the database nor Redis has: an older copy of the database was put back."""
        if self._archive is None or self._sounds is None:
            return []
        return [call for call in catalogue.unknown(self._archive, self._sounds.kept()) if not self._in_redis(call)]

    def calls_of(self, name: str) -> list[str]:
        """Ids of all calls of a customer, wherever they are; live ones too."""
        held = self._reads.held(live=True, ended=True, waiting=False)
        found = [row.call_id for row in held if customer(row.metadata) == name]
        return list(dict.fromkeys(found + (calls_of(self._archive, name) if self._archive is not None else [])))

    def _in_redis(self, call: Named) -> bool:
        shard = self._shards.of(call.call_id)
        started = cast("bytes | None", shard.redis.hget(shard.keys.call(call.call_id), "started_at_ms"))
        return started is not None and int(started) == call.started_at_ms
