"""Days for which words of archived calls are kept, by queue: as admins say on a page, else as WORDS_DAYS says."""

from __future__ import annotations

from typing import Any, cast

import redis

from state import keys
from state.settings import Settings
from state.settings.values import words_days

FOR_EVER = 0
"""Days that say so."""

OTHERS = "*"
"""Stands for all queues that are not named, and for calls without one."""


class Queues:
    """Raises redis.RedisError as the client does."""

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self._redis = client
        self._set_up = words_days(settings.words_days)

    def said(self) -> dict[str, int]:
        """Queue -> days, as admins said; they win over WORDS_DAYS."""
        found = cast(dict[bytes, bytes], cast(Any, self._redis.hgetall(keys.QUEUES)))
        return {queue.decode(): int(days) for queue, days in found.items()}

    def words(self) -> dict[str, int]:
        """Queue -> days, from admins or WORDS_DAYS; OTHERS is among them."""
        return {OTHERS: FOR_EVER} | self._set_up | self.said()

    def say(self, queue: str, days: int | None) -> None:
        """Keep the words of this queue for so long. None: as WORDS_DAYS says."""
        if days is None:
            self._redis.hdel(keys.QUEUES, queue)
        else:
            self._redis.hset(keys.QUEUES, queue, days)
