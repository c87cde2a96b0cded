"""Sign-ins in Redis, and names of people who signed in elsewhere. Nothing is cached: an ended one is void at once."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any, Literal

import msgspec
import redis

from state import keys
from state.credentials import digest
from state.people.accounts import Role, Users
from state.server.clock import now_ms

TOKEN_BYTES = 32

OIDC_SHOWN_CHARACTERS, OIDC_DIGITS = 46, 12
"""Hex digits of a person's issuer and subject in their name. With ":oidc:" it fits 64 characters, the most of an
account's name. 48 bits tell people apart who do not choose their subject. The trail has all of it."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in. name: of the account; for a person of the OpenID Connect provider see `oidc_name`. issuer, subject: of
    such a person; "" for an account. stamp: see User; of a personal link the digest of its key. address: where the
    sign-in came from. agent: whose calls one of the role agent reaches."""

    name: str
    role: Role
    origin: Literal["account", "oidc", "key"]
    stamp: str = ""
    issuer: str = ""
    subject: str = ""
    address: str = ""
    agent: str = ""
    begun_at_ms: int = 0
    until_ms: int = 0


def link_name(key: str) -> str:
    """The name of a person who came by a key's personal link. No account, key or person of a provider can have it."""
    return f"{key}:link"


def oidc_name(shown: str, issuer: str, subject: str) -> str:
    """The name of a person of an OpenID Connect provider: `shown`, the provider's name for them, and digits of issuer
    and subject that nobody else has. No account or key can have such a name (credentials.NAME allows no ':').
    """
    plain = re.sub(r"[^\w.@+-]", "_", shown)[:OIDC_SHOWN_CHARACTERS]
    return f"{plain}:oidc:{digest(json.dumps([issuer, subject]))[:OIDC_DIGITS]}"


_decode_session = msgspec.json.Decoder(Session).decode


class Sessions:
    """Sign-ins. The browser's cookie holds a random token, Redis its digest."""

    def __init__(self, client: redis.Redis, users: Users) -> None:
        self._redis = client
        self._users = users

    def begin(self, session: Session, hours: int) -> str:
        """A new session's token. It is good for `hours`, by Redis' clock."""
        token, seconds = secrets.token_urlsafe(TOKEN_BYTES), hours * 3600
        now = now_ms(self._redis)
        kept = msgspec.structs.replace(session, begun_at_ms=now, until_ms=now + seconds * 1000)
        pipe = self._redis.pipeline()
        pipe.zremrangebyscore(keys.SESSIONS, "-inf", now)
        pipe.zadd(keys.SESSIONS, {digest(token): kept.until_ms})
        pipe.set(keys.session(digest(token)), msgspec.json.encode(kept), ex=seconds)
        pipe.execute()
        return token

    def find(self, token: str) -> Session | None:
        """The session, if it exists, has not ended or run out, and its account is still the same."""
        kept: Any = self._redis.get(keys.session(digest(token)))
        return self._good(_decode_session(kept)) if kept else None

    def all(self) -> list[Session]:
        """Every good session, by name."""
        return sorted((session for _, session in self._all()), key=lambda found: (found.name, found.begun_at_ms))

    def end(self, token: str) -> None:
        self._end([digest(token)])

    def end_all(self, name: str) -> int:
        """End every session of this name on all processes; returns how many there were."""
        ended = [by for by, session in self._all() if session.name == name]
        self._end(ended)
        return len(ended)

    def _end(self, digests: list[str]) -> None:
        if digests:
            pipe = self._redis.pipeline()
            pipe.delete(*(keys.session(by) for by in digests))
            pipe.zrem(keys.SESSIONS, *digests)
            pipe.execute()

    def _all(self) -> list[tuple[str, Session]]:
        listed: Any = self._redis.zrange(keys.SESSIONS, 0, -1)
        found = [by.decode() for by in listed]
        values: Any = self._redis.mget([keys.session(by) for by in found]) if found else []
        kept = [(by, _decode_session(value)) for by, value in zip(found, values, strict=True) if value]
        return [(by, session) for by, session in kept if self._good(session)]

    def _good(self, session: Session) -> Session | None:
        if session.origin == "account":
            user = self._users.find(session.name)
            if user is None or user.stamp != session.stamp:
                return None
        if session.origin == "key" and not self._redis.hexists(keys.API_KEYS, session.stamp):
            return None
        return session
