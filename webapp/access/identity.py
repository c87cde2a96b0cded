"""Who asks: the API key or the signed-in person behind a request, and the address it came from."""

from __future__ import annotations

import ipaddress
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Literal, cast

import redis
from flask import Flask, g, request, session
from flask_login import current_user

from state.credentials import ApiKey
from state.people.audit import Origin
from state.types import Sender
from webapp.access import cookies
from webapp.http.problems import Problem
from webapp.store import Store, store

ALL: frozenset[str] = frozenset({"ingest", "read", "act", "admin", "agent"})
SCOPES_OF_ROLE: dict[str, frozenset[str]] = {
    "supervisor": frozenset({"read", "act"}),
    "admin": frozenset({"read", "act", "admin"}),
    "agent": frozenset({"agent"}),
}
"""Scopes of each role. Nobody posts audio with a cookie, so no forged request can."""

STREAMS = "/v1/streams/"
"""Paths of websockets, whose clients often cannot set headers. There a key may be a parameter, a Basic password, or
Genesys' X-API-KEY. Live Call Analytics' client writes ?authorization=Bearer KEY."""

DECODE = "/decode"
"""Path of the first demonstration's client. It sets no header but takes any address, so a key may be a parameter."""


@dataclass(frozen=True)
class Identity:
    """Who asks. name: of the key, account or person. origin: where the name comes from. until_ms: end of a sign-in.
    agent: of an agent, the name in the metadata of the agent's calls."""

    kind: Literal["key", "user", "anyone"]
    name: str
    scopes: frozenset[str]
    origin: Origin
    credential: str = field(default="", repr=False)
    until_ms: int | None = None
    agent: str = ""

    @property
    def who(self) -> str:
        """The name in the audit trail."""
        return f"key {self.name}" if self.kind == "key" else self.name


ANYONE = Identity("anyone", "anyone", ALL, "anyone")
"""Everybody, with AUTH=off."""


def identify() -> Identity | None:
    """Who makes this request; None for a stranger. Raises Problem 401 or 429 for a wrong key.

    A key comes before a cookie: a client that shows a key wants to use it.
    """
    if "identity" not in g:
        g.identity = _identify()
    return cast(Identity | None, g.identity)


def _identify() -> Identity | None:
    here = store()
    if here.settings.auth == "off":
        return ANYONE
    key = _key_shown()
    if key is not None:
        return _by_key(key)
    if cookies.unreadable(session):
        raise redis.ConnectionError("the session cannot be read")
    if not current_user.is_authenticated:
        return None
    found = cast(cookies.SignedIn, current_user)
    signed = found.session
    return Identity(
        "user", signed.name, SCOPES_OF_ROLE[signed.role], signed.origin, found.token, signed.until_ms, signed.agent
    )


def _key_shown() -> str | None:
    shown = request.authorization
    if shown and shown.type == "bearer":
        return shown.token or ""
    if request.path.startswith(STREAMS):
        if shown and shown.type == "basic":
            return shown.password or ""
        if "X-API-KEY" in request.headers:
            return request.headers["X-API-KEY"]
    if request.path.startswith(STREAMS) and (in_address := request.args.get("authorization")) is not None:
        return in_address.removeprefix("Bearer ")
    if request.path.startswith(STREAMS) or request.path == DECODE:
        return request.args.get("access_token")
    return None


def _by_key(key: str) -> Identity:
    here = store()
    found = here.access.api_keys.find(key)
    if found is None:
        if not here.limits.bad_key(address()):
            raise Problem(429, "too_many_wrong_keys", "Too many wrong keys from this address.", retry=True)
        raise unknown("invalid_key", "No such key exists, or somebody revoked it.", 'error="invalid_token"')
    count_key(here, found)
    return Identity("key", found.name, frozenset(found.scopes), "key", key, agent=found.agent)


def count_key(here: Store, found: ApiKey) -> None:
    """Count a request of an API key. Raises Problem 429 if it is one too many."""
    if not here.limits.key_used(found.name):
        raise Problem(429, "rate_limit", "This key makes too many requests; see KEY_REQUESTS_PER_SECOND.", retry=True)


def sender(interface: str = "") -> Sender:
    """The sender of this request's audio. `interface`: one that answers with words keeps its calls apart. So a key that
    may not read cannot ask there for words of audio that it sent elsewhere."""
    who = identify()
    assert who is not None, "the guard has let a stranger in"
    return sender_of(who.kind, who.name, who.scopes, interface)


def sender_of(kind: str, name: str, scopes: Container[str], interface: str = "") -> Sender:
    """The sender that an identity is; see `sender`."""
    return Sender(" ".join(filter(None, (kind, name, interface))), reads="read" in scopes)


def still_in(app: Flask, who: Identity) -> bool:
    """Whether an identity from the opening of a socket is still good. Raises redis.RedisError."""
    with app.app_context():
        kept = store().access
    if who.kind == "key":
        return kept.api_keys.find(who.credential) is not None
    return who.kind == "anyone" or kept.sessions.find(who.credential) is not None


def address() -> str:
    """The client's address. With TRUSTED_PROXIES: the one that the outermost of them saw. An IPv4 address as such,
    though a socket that takes both kinds calls it ::ffff:203.0.113.7."""
    given = request.remote_addr or "unknown"
    return given.removeprefix("::ffff:") if "." in given else given


def from_this_machine() -> bool:
    """Whether the request comes from this machine and no proxy handed it on."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        found = ipaddress.ip_address(address())
    except ValueError:
        return False
    return found.is_loopback


def unknown(reason: str, detail: str, error: str = "") -> Problem:
    """401, with the challenge that HTTP wants beside it."""
    challenge = 'Bearer realm="earshot"' + (f", {error}" if error else "")
    return Problem(401, reason, detail, headers={"WWW-Authenticate": challenge})
