"""Who may do what, in Redis: API keys, accounts, sessions. Nothing is cached, so whatever is revoked is void at once.

Each of the three changes one key of Redis at a time, so no step can be half done.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import time
from typing import Any, Literal, cast

import msgspec
import redis

from state import keys
from state.credentials import (
    SHOWN_CHARACTERS,
    ApiKey,
    CredentialError,
    HashingBusy,
    Scope,
    check_agent,
    check_name,
    digest,
    hash_password,
    make_key,
    needs_rehash,
    parse_given_keys,
    verify_password,
)
from state.server.clock import now_ms

Role = Literal["supervisor", "admin", "agent"]
ROLES: tuple[Role, ...] = ("supervisor", "admin", "agent")
"""A supervisor sees the calls. An admin also sees the audit trail. An agent sees the agent's own live calls only."""

USED_EVERY_SECONDS = 60.0
"""Precision of a key's last use: a minute. A write for every chunk would help nobody."""

TOKEN_BYTES = 32

OIDC_SHOWN_CHARACTERS, OIDC_DIGITS = 46, 12
"""Hex digits of a person's issuer and subject in their name. With ":oidc:" it fits 64 characters, the most of an
account's name. 48 bits tell people apart who do not choose their subject. The trail has all of it."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account. stamp: random; it changes with the password and the role, and sessions with another one are void.
    agent: of an agent's account, the name that telephony gives this agent; "" is the account's own."""

    name: str
    role: Role
    password_hash: str
    stamp: str
    created_at_ms: int
    agent: str = ""


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
    """The name of who came by the personal link of a key. No account, key or person of a provider can have it."""
    return f"{key}:link"


def oidc_name(shown: str, issuer: str, subject: str) -> str:
    """The name of a person of an OpenID Connect provider: `shown`, the provider's name for them, and digits of issuer
    and subject that nobody else has. No account or key can have such a name (credentials.NAME allows no ':').
    """
    plain = re.sub(r"[^\w.@+-]", "_", shown)[:OIDC_SHOWN_CHARACTERS]
    return f"{plain}:oidc:{digest(json.dumps([issuer, subject]))[:OIDC_DIGITS]}"


_decode_key = msgspec.json.Decoder(ApiKey).decode
_decode_user = msgspec.json.Decoder(User).decode
_decode_session = msgspec.json.Decoder(Session).decode


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
        kept: Any = self._redis.hget(keys.API_KEYS, by)
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
                raise CredentialError(f"key {name} exists already. Revoke it first or take another name")
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


class Users:
    """Accounts with a password."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def find(self, name: str) -> User | None:
        kept: Any = self._redis.hget(keys.USERS, name.lower())
        return _decode_user(kept) if kept else None

    def all(self) -> list[User]:
        """Every account by name."""
        kept: Any = self._redis.hvals(keys.USERS)
        return sorted((_decode_user(value) for value in kept), key=lambda user: user.name)

    def add(self, name: str, role: Role, password: str, agent: str = "") -> User:
        """A new account. agent: of the role agent, the name that telephony gives this agent, if it is another. Raises
        CredentialError for a name that is taken or a password that is too short."""
        user = User(
            name=check_name(name),
            role=role,
            password_hash=hash_password(password),
            stamp=secrets.token_hex(8),
            created_at_ms=now_ms(self._redis),
            agent=check_agent(agent) if agent else "",
        )
        if not self._redis.hsetnx(keys.USERS, user.name, msgspec.json.encode(user)):
            raise CredentialError(f"account {user.name} exists already")
        return user

    def remove(self, name: str) -> bool:
        """Make the account and all its sessions void. False if there is none."""
        return bool(self._redis.hdel(keys.USERS, name.lower()))

    def set_password(self, name: str, password: str) -> bool:
        """Set a password and end all sessions of the account. False if there is none. Raises CredentialError."""
        return self._change(name, password_hash=hash_password(password), stamp=secrets.token_hex(8))

    def set_role(self, name: str, role: Role) -> bool:
        """Set the role and end all sessions of the account. False if there is none."""
        return self._change(name, role=role, stamp=secrets.token_hex(8))

    def check(self, name: str, password: str) -> User | None:
        """The account, if the password is its own. Raises HashingBusy."""
        user = self.find(name)
        if not verify_password(user.password_hash if user else None, password) or user is None:
            return None
        if needs_rehash(user.password_hash):
            with contextlib.suppress(HashingBusy):  # another time
                self._change(name, password_hash=hash_password(password))
        return user

    def _change(self, name: str, **values: Any) -> bool:
        """Change an account if it is there at that moment. An account under removal must not come back."""

        def store(pipe: Any) -> bool:
            kept = pipe.hget(keys.USERS, name.lower())
            pipe.multi()
            if not kept:
                return False
            changed = msgspec.structs.replace(_decode_user(kept), **values)
            pipe.hset(keys.USERS, changed.name, msgspec.json.encode(changed))
            return True

        changed: Any = self._redis.transaction(cast(Any, store), keys.USERS, value_from_callable=True)
        return bool(changed)


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


class Access:
    """All of it, for one process."""

    def __init__(self, client: redis.Redis, api_keys: str = "", secret_key: str = "") -> None:
        self._redis = client
        self._secret_key = secret_key
        self.api_keys = ApiKeys(client, api_keys)
        self.users = Users(client)
        self.sessions = Sessions(client, self.users)

    def secret(self) -> str:
        """The key that signs cookies: SECRET_KEY, else one that the first process to need it made."""
        if self._secret_key:
            return self._secret_key
        kept: Any = self._redis.get(keys.SECRET)
        if not kept:
            self._redis.set(keys.SECRET, secrets.token_hex(TOKEN_BYTES), nx=True)
            kept = self._redis.get(keys.SECRET)
        return str(kept.decode())
