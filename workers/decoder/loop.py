"""A decode loop: one process, one thread, one lease at a time.

So a crash accuses exactly one chunk, and the heartbeat, sent from here and not from a thread, means progress.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Any

import redis

from state.connection import is_about_data
from state.fleet import Fleet
from state.ingest import ENDED_AT_ONCE, Ingest
from state.leases import Commit, Lease, Token
from state.settings import Settings
from workers.decoder.track import DEAD_AFTER_TRIES, Interrupted, LeaseLost, Session, decode
from workers.decoder.warm import WarmCache
from workers.engines.base import Model
from workers.voice.whose import is_measured

SWEEP_SECONDS = 1.0
"""Between two looks for dead decoders, busy or not; jittered, so that a fleet does not look in step."""

UPKEEP_SECONDS = 10.0
"""Between two looks for stalled tokens and for calls whose sender went away."""

STEAL_TURN_MS, SWEEP_TURN_MS, UPKEEP_TURN_MS = 200, 500, 5000
"""One decoder of the fleet looks in so long: less than each waits, so that a fleet of one looks every time."""

RECONNECT_SECONDS = (0.1, 2.0)
"""First and longest pause between two tries to reach the server."""

log = logging.getLogger("earshot.decoder")


class DecodeLoop:
    """Takes tokens until `stopping`, whatever happens to the server in between."""

    def __init__(
        self, client: redis.Redis, model: Model, worker: str, settings: Settings, stopping: Callable[[], bool]
    ) -> None:
        self._model = model
        self._fleet = Fleet(client, worker, settings)
        self._ingest = Ingest(client, settings)
        self._stopping = stopping
        self._redact = settings.redact
        self._voice = settings.voice
        self._beat_seconds = settings.heartbeat_seconds / 5
        self._idle_seconds = settings.call_idle_seconds
        self._warm = WarmCache(settings.warm_megabytes * 1_000_000)
        self._unsettled: tuple[Lease, Commit, Session] | None = None
        self._next_beat = self._next_sweep = self._next_upkeep = 0.0
        self._idle_left = False

    def run(self) -> None:
        """Work until stopping; then leave nothing behind that anybody would have to wait for."""
        first, longest = RECONNECT_SECONDS
        pause = first
        while not self._stopping():
            try:
                self._fleet.join()
                pause = first
                self._settle()
                while not self._stopping():
                    self._turn()
            except redis.RedisError as error:
                log.warning("the server does not answer as it should; trying again", extra={"error": str(error)})
                time.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(2 * pause, longest)
        try:
            self._fleet.leave()
        except redis.RedisError as error:
            log.warning("left without saying so; others will notice", extra={"error": str(error)})

    def _turn(self) -> None:
        self._beat()
        self._housekeeping()
        token = self._fleet.next_token()
        if token is not None:
            self._work(token)
        elif not self._stopping() and self._fleet.others.turn("steal", STEAL_TURN_MS):
            self._fleet.others.steal()

    def _work(self, token: Token) -> None:
        key = (token.call_id, token.track)
        session = self._warm.take(key)
        try:
            lease = self._fleet.open(token, session.committed if session else "", session.done_seq if session else 0)
        except redis.RedisError as error:
            if not is_about_data(error):
                raise
            log.error("a track that cannot be opened is left alone", extra=_where(token) | {"error": str(error)})
            self._fleet.drop(token)
            return
        if lease is None:
            return
        try:
            voice = is_measured(self._voice, token.track)
            change, session = decode(
                self._model, lease, session, self._stopping, self._beat_quietly, self._redact, voice
            )
        except Interrupted:
            self._fleet.release(lease)
            return
        except LeaseLost:
            log.warning("the journal is not as the lease says", extra=_where(token))
            self._fleet.give_up(token)  # does nothing if the lease was taken away; else the try is charged
            return
        except redis.RedisError:
            raise
        except Exception:
            # The engine failed without dying. The try stays charged, so that a chunk that always fails is given up.
            log.exception("decoding failed", extra=_where(token))
            self._fleet.give_up(token)
            return
        self._unsettled = (lease, change, session)
        self._settle()

    def _settle(self) -> None:
        """Commit what is decoded. After a lost reply it is repeated, which the server answers with AGAIN."""
        if self._unsettled is None:
            return
        lease, change, session = self._unsettled
        try:
            answer = self._fleet.commit(lease, change)
        except redis.RedisError as error:
            if not is_about_data(error):
                raise
            self._unsettled = None
            log.error("a commit is refused", extra=_where(lease.token) | {"tries": lease.tries, "error": str(error)})
            if lease.tries < DEAD_AFTER_TRIES:
                self._fleet.give_up(lease.token)
            # Else the lease is kept, unused: rescue_stalled hands it on every STALLED_AFTER_MS, which costs little.
            return
        self._unsettled = None
        if answer == "STALE":
            log.info("commit came too late", extra=_where(lease.token))
            return
        if not change.finish:
            session.committed = lease.id
            self._warm.put((lease.token.call_id, lease.token.track), session)

    def _beat(self) -> None:
        now = time.monotonic()
        if now >= self._next_beat:
            self._fleet.beat()
            self._next_beat = now + self._beat_seconds

    def _beat_quietly(self) -> None:
        """A heartbeat in mid-decode: if the server is away, the commit will find out."""
        try:
            self._beat()
        except redis.RedisError:
            self._next_beat = time.monotonic() + self._beat_seconds

    def _housekeeping(self) -> None:
        now = time.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP_SECONDS * random.uniform(0.5, 1.5)
            if self._fleet.others.turn("sweep", SWEEP_TURN_MS):
                self._sweep()
        if now >= self._next_upkeep:
            self._next_upkeep = now + UPKEEP_SECONDS * random.uniform(0.5, 1.5)
            if self._fleet.others.turn("upkeep", UPKEEP_TURN_MS):
                self._upkeep()
        elif self._idle_left:
            self._end_idle()

    def _sweep(self) -> None:
        moved = self._fleet.others.sweep()
        if moved:
            log.info("took over from a dead decoder", extra={"tokens": moved})
        for call_id in self._ingest.end_dropped():
            log.info("ended a call whose socket did not come back", extra={"call_id": call_id})

    def _upkeep(self) -> None:
        stalled = self._fleet.others.rescue_stalled()
        if stalled:
            log.warning("moved stalled tokens", extra={"tokens": stalled})
        self._end_idle()

    def _end_idle(self) -> None:
        """End calls whose sender went away; if many did, some with every turn, so that the tracks do not wait."""
        ended = self._ingest.end_idle(self._idle_seconds)
        for call_id in ended:
            log.info("ended a call whose sender went away", extra={"call_id": call_id})
        self._idle_left = len(ended) >= ENDED_AT_ONCE


def _where(token: Token) -> dict[str, Any]:
    """A track, for the log."""
    return {"call_id": token.call_id, "track": token.track}
