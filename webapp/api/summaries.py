"""GET /v1/calls/{id}/summary: the summary of a call, while it goes on and after."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Response

from state.archive.search import read_call
from state.types import Point
from state.views import CallRow
from webapp.access.rights import needs, record_read
from webapp.api import history
from webapp.api.documents.openapi import operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.schemas.calls import ApiModelSummary, ApiSummary
from webapp.store import store

api = Blueprint("summaries", __name__, url_prefix="/v1")


@api.get("/calls/<call_id>/summary")
@operation("Read what a call is about", {200: ApiSummary}, {404: "No such call."})
@needs("read")
def read_summary(call_id: str) -> Response:
    """Of a live call: so far. It costs the same however long the call is."""
    inputs.query()
    call_id = inputs.call_id(call_id)
    found = store().reads.summary(call_id) or _archived(call_id)
    if found is None:
        raise history.unknown(call_id)
    record_read("read", call_id)
    return as_json(shaped(*found))


def shaped(row: CallRow, summary: dict[str, Any] | None) -> ApiSummary:
    """A call's summary as the API tells it. One of an older edition has no points."""
    told = summary or {}
    points = msgspec.convert(told["points"], list[Point]) if "points" in told else row.standing.gist
    by_model = msgspec.convert(told["by_model"], ApiModelSummary) if told.get("by_model") else None
    return ApiSummary(row.call_id, summary is not None, points, by_model)


def _archived(call_id: str) -> tuple[CallRow, dict[str, Any] | None] | None:
    archive = store().archive
    found = read_call(archive, call_id) if archive is not None else None
    return (found, found.summary) if found is not None else None
