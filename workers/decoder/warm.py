"""The warm cache: the tracks this decoder worked on last, within a budget of memory.

Only a cache. The next chunk rebuilds from Redis whatever is thrown out or lost with the process.
"""

from __future__ import annotations

from collections import OrderedDict

from workers.decoder.track import WarmTrack

Key = tuple[str, str]
"""Call id and track."""


class WarmCache:
    """Least recently used first out. Sizes are the engines' estimates, taken when a track is put."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._tracks: OrderedDict[Key, tuple[WarmTrack, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._tracks)

    def take(self, key: Key) -> WarmTrack | None:
        """The track, removed. Nobody else may find it while it works, or if the work fails."""
        warm, size = self._tracks.pop(key, (None, 0))
        self._bytes -= size
        return warm

    def put(self, key: Key, warm: WarmTrack) -> None:
        """Keep a track whose commit succeeded. The oldest leave until the budget holds."""
        self.take(key)
        size = warm.memory_bytes
        self._tracks[key] = (warm, size)
        self._bytes += size
        while self._bytes > self._budget_bytes and self._tracks:
            _, (_, freed) = self._tracks.popitem(last=False)
            self._bytes -= freed
