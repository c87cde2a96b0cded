"""/v1/session and /v1/audit: who I am, and who did what."""

from __future__ import annotations

from typing import cast

import msgspec
from flask import Blueprint, Response

from state.people.audit import PARTS, Entry, Part
from webapp.access import rights
from webapp.access.rights import needs
from webapp.api import shapes
from webapp.api.openapi import Parameter, operation
from webapp.api.schemas import ApiAudit, ApiDeed, ApiSession
from webapp.http import inputs
from webapp.store import store

api = Blueprint("access", __name__, url_prefix="/v1")

MAX_LIMIT, DEFAULT_LIMIT = 500, 100


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), content_type="application/json")


@api.get("/session")
@operation("Who I am", {200: ApiSession})
@needs(None)
def read_session() -> Response:
    """The key or account of this request, and what it may do. A page asks this to see whether its session is good."""
    inputs.query()
    who = rights.require(None)
    until = None if who.until_ms is None else shapes.moment(who.until_ms)
    return _json(ApiSession(who.kind, who.name, who.origin, sorted(who.scopes), until))


@api.get("/audit")
@operation(
    "Read a part of the audit trail, newest first",
    {200: ApiAudit},
    query=[
        Parameter(
            "part",
            {"enum": list(PARTS), "default": PARTS[0]},
            "security: sign-ins and changes of keys and accounts. acts: what supervisors do to calls and rules. "
            "reads: who read, heard, exported or searched calls. attempts: sign-ins that failed",
        ),
        Parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            "entries a page",
        ),
        Parameter("cursor", {"type": "string"}, "next_cursor of the page before"),
    ],
)
@needs("admin")
def read_audit() -> Response:
    """Who did what. No part pushes out another."""
    parameters = inputs.query("part", "limit", "cursor")
    part = cast(Part, inputs.choice(parameters, "part", PARTS) or PARTS[0])
    limit = inputs.number(parameters, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    before = parameters.get("cursor")
    try:
        found = store().audit.read(part, limit, before)
    except ValueError:
        raise inputs.bad_cursor() from None
    return _json(ApiAudit([_told(entry) for entry in found], found[-1].id if len(found) == limit else None))


def _told(entry: Entry) -> ApiDeed:
    deed, first = entry.deed, shapes.moment(entry.first_ms)
    when = (shapes.moment(entry.at_ms), first, entry.count)
    return ApiDeed(entry.id, *when, deed.who, deed.origin, deed.what, deed.about, deed.address)
