"""The shards of the store. A call belongs to one of them, and nothing of a call crosses shards.

A shard is one hash tag, so one slot: all its keys are on one server, and its steps are scripts there. A plain server
holds one or more shards. A cluster holds many, each on the node that has its slot at the moment. What belongs to no
call (accounts, sessions, rules, the audit trail, jobs) is on one plain server beside them.

    shard = shards.of(call_id)
    shard.run("ingest", audio, call_id=call_id, ...)
    shard.redis.hget(shard.keys.call(call_id), "state")
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import redis

from state.keys import Keys
from state.server.cluster import Route
from state.server.connection import AWAY
from state.server.scripts import Scripts
from state.server.slots import tags

Answer = TypeVar("Answer")


class Shard:
    """One part of the calls: the names of its keys, the client for the server that has them, and its scripts.

    Its methods raise redis.RedisError as the client does; see `away`.
    """

    def __init__(self, number: int, keys: Keys, client: redis.Redis, route: Route | None = None) -> None:
        self.number = number
        self.keys = keys
        self.redis = client
        self._route = route
        scripts = Scripts(client, keys)
        self.run = scripts.run
        self.run_all = scripts.run_all
        self.command = scripts.command
        self.load = scripts.load

    @property
    def away(self) -> bool:
        """Whether its server did not answer when last asked. For a plain server nobody notes that."""
        return self._route is not None and self._route.away

    def now_ms(self) -> int:
        """Milliseconds since 1970 by its server's clock."""
        seconds, micros = self.redis.time()
        return int(seconds) * 1000 + int(micros) // 1000


class Shards:
    """All shards, in the order of their numbers, and the plain server beside them."""

    def __init__(self, find: Callable[[], Sequence[Shard]], plain: redis.Redis) -> None:
        """find: asks the store for its shards. It runs at the first use, so that a process can start without the
        store."""
        self.plain = plain
        self._find = find
        self._found: Sequence[Shard] = ()
        self._lock = threading.Lock()

    def of(self, call_id: str) -> Shard:
        """The shard that the call belongs to, for good. Raises redis.RedisError, connection.ServerUnfit."""
        found = self._found or self._all()
        return found[zlib.crc32(call_id.encode()) % len(found)] if len(found) > 1 else found[0]

    def __iter__(self) -> Iterator[Shard]:
        return iter(self._found or self._all())

    def __len__(self) -> int:
        return len(self._found or self._all())

    def __getitem__(self, number: int) -> Shard:
        return (self._found or self._all())[number]

    def answers(self, ask: Callable[[Shard], Answer]) -> dict[int, Answer]:
        """What each shard answers, by its number, without those that are away.

        Raises redis.RedisError if none answers.
        """
        answers: dict[int, Answer] = {}
        failure: redis.RedisError | None = None
        for shard in self:
            try:
                answers[shard.number] = ask(shard)
            except AWAY as error:
                failure = error
        if failure is not None and not answers:
            raise failure
        return answers

    def close(self) -> None:
        """Close all connections."""
        self.plain.close()
        for shard in self._found:
            shard.redis.close()

    def _all(self) -> Sequence[Shard]:
        with self._lock:
            if not self._found:
                self._found = self._find()
        return self._found


def shards_on(client: redis.Redis, count: int = 1) -> Shards:
    """So many shards on one server, which is the plain one, too."""
    found = [Shard(number, Keys(tag), client) for number, tag in enumerate(tags(count))]
    return Shards(lambda: found, client)


def shards_of(store: Shards | redis.Redis) -> Shards:
    """The shards; for a plain server's client, its only shard."""
    return store if isinstance(store, Shards) else shards_on(store)


def merged(parts: dict[int, list[Any]], key: Callable[[Any], Any], most: int) -> list[tuple[int, Any]]:
    """The first `most` of what sorted lists hold, each with its shard's number."""
    return sorted(((n, one) for n, part in parts.items() for one in part), key=lambda each: key(each[1]))[:most]
