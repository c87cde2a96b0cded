"""Why the server of REDIS_URL does not answer as it should, in one line for the person who set it."""

from __future__ import annotations

from urllib.parse import urlsplit

import redis


def told(url: str, error: redis.RedisError) -> str:
    """One sentence about the server at `url`: what happened, and what to look at. It holds no password."""
    parts = urlsplit(url)
    where = f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    if isinstance(error, redis.AuthenticationError | redis.exceptions.AuthorizationError):
        return f"the server at {where} refuses the name and password of REDIS_URL: {error}"
    if isinstance(error, redis.exceptions.InvalidResponse):
        return f"what answers at {where} is no Redis; look at REDIS_URL"
    if parts.scheme == "rediss" and isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return f"the server at {where} does not answer over TLS, which rediss:// asks for: {error}"
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return f"the server at {where} does not answer: {error}"
    return f"the server at {where} refuses: {error}"
