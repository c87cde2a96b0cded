"""What holds words or sound and is old goes, on a quiet system too. docs/ACCESS.md has the ages of all that is kept.

`sweep` is done every few seconds by every sentiment process: there always is one, and it is harmless to do twice.
"""

from __future__ import annotations

from typing import Any, cast

import redis

from state import keys
from state.clock import now_ms
from state.events import QUIET
from state.scripts import Scripts
from state.settings import Settings

FEED_SECONDS = 3600
"""Age at which an event leaves the feed. A page that was away for longer takes a new snapshot."""

CALLS_A_SWEEP = 100
"""Calls erased at most at once: some milliseconds of the server."""


class Retention:
    """Enforces the ages. Every method is safe to repeat."""

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self._redis = client
        self._scripts = Scripts(client, keys.STORE)
        self._kept_ms = settings.retention_hours * 3_600_000

    def sweep(self) -> int:
        """Remove what is too old; returns how many calls. There may be more of them than are erased at once."""
        now = now_ms(self._redis)
        before = now - self._kept_ms
        calls = self._old_calls(before)
        for call_id in calls:
            self.erase(call_id, before)
        self._clear_dead_letters(before)
        self._clear_feed(now)
        return len(calls)

    def erase(self, call_id: str, before_ms: int | None = None) -> bool:
        """Erase a call whole, whatever its state; before_ms: only if nothing has happened to it since. Whether it did.

        Its words stay in the feed for up to FEED_SECONDS.
        """
        only = {} if before_ms is None else {"before_ms": before_ms}
        return bool(self._scripts.run("erase", call_id=call_id, **only)["outcome"] == "ERASED")

    def _old_calls(self, before_ms: int) -> list[str]:
        """Calls that ended, began to end, or were last heard of before that moment."""
        found: list[bytes] = []
        for listed in (keys.RETAINED, keys.IDLE):
            found += cast(list[bytes], self._redis.zrangebyscore(listed, "-inf", before_ms, start=0, num=CALLS_A_SWEEP))
        return [call_id.decode() for call_id in dict.fromkeys(found)]

    def _clear_dead_letters(self, before_ms: int) -> None:
        self._redis.xtrim(keys.DEAD, minid=f"{before_ms}-0", approximate=False)
        texts = cast(list[bytes], self._redis.hkeys(keys.DEAD_TEXTS))
        if not texts:
            return
        pipe = self._redis.pipeline(transaction=False)
        for letter_id in texts:
            pipe.xrange(keys.DEAD, letter_id, letter_id)
        gone = [letter_id for letter_id, letter in zip(texts, pipe.execute(), strict=True) if not letter]
        if gone:
            self._redis.hdel(keys.DEAD_TEXTS, *gone)

    def _clear_feed(self, now: int) -> None:
        """Cut old events off. Whoever follows the feed stands at its last entry, which must stay: where that has become
        old, one without words comes after it, and the cut is left to the next sweep."""
        newest = cast(list[Any], self._redis.xrevrange(keys.FEED, count=1))
        if not newest:
            return
        said_at_ms, _ = keys.entry_id(newest[0][0].decode())
        if said_at_ms <= now - FEED_SECONDS * 500:
            self._redis.xadd(keys.FEED, {"j": QUIET})
        else:
            self._redis.xtrim(keys.FEED, minid=f"{now - FEED_SECONDS * 1000}-0", approximate=False)
