"""The store's clock: the one that all processes go by, since those of two hosts never agree."""

from __future__ import annotations

from typing import Any

import redis


def now_ms(client: redis.Redis) -> int:
    """Milliseconds since 1970 at the store. Raises redis.RedisError as the client does."""
    answer: Any = client.time()
    seconds, micros = answer
    return int(seconds) * 1000 + int(micros) // 1000
