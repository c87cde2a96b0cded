"""GET /v1/reports and its CSV: figures of ended calls by day, queue and agent, from the archive."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo

import msgspec
from flask import Blueprint, Response

from state.archive.opening import Archive
from state.archive.reports import MOST_DAYS, Wanted, over_time, report
from state.archive.reports_csv import By, lines
from webapp.access.rights import needs, record_read
from webapp.api.documents.openapi import Parameter, operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import invalid
from webapp.schemas.reports import ApiOverTime, ApiReport
from webapp.schemas.values import MAX_METADATA_VALUE
from webapp.store import store

api = Blueprint("reports", __name__, url_prefix="/v1")

USUAL_DAYS = 28
"""Days of a report, today included, if the query names none."""

PARAMETERS = [
    Parameter("from", {"type": "string", "format": "date"}, "first day; not given: 27 days before the last"),
    Parameter("to", {"type": "string", "format": "date"}, f"last day, included, at most {MOST_DAYS} in all; today"),
    Parameter("zone", {"type": "string", "default": "UTC"}, "time zone whose days these are, such as Europe/Berlin"),
    Parameter("queue", {"type": "string", "maxLength": MAX_METADATA_VALUE}, "only calls of this queue"),
    Parameter("agent", {"type": "string", "maxLength": MAX_METADATA_VALUE}, "only calls of this agent"),
]
_NAMES = tuple(parameter.name for parameter in PARAMETERS)
_REFUSALS = {409: "`reason`: no_archive (there is no database: DATABASE_URL)."}


@api.get("/reports")
@operation("Read figures of ended calls by day, queue and agent", {200: ApiReport}, _REFUSALS, query=PARAMETERS)
@needs("read")
def read_report() -> Response:
    """Every day of the time once, in order; the 200 queues and agents with the most calls."""
    wanted = asked(inputs.query(*_NAMES))
    found = report(_archive(), wanted)
    record_read("report")
    told = ApiReport(str(wanted.first), str(wanted.last), wanted.zone.key, *msgspec.structs.astuple(found))
    return as_json(told)


@api.get("/reports.csv")
@operation(
    "Read these figures as a file for a spreadsheet",
    {200: dict},
    _REFUSALS,
    query=[*PARAMETERS, Parameter("by", {"enum": list(get_args(By)), "default": "day"}, "a line for each")],
    forms=("text/csv; charset=utf-8",),
)
@needs("read")
def read_report_file() -> Response:
    """A line for each day, queue or agent, or for each supervisor who answered agents that asked for help."""
    parameters = inputs.query(*_NAMES, "by")
    by = cast(By, inputs.choice(parameters, "by", get_args(By)) or "day")
    wanted = asked(parameters)
    found = report(_archive(), wanted)
    record_read("report")
    name = f'attachment; filename="earshot-{by}s-{wanted.first}-{wanted.last}.csv"'
    return Response(lines(found, by), headers={"Content-Disposition": name}, content_type="text/csv; charset=utf-8")


@api.get("/reports/over-time")
@operation(
    "Compare agents or queues over time",
    {200: ApiOverTime},
    _REFUSALS,
    query=[*PARAMETERS, Parameter("by", {"enum": ["agent", "queue"], "default": "agent"}, "what is compared")],
)
@needs("read")
def read_over_time() -> Response:
    """The same figures as in the report, in the same periods for each."""
    parameters = inputs.query(*_NAMES, "by")
    by = cast(Literal["agent", "queue"], inputs.choice(parameters, "by", ("agent", "queue")) or "agent")
    wanted = asked(parameters)
    found = over_time(_archive(), wanted, by)
    record_read("report")
    return as_json(ApiOverTime(str(wanted.first), str(wanted.last), wanted.zone.key, found))


def asked(parameters: dict[str, str]) -> Wanted:
    """The report in the query's parameters. Raises Problem 400."""
    zone = _zone(parameters.get("zone", "UTC"))
    last = _day(parameters, "to") or datetime.now(zone).date()
    try:
        first = _day(parameters, "from") or last - timedelta(days=USUAL_DAYS - 1)
    except OverflowError:
        raise invalid("to", "must be later") from None
    if not 0 <= (last - first).days < MOST_DAYS:
        raise invalid("from", f"must be at most {MOST_DAYS - 1} days before the last day, and not after it")
    for name in ("queue", "agent"):
        if len(parameters.get(name, "")) > MAX_METADATA_VALUE:
            raise invalid(name, f"must have at most {MAX_METADATA_VALUE} characters")
    return Wanted(first=first, last=last, zone=zone, queue=parameters.get("queue"), agent=parameters.get("agent"))


def _archive() -> Archive:
    return store().archive_for(_("There is no database, so there are no reports. Set DATABASE_URL."))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # not a name at all; a folder of zones; no such zone
        raise invalid("zone", "must be the name of a time zone, such as Europe/Berlin") from None


def _day(parameters: dict[str, str], name: str) -> date | None:
    given = parameters.get(name)
    if given is None:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        raise invalid(name, "must be a date of ISO 8601, such as 2026-01-31") from None
    if not 1970 < day.year < 9000:
        raise invalid(name, "must be a date of our time")
    return day
