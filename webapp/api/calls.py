"""/v1/calls, the readers' side: programs and pages list calls and read them (posting.py: how they come)."""

from __future__ import annotations

from typing import Literal, cast

from flask import Blueprint, Response

from state.archive.search import ALIKE
from webapp.access.rights import needs, record_read
from webapp.api import history
from webapp.api.documents.openapi import Parameter, operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.problems import invalid
from webapp.schemas import shapes
from webapp.schemas.calls import (
    ApiCall,
    ApiCalls,
)
from webapp.search import find
from webapp.store import store

api = Blueprint("calls", __name__, url_prefix="/v1")

MAX_LIMIT, DEFAULT_LIMIT = 500, 100
"""Rows on a page of the list: at most, and by default. 500 rows are about 500 kB."""

MAX_SOUGHT = 100
"""At most so many characters to look for."""


@api.get("/calls")
@operation(
    "List calls, most attention first",
    {200: ApiCalls},
    query=[
        Parameter(
            "state",
            {"enum": ["live", "ended", "any"], "default": "live"},
            "live includes calls that are ending; ended reaches into the archive",
        ),
        Parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            "calls a page",
        ),
        Parameter("cursor", {"type": "string"}, "next_cursor of the page before"),
        Parameter(
            "text",
            {"type": "string", "minLength": 1, "maxLength": MAX_SOUGHT},
            "only calls in which all these words were said, or that are known by them; in the archive, whole words",
        ),
        Parameter(
            "sounding",
            {"enum": ["yes"]},
            "also calls where something was said that sounds like a long word of text;"
            f" in the archive, of the newest {ALIKE}",
        ),
        *history.PARAMETERS,
    ],
)
@needs("read")
def list_calls() -> Response:
    """A page of live (the default) or ended calls, or of both. With text, `hits` shows where it was said."""
    parameters = inputs.query("state", "limit", "cursor", "text", "sounding", *history.FILTERS)
    wanted = find.words(parameters.get("text", ""))
    if "text" in parameters and (not wanted or len(parameters["text"]) > MAX_SOUGHT):
        raise invalid("text", f"must be 1 to {MAX_SOUGHT} characters")
    state = inputs.choice(parameters, "state", ("live", "ended", "any")) or "live"
    like = inputs.choice(parameters, "sounding", ("yes",)) == "yes"
    limit = inputs.number(parameters, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    archived = state == "ended" and store().archive is not None
    if archived or state == "any" or not parameters.keys().isdisjoint(history.FILTERS):
        return _list_history(parameters, cast(history.State, state), limit, like)
    cursor = inputs.cursor(parameters)
    try:
        rows, following = store().reads.rows(cast(Literal["live", "ended"], state), limit, cursor)
    except ValueError:
        raise inputs.bad_cursor() from None
    record_read("search" if wanted else "list")
    store().sight.look(row.call_id for row in rows)
    if wanted:
        rows = find.holding(store().transcripts, rows, wanted, like)
    hits = find.places(store().reads.said(rows), rows, wanted) if wanted and rows else {}
    return as_json(ApiCalls([shapes.row(row) for row in rows], following, hits))


def _list_history(parameters: dict[str, str], state: history.State, limit: int, like: bool) -> Response:
    text = parameters.get("text", "")
    words = history.words(text)
    if text and not words:
        raise invalid("text", "must have a letter or digit")
    wanted = history.sought(parameters, words)
    by = history.order(parameters, state, words)
    found = history.page(wanted, text, state, by, limit, parameters.get("cursor"), like)
    record_read("search" if words else "list")
    return as_json(found)


@api.get("/calls/<call_id>")
@operation("Read a call with its transcript", {200: ApiCall}, {404: "No such call."})
@needs("read")
def read_call(call_id: str) -> Response:
    """The call's present state, or the archive's copy."""
    inputs.query()
    call_id = inputs.call_id(call_id)
    found = history.call(call_id)
    if found is None:
        raise history.unknown(call_id)
    record_read("read", call_id)
    store().sight.look([call_id])
    return as_json(shapes.call(found))
