"""Rescues the work of other decoders: of dead ones, of busy ones, and of those that send heartbeats and do nothing."""

from __future__ import annotations

from typing import Any, cast

import redis

from state import keys
from state.calls.leases import Token, read_token
from state.server.connection import is_about_data
from state.server.shards import Shard

RELIEVE_AFTER_MS = 300
"""Age at which an idle decoder moves a token from a busy decoder's own stream to everybody."""

FORGIVEN_LOSSES = 20
"""At most so many leases lost in a row cost a chunk no try. If something killed the decoder from outside, or a busy
machine made it miss its heartbeat, that says nothing about the chunk. A crash by itself does. There is a limit because
a chunk may take a whole machine with it."""

LONGEST_BEAT_MS = 60_000
"""Most milliseconds that a heartbeat counts, whatever its decoder's settings say."""

STALLED_AFTER_MS = 30_000
"""Age at which a pending token moves, whatever its holder's heartbeat says. No lease takes so long: it has at most 8 s
of new audio and 20 s of replay, even if decoded slower than real time. This is the backstop that trusts no registry."""


class Rescue:
    """What one decoder does for others' tokens. `worker` is its own name."""

    def __init__(self, shard: Shard, worker: str) -> None:
        self._redis = shard.redis
        self._keys = shard.keys
        self._run = shard.run
        self._now_ms = shard.now_ms
        self._worker = worker

    def turn(self, what: str, ms: int) -> bool:
        """Whether this decoder looks after the others now. One does so every `ms`, so that a large fleet costs no more.

        If it dies of that, another one looks `ms` later.
        """
        pipe = self._redis.pipeline(transaction=False)
        pipe.set(self._keys.turn(what), self._worker, px=ms, nx=True)
        pipe.pttl(self._keys.turn(what))
        mine, left_ms = pipe.execute(raise_on_error=False)
        if isinstance(mine, redis.exceptions.OutOfMemoryError):
            return True  # on a full server all look
        for answer in (mine, left_ms):
            if isinstance(answer, redis.RedisError):
                raise answer
        if not mine and left_ms > ms:  # it was taken before the server's clock was set back, and would last too long
            self._redis.delete(self._keys.turn(what))
        return bool(mine)

    def sweep(self) -> int:
        """Hand on the work of decoders without a heartbeat, and bury them. Returns the number of tokens moved."""
        names = self._others()
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.pttl(self._keys.heartbeat(name))
        left_ms = dict(zip(names, pipe.execute() if names else [], strict=True))
        for name, left in left_ms.items():
            if left > LONGEST_BEAT_MS:  # from before the server's clock was set back; a living decoder renews it anyway
                self._redis.pexpire(self._keys.heartbeat(name), LONGEST_BEAT_MS)
        return sum(self.bury(name) for name, left in left_ms.items() if left == -2)  # there is no such key

    def bury(self, name: str, forgive: int = FORGIVEN_LOSSES) -> int:
        """Move every token of decoder `name` (without a heartbeat) to the shared stream and forget it.

        forgive: number of tries in a row that a track under its lease gets back.
        """
        moved = 0
        own = self._keys.own_work(name)
        for _ in range(10):  # tokens may still arrive between a look and the burial
            for entry_id, fields in cast(list[Any], self._redis.xrange(own)):
                moved += self.move(read_token(own, entry_id, fields), True, forgive)
            moved += self._move_pending(0, name, forgive)
            if self._run("bury", worker=name)["outcome"] != "HOLDS":
                break
        return moved

    def relieve(self) -> int:
        """For an idle decoder: move tokens that wait too long in a busy decoder's own stream. Returns how many."""
        return self._move_old(RELIEVE_AFTER_MS, most=4, force=False)

    def rescue_stalled(self) -> int:
        """Move tokens pending for STALLED_AFTER_MS, wherever they are. Returns how many."""
        return self._move_pending(STALLED_AFTER_MS) + self._move_old(STALLED_AFTER_MS, most=20, force=True)

    def _move_old(self, age_ms: int, most: int, force: bool) -> int:
        """Move up to `most` tokens that stand in each other decoder's own stream for so long. Returns how many."""
        names = self._others()
        oldest = f"{self._now_ms() - age_ms}-0"
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.xrange(self._keys.own_work(name), max=oldest, count=most)
        found = pipe.execute() if names else []
        return sum(
            self.move(read_token(self._keys.own_work(name), entry_id, fields), force)
            for name, entries in zip(names, found, strict=True)
            for entry_id, fields in entries
        )

    def _others(self) -> list[str]:
        names = cast(set[bytes], self._redis.smembers(self._keys.workers))
        return [name.decode() for name in names if name.decode() != self._worker]

    def _move_pending(self, idle_ms: int, consumer: str | None = None, forgive: int = FORGIVEN_LOSSES) -> int:
        moved = 0
        try:
            pending = self._redis.xpending_range(
                self._keys.work, keys.DECODERS, "-", "+", 100, consumername=consumer, idle=idle_ms or None
            )
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            return 0
        for entry in cast(list[dict[str, Any]], pending):
            found = cast(list[Any], self._redis.xrange(self._keys.work, entry["message_id"], entry["message_id"]))
            if found:
                moved += self.move(read_token(self._keys.work, found[0][0], found[0][1]), True, forgive)
            else:
                self._redis.xack(self._keys.work, keys.DECODERS, entry["message_id"])
        return moved

    def move(self, token: Token, force: bool, forgive: int = FORGIVEN_LOSSES) -> int:
        """Put a token back for everybody.

        Args:
            token: as read.
            force: also from under a lease.
            forgive: number of tries in a row that a track under a lease gets back.

        Returns:
            1 if it moved, 0 if it is not live (it is dropped) or under a lease.

        Raises:
            redis.RedisError: as the client does.
        """
        try:
            answer = self._run(
                "move", call_id=token.call_id, track=token.track, token=token.name, force=force, forgive=forgive
            )
        except redis.RedisError as error:
            if not is_about_data(error):
                raise
            self.drop(token)  # it is of no real track and must not keep others from moving
            return 0
        return int(answer["outcome"] == "MOVED")

    def drop(self, token: Token) -> None:
        """Take a token out of its stream without looking at its track."""
        stream, _, entry_id = token.name.partition("|")
        self._redis.xack(stream, keys.DECODERS, entry_id)
        self._redis.xdel(stream, entry_id)
