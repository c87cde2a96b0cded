"""What is in the store and is no call's: a copy of it, and its return into an empty store.

Rules, API keys, accounts, extensions, the key that signs cookies, and the audit trail as far as it still stands in the
store. Left out: calls (a replica and an append-only file keep those, not a copy of yesterday), sessions (people sign in
again), and what processes make anew.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
import redis

from state import keys

HASHES = (keys.RULES, keys.API_KEYS, keys.USERS, keys.EXTENSIONS)
STRINGS = (keys.SECRET,)
STREAMS = (keys.AUDIT, keys.AUDIT_ACTS)

AT_ONCE = 1000
"""Entries of a stream in one request."""

Fields = dict[bytes, bytes]


class Belongings(msgspec.Struct, frozen=True):
    """By key. Streams: each entry's id and fields, oldest first."""

    hashes: dict[str, Fields]
    strings: dict[str, bytes]
    streams: dict[str, list[tuple[bytes, Fields]]]


class NotEmpty(RuntimeError):
    """The store has accounts or keys of its own. Nothing was changed."""


def read(client: redis.Redis) -> Belongings:
    """All that is there. Raises redis.RedisError as the client does."""
    hashes = {key: cast(Fields, client.hgetall(key)) for key in HASHES}
    strings = {key: cast("bytes | None", client.get(key)) for key in STRINGS}
    return Belongings(
        hashes={key: fields for key, fields in hashes.items() if fields},
        strings={key: value for key, value in strings.items() if value is not None},
        streams={key: _entries(client, key) for key in STREAMS},
    )


def write(client: redis.Redis, found: Belongings) -> None:
    """Put it back, all or nothing.

    Raises:
        NotEmpty: accounts, API keys or rules are there.
        redis.RedisError: as the client does.
    """
    with cast(Any, client.pipeline()) as pipe:
        pipe.watch(*HASHES)
        if pipe.exists(*HASHES):
            raise NotEmpty("this store has accounts, API keys or rules; a copy goes into an empty one only")
        pipe.multi()
        pipe.delete(*STREAMS)
        for key, fields in found.hashes.items():
            pipe.hset(key, mapping=fields)
        for key, value in found.strings.items():
            pipe.set(key, value)
        for key, entries in found.streams.items():
            for entry_id, fields in entries:
                pipe.xadd(key, fields, id=entry_id)
        pipe.execute()


def _entries(client: redis.Redis, key: str) -> list[tuple[bytes, Fields]]:
    found: list[tuple[bytes, Fields]] = []
    start = "-"
    while entries := cast(list[Any], client.xrange(key, start, count=AT_ONCE)):
        found += entries
        start = f"({entries[-1][0].decode()}"
    return found
