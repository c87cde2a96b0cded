"""/v1/audit: the whole audit trail, from Redis and the database as one: in pages, or as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain, islice
from typing import TypeVar, cast

import msgspec
from flask import Blueprint, Response

from state import trail
from state.archive.trail import Sought
from state.moments import moment
from state.people.audit import PARTS, Entry, Part
from webapp.access.rights import needs, record
from webapp.api import history
from webapp.api.documents.openapi import Parameter, operation
from webapp.api.exports import cell
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.problems import Problem
from webapp.schemas.people import ApiAudit, ApiDeed
from webapp.schemas.values import MAX_METADATA_VALUE
from webapp.store import store

Line = TypeVar("Line")

api = Blueprint("audit", __name__, url_prefix="/v1")

MAX_LIMIT, DEFAULT_LIMIT = 500, 100

EXACT = ("who", "what", "about")
"""Parameters that name a value, exactly."""

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}

ROWS = 500
"""Entries of a file to send at once."""

_PART = Parameter(
    "part",
    {"enum": list(PARTS), "default": PARTS[0]},
    "security: sign-ins, erasing, and changes of keys and accounts. acts: what supervisors do to calls and rules. "
    "reads: who read, heard, exported or searched calls. attempts: sign-ins that failed",
)
_SOUGHT = (
    *(Parameter(name, {"type": "string", "maxLength": MAX_METADATA_VALUE}, f"exactly this `{name}`") for name in EXACT),
    Parameter("from", {"type": "string"}, "only entries of then or later: ISO 8601, a date or a moment (UTC)"),
    Parameter("to", {"type": "string"}, "only entries before"),
)
_NAMES = ("part", *EXACT, "from", "to")


@api.get("/audit")
@operation(
    "Read a part of the audit trail, newest first",
    {200: ApiAudit},
    query=[
        _PART,
        *_SOUGHT,
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
    """Who did what: the recent entries from Redis, those of years from the database. No part pushes out another."""
    parameters = inputs.query(*_NAMES, "limit", "cursor")
    limit = inputs.number(parameters, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    try:
        found = list(islice(_entries(parameters, parameters.get("cursor")), limit))
    except ValueError:
        raise inputs.bad_cursor() from None
    body = ApiAudit([_told(entry) for entry in found], found[-1].id if len(found) == limit else None)
    return as_json(body)


@api.get("/audit.<form>")
@operation(
    "Export a part of the audit trail, newest first",
    {200: dict},
    {404: "No such form: `csv` and `jsonl` are known."},
    query=[_PART, *_SOUGHT],
    forms=tuple(MEDIA_TYPES.values()),
)
@needs("admin")
def export_audit(form: str) -> Response:
    """All sought entries, however many: one line each. The export is in the trail, too. If its transfer breaks off, a
    file is not whole."""
    parameters = inputs.query(*_NAMES)
    if form not in MEDIA_TYPES:
        raise Problem(404, "unknown_form", f"The trail can be had as {' and '.join(MEDIA_TYPES)}.")
    found = _entries(parameters)
    record("audit-export", " ".join(f"{name}={value}" for name, value in sorted(parameters.items())))
    begun = list(islice(found, 1))  # now, so that a database that is away is told with a status
    lines = _csv if form == "csv" else _jsonl
    part = parameters.get("part", PARTS[0])
    name = {"Content-Disposition": f'attachment; filename="audit-{part}.{form}"'}
    return Response(lines(chain(begun, found)), headers=name, content_type=MEDIA_TYPES[form])


def _entries(parameters: dict[str, str], before: str | None = None) -> Iterator[Entry]:
    here = store()
    part = cast(Part, inputs.choice(parameters, "part", PARTS) or PARTS[0])
    sought = Sought(
        **{name: parameters[name] for name in EXACT if name in parameters},
        from_ms=history.moment(parameters, "from"),
        to_ms=history.moment(parameters, "to"),
    )
    return trail.entries(here.audit, here.archive, part, sought, before)


def _csv(found: Iterator[Entry]) -> Iterator[str]:
    head: list[list[str]] = [list(ApiDeed.__struct_fields__)]
    rows = ([cell(str(value)) for value in msgspec.structs.astuple(_told(entry))] for entry in found)
    for some in _batches(chain(head, rows)):
        text = io.StringIO()
        csv.writer(text).writerows(some)
        yield text.getvalue()


def _jsonl(found: Iterator[Entry]) -> Iterator[bytes]:
    for some in _batches(found):
        yield msgspec.json.Encoder().encode_lines([_told(entry) for entry in some])


def _batches(found: Iterator[Line]) -> Iterator[list[Line]]:
    while some := list(islice(found, ROWS)):
        yield some


def _told(entry: Entry) -> ApiDeed:
    deed, first = entry.deed, moment(entry.first_ms)
    when = (moment(entry.at_ms), first, entry.count)
    return ApiDeed(entry.id, *when, deed.who, deed.origin, deed.what, deed.about, deed.address)
