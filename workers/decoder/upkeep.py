"""One decoder's care for its shard: dead, busy and stalled decoders' tokens, and calls whose sender went away.

The decoders of a shard take turns, so a large fleet looks no more often than a small one.
"""

from __future__ import annotations

import logging
import random
import time

from state.calls.ingest import ENDED_AT_ONCE, Ingest
from state.calls.rescue import Rescue
from state.server.shards import Shard

SWEEP_SECONDS = 1.0
"""Seconds between two looks for dead decoders, busy or not. Jittered, so that a fleet does not look in step."""

UPKEEP_SECONDS = 10.0
"""Seconds between two looks for stalled tokens and for calls whose sender went away."""

RELIEVE_TURN_MS, SWEEP_TURN_MS, UPKEEP_TURN_MS = 200, 500, 5000
"""Milliseconds in which only one decoder of the shard looks. Less than each waits, so that a fleet of one looks every
time."""

log = logging.getLogger("earshot.decoder")


class Upkeep:
    """Every method raises redis.RedisError as the client does."""

    def __init__(self, shard: Shard, others: Rescue, ingest: Ingest, idle_seconds: int) -> None:
        """idle_seconds: without a chunk, after which a live call ends."""
        self._shard = shard
        self._others = others
        self._ingest = ingest
        self._idle_seconds = idle_seconds
        self._next_sweep = self._next_upkeep = 0.0
        self._idle_left = False

    def relieve(self) -> bool:
        """Move tokens that wait too long for a busy decoder to everybody. Returns whether there were any."""
        return self._others.turn("relieve", RELIEVE_TURN_MS) and self._others.relieve() > 0

    def due(self) -> None:
        """Do what is due now."""
        now, others = time.monotonic(), self._others
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP_SECONDS * random.uniform(0.5, 1.5)
            if others.turn("sweep", SWEEP_TURN_MS):
                self._sweep()
        if now >= self._next_upkeep:
            self._next_upkeep = now + UPKEEP_SECONDS * random.uniform(0.5, 1.5)
            if others.turn("upkeep", UPKEEP_TURN_MS):
                self._upkeep()
        elif self._idle_left:
            self._end_idle()

    def _sweep(self) -> None:
        moved = self._others.sweep()
        if moved:
            log.info("took over from a dead decoder", extra={"tokens": moved})
        for call_id in self._ingest.end_dropped(self._shard):
            log.info("ended a call whose socket did not come back", extra={"call_id": call_id})

    def _upkeep(self) -> None:
        stalled = self._others.rescue_stalled()
        if stalled:
            log.warning("moved stalled tokens", extra={"tokens": stalled})
        self._end_idle()

    def _end_idle(self) -> None:
        """End calls whose sender went away. If many did, end some with every turn, so that the tracks do not wait."""
        ended = self._ingest.end_idle(self._shard, self._idle_seconds)
        for call_id in ended:
            log.info("ended a call whose sender went away", extra={"call_id": call_id})
        self._idle_left = len(ended) >= ENDED_AT_ONCE
