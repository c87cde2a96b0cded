"""Copies what the store holds beside calls, and puts it back into an empty store.

It leaves calls out: a replica and an append-only file keep those, not a copy of yesterday. It leaves out LEFT_OUT too.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
import redis

from state import keys

SET_UP = (keys.RULES, keys.API_KEYS, keys.USERS, keys.EXTENSIONS, keys.QUEUES, keys.VOCABULARIES)
"""Hashes that people filled. A store that has one of them is not empty."""

HASHES = (*SET_UP, keys.MODELS)
"""A store with attention models alone counts as empty: a process that looks for something to learn writes there."""

STRINGS = (keys.SECRET,)
STREAMS = (keys.AUDIT, keys.AUDIT_ACTS)

LEFT_OUT = {
    keys.LAYOUT: "an empty store gets a new layout",
    keys.NODES: "processes look for the cluster's nodes again",
    keys.FLEET: "decoders introduce themselves again",
    keys.API_KEYS_USED: "it only says when a key was last used",
    keys.SESSIONS: "people sign in again",
    keys.LIMITS: "counters of seconds and minutes",
    keys.JOBS_BOARD: "jobs workers write it again",
    keys.JOBS_WISHED: "admins press the button again",
}
"""Keys of no call that a copy lacks, and why that does no harm. A test fails for a key that is in none of these."""

AT_ONCE = 1000
"""Entries of a stream in one request."""

Fields = dict[bytes, bytes]


class Belongings(msgspec.Struct, frozen=True):
    """By key. Streams: each entry's id and fields, oldest first."""

    hashes: dict[str, Fields]
    strings: dict[str, bytes]
    streams: dict[str, list[tuple[bytes, Fields]]]


class NotEmpty(RuntimeError):
    """The store has accounts, keys, rules or queues of its own. Nothing was changed."""


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
    """Put the copy back, all or nothing.

    Raises:
        NotEmpty: accounts, API keys, rules or queues are there.
        redis.RedisError: as the client does.
    """
    with cast(Any, client.pipeline()) as pipe:
        pipe.watch(*SET_UP)
        if pipe.exists(*SET_UP):
            raise NotEmpty("this store has accounts, API keys, rules or queues; a copy goes into an empty one only")
        pipe.multi()
        pipe.delete(keys.MODELS, *STREAMS)
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
