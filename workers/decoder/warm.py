"""The warm cache: the tracks this decoder worked on last, within a budget of memory.

It is only a cache. The next chunk rebuilds from Redis what the cache has thrown out or the process has lost.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from workers.engines.base import Recogniser, Snapshot
from workers.voice.heard import Heard

Key = tuple[str, str]
"""Call id and track."""

KEPT_SECONDS = 300.0
"""Seconds without a lease after which a track leaves: another decoder has it, or its call has ended. An overloaded loop
takes less from one lease of a track to the next."""


class WarmTrack:
    """A track's recogniser, and the audio it has seen. A decoder keeps it warm between two leases."""

    def __init__(self, recogniser: Recogniser, saved: Snapshot | None) -> None:
        self.recogniser = recogniser
        self.heard = Heard()
        self.open_chunks: list[tuple[int, int]] = []  # (seq, first sample after it) since the open utterance began
        self.partial = saved.partial if saved else ""  # as last told
        self.partial_at = saved.partial_at if saved else 0  # sample up to which the last one was computed
        self.lag_seconds = 0.0  # as last told
        self.wordless = False  # whether it has told that voice gives no words
        self.committed = ""  # lease of the last commit
        self.done_seq = 0

    @property
    def memory_bytes(self) -> int:
        """Estimated bytes of memory to keep this track warm."""
        return self.recogniser.memory_bytes + self.heard.memory_bytes

    def begins_in(self, open_from: int, done: int) -> int:
        """Number of the chunk that contains sample `open_from`, the open utterance's first."""
        self.heard.forget(open_from)
        self.open_chunks = [(seq, end) for seq, end in self.open_chunks if end > open_from]
        return self.open_chunks[0][0] if self.open_chunks else done + 1


class WarmCache:
    """Least recently used first out. Sizes are the engines' estimates, taken when a track is put."""

    def __init__(self, budget_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self._budget_bytes = budget_bytes
        self._now = now
        self._tracks: OrderedDict[Key, tuple[WarmTrack, int, float]] = OrderedDict()
        """With its size, and the moment from which it is too old."""
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._tracks)

    def take(self, key: Key) -> WarmTrack | None:
        """Remove and return the track. Nobody else may find it while somebody works on it, or if the work fails."""
        warm, size, _ = self._tracks.pop(key, (None, 0, 0.0))
        self._bytes -= size
        return warm

    def put(self, key: Key, warm: WarmTrack) -> None:
        """Keep a track whose commit succeeded. The oldest leave: those that are too old, and more until the budget
        holds."""
        self.take(key)
        size, now = warm.memory_bytes, self._now()
        self._tracks[key] = (warm, size, now + KEPT_SECONDS)
        self._bytes += size
        while self._tracks and (self._bytes > self._budget_bytes or self._oldest_until() <= now):
            _, (_, freed, _) = self._tracks.popitem(last=False)
            self._bytes -= freed

    def _oldest_until(self) -> float:
        _, _, until = next(iter(self._tracks.values()))
        return until
