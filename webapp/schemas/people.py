"""The client's identity, and the audit trail, over the API."""

from __future__ import annotations

from typing import Literal

import msgspec

from state.people.audit import Origin
from webapp.schemas.values import Moment


class ApiSession(msgspec.Struct):
    """Who asks. kind: an API key, a signed-in user, or anyone (AUTH=off); origin: how that is known, see ApiDeed;
    until: when a sign-in runs out."""

    kind: Literal["key", "user", "anyone"]
    name: str
    origin: Origin
    scopes: list[str]
    until: Moment | None


class ApiDeed(msgspec.Struct):
    """An entry of the audit trail: who did what, to which account, key or call, from which address.

    origin: how `who` is known (an account, a person of the OpenID Connect provider, an API key, a command on the
    server; of a stranger it is what was typed in). Repeats of a day are one entry: count of them, the first at
    first_at, the last at `at` and from `address`.
    """

    id: str
    at: Moment
    first_at: Moment
    count: int
    who: str
    origin: Origin
    what: str
    about: str
    address: str


class ApiAudit(msgspec.Struct):
    """A page of the audit trail, newest first. next_cursor is null on the last page."""

    entries: list[ApiDeed]
    next_cursor: str | None
