"""/v1/session: who I am."""

from __future__ import annotations

from flask import Blueprint, Response

from state.moments import moment
from webapp.access import rights
from webapp.access.rights import needs
from webapp.api.documents.openapi import operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.schemas.people import ApiSession

api = Blueprint("access", __name__, url_prefix="/v1")


@api.get("/session")
@operation("Who I am", {200: ApiSession})
@needs(None)
def read_session() -> Response:
    """The key or account of this request, and what it may do. A page asks this to see whether its session is good."""
    inputs.query()
    who = rights.require(None)
    until = None if who.until_ms is None else moment(who.until_ms)
    return as_json(ApiSession(who.kind, who.name, who.origin, sorted(who.scopes), until))
