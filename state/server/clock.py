"""The store's clock. All processes use it, because the clocks of two hosts never agree."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import redis

ASK_SECONDS = 60.0
"""Seconds after which a running clock asks the store again: two hosts drift apart by milliseconds in that time."""


def now_ms(client: redis.Redis) -> int:
    """Milliseconds since 1970 at the store. Raises redis.RedisError as the client does."""
    answer: Any = client.time()
    seconds, micros = answer
    return int(seconds) * 1000 + int(micros) // 1000


class RunningClock:
    """The store's time for measurements, without a question to the store each time."""

    def __init__(self, ask: Callable[[], int]) -> None:
        """ask: tells the store's time in milliseconds since 1970."""
        self._ask = ask
        self._ahead_ms = 0.0
        self._ask_at = float("-inf")

    def now_ms(self) -> float:
        """Milliseconds since 1970 at the store, right to a few. Raises what `ask` raises."""
        now = time.monotonic()
        if now >= self._ask_at:
            self._ahead_ms = self._ask() - now * 1000
            self._ask_at = now + ASK_SECONDS
        return now * 1000 + self._ahead_ms
