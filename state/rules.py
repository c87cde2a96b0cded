"""The supervisors' rules as text: one edition in the store, counted, and never overwritten unseen.

workers/insight/rules/rule.py knows what the text means.
"""

from __future__ import annotations

import hashlib
from typing import Any, cast

import msgspec
import redis

from state import keys
from state.server.clock import now_ms

WRITE_TRIES = 5


class RulesText(msgspec.Struct, frozen=True):
    """One edition. version counts from 2: edition 1 is the starter set, which is not stored."""

    version: int
    digest: str
    text: str


class RulesChanged(Exception):
    """Somebody else has saved an edition."""


class RulesStore:
    """Reads are safe to repeat; `save` writes one edition."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def version(self) -> int | None:
        """Of the stored edition, or None. Cheap: asked about once a second by every sentiment worker."""
        found = cast("bytes | None", self._redis.hget(keys.RULES, "version"))
        return int(found) if found is not None else None

    def read(self) -> RulesText | None:
        """The stored edition, or None if the starter set applies."""
        version, digest, text = cast(list[Any], self._redis.hmget(keys.RULES, "version", "digest", "text"))
        return RulesText(int(version), digest.decode(), text.decode()) if version is not None else None

    def save(self, text: str, after: int, version: int) -> RulesText:
        """Store `text` as edition `version`, if `after` is the edition that applies now (1: the starter set).

        Raises RulesChanged if it is not.
        """
        edition = RulesText(version, hashlib.sha256(text.encode()).hexdigest()[:16], text)
        with cast(Any, self._redis.pipeline()) as pipe:
            for _ in range(WRITE_TRIES):
                pipe.watch(keys.RULES)
                found = pipe.hget(keys.RULES, "version")
                if int(found or 1) != after:
                    raise RulesChanged
                pipe.multi()
                fields = {"text": text, "version": version, "digest": edition.digest}
                pipe.hset(keys.RULES, mapping={**fields, "saved_at_ms": now_ms(self._redis)})
                try:
                    pipe.execute()
                except redis.WatchError:
                    continue
                return edition
        raise RulesChanged
