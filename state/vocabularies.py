"""Names, products and places that people say in each queue, as admins wrote them. Decoders correct words by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import redis

from state import keys
from state.queues import OTHERS

MOST_NAMES = 500
"""At most so many names of a queue. A decoder compares each of them with what is said."""
MOST_LETTERS = 64
"""At most so many characters in a name."""

_EDITION = ""
"""Field that counts the editions; no queue has this name."""


class Edition(msgspec.Struct, frozen=True):
    """All lists. number: counts every change. names: by queue; OTHERS stands for queues without a list of their own."""

    number: int
    names: dict[str, list[str]]

    def of(self, queue: str) -> list[str]:
        """The names of a queue."""
        return self.names.get(queue, self.names.get(OTHERS, []))


class Vocabularies:
    """Raises redis.RedisError as the client does."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def number(self) -> int:
        """Of the present edition. Cheap: every decoder asks every few seconds."""
        return int(cast("bytes | None", self._redis.hget(keys.VOCABULARIES, _EDITION)) or 0)

    def read(self) -> Edition:
        """The present edition."""
        found = cast(dict[bytes, bytes], cast(Any, self._redis.hgetall(keys.VOCABULARIES)))
        number = int(found.pop(_EDITION.encode(), 0))
        return Edition(number, {queue.decode(): msgspec.json.decode(names) for queue, names in found.items()})

    def say(self, queue: str, names: Sequence[str]) -> None:
        """Set the names of this queue. None: it has no list of its own."""
        with cast(Any, self._redis.pipeline()) as pipe:
            pipe.hincrby(keys.VOCABULARIES, _EDITION, 1)
            if names:
                pipe.hset(keys.VOCABULARIES, queue, msgspec.json.encode(list(names)))
            else:
                pipe.hdel(keys.VOCABULARIES, queue)
            pipe.execute()
