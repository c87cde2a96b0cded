"""What an admin does to accounts, API keys and sessions: on the admin pages, and with scripts/users and scripts/keys.

Each act is in the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable

from state.credentials import Scope, make_password
from state.people.access import Access
from state.people.accounts import Role
from state.refusal import Unknown


class Administration:
    """The acts of one admin. Raises redis.RedisError and, for what cannot be, CredentialError or Unknown."""

    def __init__(self, access: Access, record: Callable[[str, str], None]) -> None:
        """record: writes what was done, and to whom, into the trail under the admin's name."""
        self._access, self._record = access, record

    def add_account(self, name: str, role: Role, password: str | None = None, agent: str = "") -> str:
        """Make an account (an agent's: for calls of `agent`); returns its password, random unless it was given.
        Raises HashingBusy."""
        password = make_password() if password is None else password
        made = self._access.users.add(name, role, password, agent)
        self._record("user-added", f"{made.name} ({role})")
        return password

    def new_password(self, name: str, password: str | None = None) -> str:
        """Set a password, a random one unless it is given, and return it. All sessions of the account end. Raises
        HashingBusy."""
        password = make_password() if password is None else password
        if not self._access.users.set_password(name, password):
            raise _no_account(name)
        self._record("password-set", name.lower())
        return password

    def set_role(self, name: str, role: Role) -> None:
        """Set the role. All sessions of the account end."""
        if not self._access.users.set_role(name, role):
            raise _no_account(name)
        self._record("role-set", f"{name.lower()} ({role})")

    def remove_account(self, name: str) -> None:
        """Remove the account and end its sessions."""
        if not self._access.users.remove(name):
            raise _no_account(name)
        self._record("user-removed", name.lower())

    def add_key(self, name: str, scopes: tuple[Scope, ...], agent: str) -> str:
        """Make an API key and return it. Nobody can read it later. agent: whose calls, with the scope agent."""
        key = self._access.api_keys.add(name, scopes, agent)
        self._record("key-made", f"{name.lower()} ({'+'.join(scopes)})")
        return key

    def revoke_key(self, name: str) -> None:
        """Make a key void at once. Raises Unknown also for a key of API_KEYS, which only its environment can take
        away."""
        revoked = self._access.api_keys.revoke(name)
        if revoked:
            self._record("key-revoked", name.lower())
        if name.lower() in self._access.api_keys.given_names:
            raise Unknown("{name} is in API_KEYS. Remove it there and restart the web processes", name=name)
        if not revoked:
            raise Unknown("there is no key named {name}", name=name)

    def sign_out(self, name: str) -> int:
        """End all sessions of an account, or of a person of the OpenID Connect provider; returns how many."""
        name = name if ":" in name else name.lower()
        ended = self._access.sessions.end_all(name)
        if not ended:
            raise Unknown("nobody is signed in as {name}", name=name)
        self._record("signed-out", name)
        return ended


def _no_account(name: str) -> Unknown:
    return Unknown("there is no account {name}", name=name)
