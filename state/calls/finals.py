"""The list of utterances to be scored, as one sentiment worker takes from it: the consumer group on `finals`."""

from __future__ import annotations

from typing import Any, cast

import redis

from state import keys
from state.calls.assessments import Unscored
from state.server.asking import ask
from state.server.connection import BLOCK_MS
from state.server.entries import read_entries
from state.server.shards import Shard

ABANDONED_AFTER_MS = 10_000
"""Age at which an utterance that a sentiment worker has not scored goes to another (scoring takes ms)."""

FORGOTTEN_AFTER_MS = 3_600_000
"""Silence after which a worker counts as dead. A living worker asks every second."""


class Finals:
    """One sentiment worker's view of one shard's list."""

    def __init__(self, shard: Shard, worker: str) -> None:
        self._redis = shard.redis
        self._keys = shard.keys
        self._run = shard.run
        self._worker = worker

    def join(self) -> list[Unscored]:
        """Make sure the group exists. Returns what this worker got before and has not finished."""
        try:
            return self._pending()
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            # Made only when it is missing: while memory is full, even a repeated creation would be refused.
            self._make_group()
            return []

    def next(self, block_ms: int = BLOCK_MS, count: int = 32) -> list[Unscored]:
        """Up to `count` utterances to score. Waits block_ms for the first (0: not at all)."""
        wait = ("BLOCK", block_ms) if block_ms else ()
        group = ("XREADGROUP", "GROUP", keys.SENTIMENT, self._worker, "COUNT", count, *wait)
        try:
            [answer] = ask(self._redis, (*group, "STREAMS", self._keys.finals, ">"))
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._make_group()
            return []
        return [
            unscored
            for _, entries in answer or ()
            for entry_id, fields in read_entries(entries)
            if fields and (unscored := self._unscored(entry_id, fields))
        ]

    def abandoned(self) -> list[Unscored]:
        """Utterances that another worker took and did not finish. They belong to this worker now, like those it
        holds."""
        try:
            # JUSTID: a plain claim would count a try for every utterance, even for those that nobody has begun.
            self._redis.xautoclaim(
                self._keys.finals,
                keys.SENTIMENT,
                self._worker,
                ABANDONED_AFTER_MS,
                start_id="0-0",
                count=100,
                justid=True,
            )
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
        return self.join()

    def begin(self, unscored: Unscored, tries: int) -> None:
        """Record the number of tries to score this utterance, with the one that begins now or has just failed.

        The count is the group's own delivery count: it goes with the entry, and a full server counts, too.
        """
        # A delivery counts one, even if nobody has begun.
        self._redis.xclaim(
            self._keys.finals, keys.SENTIMENT, self._worker, 0, [unscored.entry], retrycount=tries + 1, justid=True
        )

    def drop(self, unscored: Unscored) -> None:
        """Take an utterance out of the list, whatever happens to its call."""
        self._drop(unscored.entry)

    def _drop(self, entry_id: str | bytes) -> None:
        self._redis.xack(self._keys.finals, keys.SENTIMENT, entry_id)
        self._redis.xdel(self._keys.finals, entry_id)

    def forget_dead(self) -> int:
        """Remove workers that died and left nothing from the group's list. Returns how many."""
        return int(self._run("forget", idle_ms=FORGOTTEN_AFTER_MS)["forgotten"])

    def leave(self) -> None:
        """Leave the group, unless something is still pending here (others claim it then)."""
        pending = cast(
            list[Any], self._redis.xpending_range(self._keys.finals, keys.SENTIMENT, "-", "+", 1, self._worker)
        )
        if not pending:
            self._redis.xgroup_delconsumer(self._keys.finals, keys.SENTIMENT, self._worker)

    def _make_group(self) -> None:
        try:
            self._redis.xgroup_create(self._keys.finals, keys.SENTIMENT, id="0", mkstream=True)
        except redis.exceptions.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _unscored(self, entry_id: bytes, fields: dict[bytes, bytes], delivered: int = 0) -> Unscored | None:
        """What an entry of `finals` asks for. One that asks for nothing is dropped. delivered: 0 at the first
        delivery."""
        try:
            call_id, utterance_id = fields[b"c"].decode(), fields[b"i"].decode()
        except (KeyError, UnicodeDecodeError):
            self._drop(entry_id)
            return None
        way = fields.get(b"w", b"").decode(errors="replace")
        return Unscored(entry_id.decode(), call_id, utterance_id, max(0, delivered - 1), delivered > 0, way)

    def _pending(self) -> list[Unscored]:
        """What this worker holds, at most 100. It looks them up, because reading again would count as a delivery."""
        pending = cast(
            list[dict[str, Any]],
            self._redis.xpending_range(self._keys.finals, keys.SENTIMENT, "-", "+", 100, self._worker),
        )
        pipe = self._redis.pipeline(transaction=False)
        for entry in pending:
            pipe.xrange(self._keys.finals, entry["message_id"], entry["message_id"])
        found = []
        for entry, entries in zip(pending, pipe.execute() if pending else [], strict=True):
            if not entries:
                self._redis.xack(self._keys.finals, keys.SENTIMENT, entry["message_id"])
            elif unscored := self._unscored(entries[0][0], entries[0][1], entry["times_delivered"]):
                found.append(unscored)
        return found
