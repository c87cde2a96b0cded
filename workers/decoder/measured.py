"""The figures of a decode loop: how long tracks waited for it, and how busy it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

import redis

from state import metrics
from state.calls.leases import Commit, Lease, Token
from state.server.clock import RunningClock
from workers.decoder.warm import WarmTrack

BUSY_OVER_SECONDS = 10.0
"""Seconds of a loop's time in one measurement of its busy share."""


class Busy:
    """Share of its time for which a decode loop has a lease, in any shard."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._since, self._seconds, self._percent = now(), 0.0, 0

    def add(self, seconds: float) -> None:
        """The loop had a lease for so long."""
        self._seconds += seconds

    def percent(self) -> int:
        """The busy share of the last full BUSY_OVER_SECONDS."""
        elapsed = self._now() - self._since
        if elapsed >= BUSY_OVER_SECONDS:
            self._percent = min(100, round(100 * self._seconds / elapsed))
            self._since, self._seconds = self._now(), 0.0
        return self._percent


log = logging.getLogger("earshot.decoder")


class Measured:
    """The figures of one decoder's commits in one shard."""

    def __init__(self, clock: RunningClock, busy: Busy) -> None:
        self._clock = clock
        self._busy = busy

    def committed(self, lease: Lease, change: Commit, busy_seconds: float) -> None:
        """Count a commit.

        A token enters its stream when the first of the waiting chunks comes. In real time that is the moment at which
        the chunk's audio ends.
        """
        metrics.BUSY_SECONDS.inc(busy_seconds)
        self._busy.add(busy_seconds)
        metrics.DECODED_SECONDS.inc(change.audio_ms / 1000)
        with suppress(redis.RedisError):  # the commit is done; its delay then goes uncounted
            self._delays(lease, change, self._clock.now_ms())

    def heard(self, token: Token, change: Commit, warm: WarmTrack) -> None:
        """Tell of a track whose voice gives no words, once each time this begins."""
        if change.wordless and not warm.wordless:
            metrics.WORDLESS.inc()
            log.warning("voice is heard and gives no words", extra={"call_id": token.call_id, "track": token.track})
        warm.wordless = change.wordless

    def _delays(self, lease: Lease, change: Commit, now_ms: float) -> None:
        waited_seconds = max(0.0, now_ms - lease.token.at_ms) / 1000
        metrics.COMMIT_DELAY.observe(waited_seconds)
        first = next((chunk for chunk in lease.journal if chunk.seq > lease.done_seq), None)
        # Without a chunk the call's end is what came.
        arrived_seconds = (first.at + first.samples if first else lease.samples) / lease.rate
        for final in change.finals:
            if final.mark is None:
                metrics.SPEECH_DELAY.observe(max(0.0, waited_seconds + arrived_seconds - final.end))
