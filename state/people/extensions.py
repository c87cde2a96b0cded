"""The extensions at which supervisors can be called, by name."""

from __future__ import annotations

from typing import Any, cast

import redis

from state import keys


class Extensions:
    """One hash. Names are those of accounts, or of people of the OpenID Connect provider."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def of(self, name: str) -> str:
        """The extension of `name`; "" if none is known."""
        kept = cast(Any, self._redis.hget(keys.EXTENSIONS, name))
        return kept.decode() if kept else ""

    def set(self, name: str, extension: str) -> None:
        """ "" forgets it."""
        if extension:
            self._redis.hset(keys.EXTENSIONS, name, extension)
        else:
            self._redis.hdel(keys.EXTENSIONS, name)
