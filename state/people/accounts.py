"""Accounts with a password in Redis. Nothing is cached, so a removed one is void at once."""

from __future__ import annotations

import contextlib
import secrets
from typing import Any, Literal, cast

import msgspec
import redis

from state import keys
from state.credentials import (
    CredentialError,
    HashingBusy,
    check_agent,
    check_name,
    hash_password,
    needs_rehash,
    verify_password,
)
from state.server.clock import now_ms

Role = Literal["supervisor", "admin", "agent"]
ROLES: tuple[Role, ...] = ("supervisor", "admin", "agent")
"""A supervisor sees the calls. An admin also sees the audit trail. An agent sees the agent's own live calls only."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account. stamp: random; it changes with the password and the role, and sessions with another one are void.
    agent: of an agent's account, the name that telephony gives this agent; "" is the account's own."""

    name: str
    role: Role
    password_hash: str
    stamp: str
    created_at_ms: int
    agent: str = ""


_decode_user = msgspec.json.Decoder(User).decode


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
            raise CredentialError("account {name} exists already", name=user.name)
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
