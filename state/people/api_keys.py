"""API keys in Redis. Nothing is cached, so a revoked one is void at once."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import redis

from state import keys
from state.credentials import (
    SHOWN_CHARACTERS,
    ApiKey,
    CredentialError,
    Scope,
    check_agent,
    check_name,
    digest,
    make_key,
    parse_given_keys,
)
from state.server.asking import ask
from state.server.clock import now_ms

USED_EVERY_SECONDS = 60.0
"""Precision of a key's last use: a minute. A write for every chunk would help nobody."""

_decode_key = msgspec.json.Decoder(ApiKey).decode


class ApiKeys:
    """API keys: those of scripts/keys, and those of the environment (`given`: the text of API_KEYS)."""

    def __init__(self, client: redis.Redis, given: str = "") -> None:
        self._redis = client
        self._given = parse_given_keys(given)
        self._noted: dict[str, float] = {}

    @property
    def given_names(self) -> set[str]:
        """Names of the keys of the environment. Nobody can revoke them here."""
        return {key.name for key in self._given.values()}

    def find(self, key: str) -> ApiKey | None:
        """What `key` may do. None if there is no such key, or no longer."""
        by = digest(key)
        given = self._given.get(by)
        if given:
            return given
        [kept] = ask(self._redis, ("HGET", keys.API_KEYS, by))
        if not kept:
            return None
        self._note_use(by)
        return _decode_key(kept)

    def _note_use(self, by: str) -> None:
        now = time.monotonic()
        if by not in self._noted or now - self._noted[by] >= USED_EVERY_SECONDS:
            self._redis.hset(keys.API_KEYS_USED, by, str(now_ms(self._redis)))
            self._noted[by] = now

    def add(self, name: str, scopes: tuple[Scope, ...], agent: str = "") -> str:
        """Make a key and return it. Nobody can read it later. agent: of the scope agent, whose it is. Raises
        CredentialError for a name that is taken, and for a scope agent that is not alone or nobody's."""
        name, key = check_name(name), make_key()
        if "agent" in scopes and len(scopes) > 1:
            raise CredentialError("an agent's key has no other scope")
        agent = check_agent(agent) if "agent" in scopes else ""
        now = now_ms(self._redis)
        made = ApiKey(name=name, scopes=scopes, shown=key[:SHOWN_CHARACTERS], created_at_ms=now, agent=agent)

        def store(pipe: Any) -> None:
            if name in [_decode_key(kept).name for kept in pipe.hvals(keys.API_KEYS)]:
                raise CredentialError("key {name} exists already. Revoke it first or take another name", name=name)
            pipe.multi()
            pipe.hset(keys.API_KEYS, digest(key), msgspec.json.encode(made))

        self._redis.transaction(store, keys.API_KEYS)
        return key

    def all(self) -> list[ApiKey]:
        """Every key, oldest first; those of the environment before them (with created_at_ms 0)."""
        kept: Any = self._redis.hgetall(keys.API_KEYS)
        used: Any = self._redis.hgetall(keys.API_KEYS_USED)
        found = [
            msgspec.structs.replace(_decode_key(value), used_at_ms=int(used[by]) if by in used else None)
            for by, value in kept.items()
        ]
        return [*self._given.values(), *sorted(found, key=lambda key: (key.created_at_ms, key.name))]

    def revoke(self, name: str) -> bool:
        """Make the key of this name void on every process. False if there is none."""
        kept: Any = self._redis.hgetall(keys.API_KEYS)
        gone = [by for by, value in kept.items() if _decode_key(value).name == name.lower()]
        if not gone:
            return False
        removed: Any = self._redis.hdel(keys.API_KEYS, *gone)
        self._redis.hdel(keys.API_KEYS_USED, *gone)
        return bool(removed)
