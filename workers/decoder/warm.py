"""The warm cache: sessions of tracks this decoder worked on last, within a budget of memory.

Only a cache. The next chunk rebuilds from Redis whatever is thrown out or lost with the process.
"""

from __future__ import annotations

from collections import OrderedDict

from workers.decoder.track import Session

Key = tuple[str, str]
"""Call id and track."""


class WarmCache:
    """Least recently used first out. Sizes are the engines' estimates, taken when a session is put."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._sessions: OrderedDict[Key, tuple[Session, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def take(self, key: Key) -> Session | None:
        """The session, removed. Nobody else may find it while it works, or if the work fails."""
        session, size = self._sessions.pop(key, (None, 0))
        self._bytes -= size
        return session

    def put(self, key: Key, session: Session) -> None:
        """Keep a session whose commit succeeded. The oldest leave until the budget holds."""
        self.take(key)
        size = session.memory_bytes
        self._sessions[key] = (session, size)
        self._bytes += size
        while self._bytes > self._budget_bytes and self._sessions:
            _, (_, freed) = self._sessions.popitem(last=False)
            self._bytes -= freed
