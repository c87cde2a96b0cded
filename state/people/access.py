"""Who may do what, in Redis: API keys, accounts and sessions.

Each of the three changes one key of Redis at a time, so no step can stop half done.
"""

from __future__ import annotations

import secrets
from typing import Any

import redis

from state import keys
from state.people.accounts import Users
from state.people.api_keys import ApiKeys
from state.people.sessions import TOKEN_BYTES, Sessions


class Access:
    """All of it, for one process."""

    def __init__(self, client: redis.Redis, api_keys: str = "", secret_key: str = "") -> None:
        self._redis = client
        self._secret_key = secret_key
        self.api_keys = ApiKeys(client, api_keys)
        self.users = Users(client)
        self.sessions = Sessions(client, self.users)

    def secret(self) -> str:
        """The key that signs cookies: SECRET_KEY, else one that the first process made that needed it."""
        if self._secret_key:
            return self._secret_key
        kept: Any = self._redis.get(keys.SECRET)
        if not kept:
            self._redis.set(keys.SECRET, secrets.token_hex(TOKEN_BYTES), nx=True)
            kept = self._redis.get(keys.SECRET)
        return str(kept.decode())
