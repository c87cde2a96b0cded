"""A decode loop's work in one shard: it takes a token, works on it and commits. upkeep.py looks after the shard.

If a shard's server does not answer, the loop leaves it alone for a moment and goes on with the others.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis

from state.calls.fleet import FleetMember
from state.calls.ingest import Ingest
from state.calls.leases import Commit, Lease, Token
from state.calls.rescue import FORGIVEN_LOSSES
from state.calls.sight import ALL, seen
from state.server.clock import RunningClock
from state.server.connection import is_about_data
from state.server.shards import Shard
from state.settings import Settings
from state.tracing import step
from workers.decoder.measured import Busy, Measured
from workers.decoder.names import Names
from workers.decoder.restore import Interrupted, LeaseLost
from workers.decoder.track import DEAD_AFTER_TRIES, NO_PARTIALS, decode
from workers.decoder.upkeep import Upkeep
from workers.decoder.warm import WarmCache, WarmTrack
from workers.decoder.whose_voice import is_measured
from workers.engines.base import Model, RecogniserLost

SIGHT_SECONDS = 0.1
"""Least seconds between two questions which calls somebody looks at: a call's first chunk comes that soon after a
look."""

PARTIAL_SECONDS = 2.0
"""Seconds of a track between two partials in an idle loop, if partials cost much. A busier loop makes fewer."""

RECONNECT_SECONDS = (0.1, 2.0)
"""Seconds between two tries to reach the server: the first pause and the longest."""

log = logging.getLogger("earshot.decoder")


@dataclass(frozen=True)
class Bench:
    """The tools that a loop brings to every shard. beat: sends its heartbeat to all shards where it is registered.
    names: makes a call's model."""

    model: Model
    warm: WarmCache
    settings: Settings
    ingest: Ingest
    stopping: Callable[[], bool]
    beat: Callable[[], None]
    names: Names
    busy: Busy = field(default_factory=Busy)


class Post:
    """A decoder's place in one shard. No method raises redis.RedisError."""

    def __init__(self, shard: Shard, worker: str, bench: Bench, resident: bool) -> None:
        self.shard = shard
        self.again_at = 0.0
        """When to ask the server again (monotonic seconds). In the past while it answers."""
        self._bench = bench
        self._fleet = FleetMember(shard, worker, bench.settings, resident)
        self._upkeep = Upkeep(shard, self._fleet.others, bench.ingest, bench.settings.call_idle_seconds)
        self._beat_seconds = bench.settings.heartbeat_seconds / 5
        self._clock = RunningClock(shard.now_ms)
        self._measured = Measured(self._clock, bench.busy)
        self._joined = False
        self._pause = RECONNECT_SECONDS[0]
        self._unsettled: tuple[Lease, Commit, WarmTrack] | None = None
        self._began = 0.0
        self._next_beat = self._next_sight = 0.0
        self._seen: frozenset[str] = frozenset()

    @property
    def resident(self) -> bool:
        """Whether it is at home here, with its own token stream. A guest only takes what waits there for everybody."""
        return self._fleet.resident

    def settle(self) -> bool:
        """Be at home here from now on. Returns whether that was possible."""

        def settle() -> bool:
            self._fleet.settle()
            return True

        return self._reached(settle)

    def work(self, block_ms: int) -> bool:
        """Wait block_ms for a token and do its work. Returns whether there was any."""

        def work() -> bool:
            token = self._fleet.next_token(block_ms)
            if token is not None:
                self._work(token)
            return token is not None

        return self._reached(work)

    def look_after(self) -> None:
        """Send a heartbeat, and do what is due for the others."""

        def look_after() -> bool:
            self._beat()
            self._upkeep.due()
            return True

        self._reached(look_after)

    def relieve(self) -> None:
        """With nothing else to do, move tokens that wait too long for a busy decoder to everybody."""
        self._reached(self._upkeep.relieve)

    def beat_quietly(self) -> None:
        """Send a heartbeat in mid-decode. If the server is away, the commit will notice."""
        try:
            self._beat()
        except redis.RedisError:
            self._next_beat = time.monotonic() + self._beat_seconds

    def leave(self) -> None:
        """Leave nothing behind that anybody would have to wait for."""
        try:
            self._fleet.leave()
        except redis.RedisError as error:
            log.warning("left without a sign-off; others will notice", extra=self._where | {"error": str(error)})
        self._joined = False

    @property
    def _where(self) -> dict[str, Any]:
        return {"shard": self.shard.number}

    def _reached(self, do: Callable[[], bool]) -> bool:
        """Do it, if the server answers. After a lost connection first join again and commit what is decoded."""
        if time.monotonic() < self.again_at:
            return False
        try:
            if not self._joined:
                self._fleet.join()
                self._joined = True
                self._pause = RECONNECT_SECONDS[0]
                self._commit()
            return do()
        except redis.RedisError as error:
            self._joined = False
            log.warning("the server does not answer properly; trying again", extra=self._where | {"error": str(error)})
            self.again_at = time.monotonic() + self._pause * random.uniform(0.5, 1.0)
            self._pause = min(2 * self._pause, RECONNECT_SECONDS[1])
            return False

    def _work(self, token: Token) -> None:
        self._began = time.monotonic()
        bench, key = self._bench, (token.call_id, token.track)
        warm = bench.warm.take(key)
        try:
            lease = self._fleet.open(token, warm.committed if warm else "", warm.done_seq if warm else 0)
        except redis.RedisError as error:
            if not is_about_data(error):
                raise
            log.error("a track that cannot be opened is left alone", extra=_track(token) | {"error": str(error)})
            self._fleet.drop(token)
            return
        if lease is None:
            return
        ways = (chunk.way for chunk in lease.journal if chunk.seq > lease.done_seq)
        with step("decode", ways, call_id=token.call_id, track=token.track):
            self._decode(token, lease, warm)

    def _decode(self, token: Token, lease: Lease, warm: WarmTrack | None) -> None:
        bench, settings = self._bench, self._bench.settings
        try:
            voice = is_measured(settings.voice, token.track)
            pause = self._partial_seconds(token.call_id)
            model = bench.names.model_for(self.shard, token.call_id)
            change, warm = decode(model, lease, warm, bench.stopping, bench.beat, settings.redact, voice, pause)
        except Interrupted:
            self._fleet.release(lease)
            return
        except LeaseLost:
            log.warning("the journal is not as the lease says", extra=_track(token))
            self._fleet.give_up(token)  # does nothing if somebody took the lease away; otherwise it costs the try
            return
        except redis.RedisError:
            raise
        except RecogniserLost as error:
            log.warning("a recogniser is lost", extra=_track(token) | {"error": str(error)})
            self._fleet.give_up(token, FORGIVEN_LOSSES)
            return
        except Exception:
            # The engine failed without dying. It costs the try, so that a chunk that always fails is given up.
            log.exception("decoding failed", extra=_track(token))
            self._fleet.give_up(token)
            return
        self._unsettled = (lease, change, warm)
        self._commit()

    def _partial_seconds(self, call_id: str) -> float:
        """Seconds between two partials of a call. None comes before a final that may wait; a busier loop makes
        fewer."""
        if not self._bench.model.partials_cost:
            return 0.0
        if self._fleet.others_wait or not self._is_seen(call_id):
            return NO_PARTIALS
        return PARTIAL_SECONDS * 100 / max(10, 100 - self._bench.busy.percent())

    def _is_seen(self, call_id: str) -> bool:
        """Whether somebody looks at the call. It asks when it has the call's chunk, which may be the last for a
        while."""
        now = time.monotonic()
        if now >= self._next_sight:
            self._next_sight = now + SIGHT_SECONDS
            self._seen = seen(self.shard, self._clock.now_ms())
        return call_id in self._seen or ALL in self._seen

    def _commit(self) -> None:
        """Commit what is decoded. After a lost reply repeat it; the server answers AGAIN."""
        if self._unsettled is None:
            return
        lease, change, warm = self._unsettled
        try:
            answer = self._fleet.commit(lease, change)
        except redis.RedisError as error:
            if not is_about_data(error):
                raise
            self._unsettled = None
            log.error("a commit is refused", extra=_track(lease.token) | {"tries": lease.tries, "error": str(error)})
            if lease.tries < DEAD_AFTER_TRIES:
                self._fleet.give_up(lease.token)
            # Otherwise the lease stays, unused. rescue_stalled hands it on every STALLED_AFTER_MS, which costs little.
            return
        self._unsettled = None
        if answer == "STALE":
            log.info("commit came too late", extra=_track(lease.token))
            return
        self._measured.committed(lease, change, time.monotonic() - self._began)
        self._measured.heard(lease.token, change, warm)
        if not change.finish:
            warm.committed = lease.id
            self._bench.warm.put((lease.token.call_id, lease.token.track), warm)

    def _beat(self) -> None:
        now = time.monotonic()
        if self._joined and now >= self._next_beat:
            self._fleet.beat(self._bench.busy.percent())
            self._next_beat = now + self._beat_seconds


def _track(token: Token) -> dict[str, Any]:
    """A track, for the log."""
    return {"call_id": token.call_id, "track": token.track}
