"""Live calls and ended ones as one list: first those in Redis, then those in the archive.

An ended call comes from the archive as soon as that has its present state. Until then, and without an archive, it comes
from Redis. So the list has each call once.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from state.archive.search import Found, Order, Place, Sought, best_hit, place, read_call, search, search_alike, tokens
from state.moments import moment_ms
from state.types import ScoredUtterance
from state.views import CallView
from webapp.api.documents.openapi import Parameter
from webapp.http import inputs
from webapp.http.language import _
from webapp.http.problems import Problem, invalid
from webapp.schemas import shapes
from webapp.schemas.calls import ApiCalls, ApiFound
from webapp.schemas.values import MAX_METADATA_VALUE
from webapp.search import find
from webapp.store import store

State = Literal["live", "ended", "any"]

NAMED = ("agent", "queue", "customer", "tag", "alert")
"""Parameters that name one value, exactly."""

FILTERS = (*NAMED, "from", "to", "attention", "handled", "sort")

PARAMETERS = (
    *(
        Parameter(name, {"type": "string", "maxLength": MAX_METADATA_VALUE}, f"only calls with this {name}")
        for name in NAMED
    ),
    Parameter("from", {"type": "string"}, "only calls that began then or later: ISO 8601, a date or a moment (UTC)"),
    Parameter("to", {"type": "string"}, "only calls that began before"),
    Parameter("attention", {"type": "number", "minimum": 0, "maximum": 1}, "only calls with this attention or more"),
    Parameter("handled", {"enum": ["yes", "no"]}, "only calls that a supervisor has taken, seen or snoozed, or not"),
    Parameter(
        "sort",
        {"enum": list(get_args(Order))},
        "attention; time: the newest first; relevance: of the newest 500 that hold the words, the best first. Not"
        " given: relevance where words of ended calls are sought, else attention",
    ),
)

_CURSOR = re.compile(r"([0-9.e+-]{1,32})_([A-Za-z0-9._~-]{1,128})")


def sought(parameters: dict[str, str], words: list[str]) -> Sought:
    """The search in the query's parameters. Raises Problem 400."""
    for name in NAMED:
        if len(parameters.get(name, "")) > MAX_METADATA_VALUE:
            raise invalid(name, f"must have at most {MAX_METADATA_VALUE} characters")
    if parameters.get("handled") not in (None, "yes", "no"):
        raise invalid("handled", "must be yes or no")
    named = {name: parameters[name] for name in NAMED if name in parameters}
    return Sought(
        **named,
        words=words,
        from_ms=moment(parameters, "from"),
        to_ms=moment(parameters, "to"),
        attention=_share(parameters, "attention"),
        handled={None: None, "yes": True, "no": False}[parameters.get("handled")],
    )


def order(parameters: dict[str, str], state: State, words: list[str]) -> Order:
    """How the list is sorted. Raises Problem 400."""
    given = parameters.get("sort")
    if given is None:
        return "relevance" if words and state != "live" else "attention"
    if given not in get_args(Order):
        raise invalid("sort", f"must be one of {', '.join(get_args(Order))}")
    if given == "relevance" and not words:
        raise invalid("sort", "relevance needs text")
    return given  # type: ignore[return-value]


def page(
    wanted: Sought, text: str, state: State, by: Order, limit: int, cursor: str | None, like: bool = False
) -> ApiCalls:
    """A page of the list. like: also calls with words that sound like these.

    Raises Problem 400, ArchiveAway, redis.RedisError.
    """
    after = _place(cursor)
    here = store()
    rows = here.reads.held(live=state != "ended", ended=state != "live", waiting=here.archive is not None)
    held = {row.call_id for row in rows}
    rows = [row for row in rows if wanted.fits(row)]
    if wanted.words:
        rows = find.holding(here.transcripts, rows, find.words(text), like)
    found = [Found(row, place(row, by)) for row in rows]
    found = [one for one in found if after is None or one.place < after]
    heard: dict[str, list[ScoredUtterance]] = {}
    if here.archive is not None and state != "live":
        found += search(here.archive, wanted, by, limit + 1, after, without=held)
        if like and wanted.words:
            alike = search_alike(
                here.archive, wanted, by, limit + 1 + len(held), after, find.heard_in(find.words(text))
            )
            alike = [(one, said) for one, said in alike if one.row.call_id not in held]
            found += [one for one, _ in alike]
            heard = {one.row.call_id: said for one, said in alike}
    found.sort(key=lambda one: one.place, reverse=True)
    shown = found[:limit]
    following = f"{shown[-1].place[0]!r}_{shown[-1].place[1]}" if len(found) > limit else None
    unread = [one.row for one in shown if wanted.words and one.row.call_id in held]
    said = dict(zip((row.call_id for row in unread), here.reads.said(unread), strict=True))
    hits = {one.row.call_id: one.hit or best_hit(said.get(one.row.call_id, []), wanted.words) for one in shown}
    told = {name: ApiFound(hit.utterance_id, hit.track, hit.start, hit.text) for name, hit in hits.items() if hit}
    if like:
        unplaced = [row for row in unread if row.call_id not in told]
        told |= find.places([said[row.call_id] for row in unplaced], unplaced, find.words(text))
        by_sound = [one.row for one in shown if one.row.call_id in heard]
        told |= find.places([heard[row.call_id] for row in by_sound], by_sound, find.words(text))
    return ApiCalls([shapes.row(one.row) for one in shown], following, told)


def call(call_id: str) -> CallView | None:
    """The call, from Redis or the archive; None if there is none. Raises ArchiveAway, redis.RedisError."""
    here = store()
    found = here.reads.call(call_id)
    if found is None and here.archive is not None:
        found = read_call(here.archive, call_id)
    return found


def unknown(call_id: str) -> Problem:
    """404: no such call."""
    return Problem(
        404, "unknown_call", _("There is no call {call_id}; it may have been too old to keep.", call_id=call_id)
    )


def words(text: str) -> list[str]:
    """The sought words, as the archive divides text; none for signs alone."""
    return tokens(text)


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise inputs.bad_cursor()
    try:
        return float(found[1]), found[2]
    except ValueError:
        raise inputs.bad_cursor() from None


def moment(parameters: dict[str, str], name: str) -> int | None:
    """A parameter that is a date or a moment, in ms; None if it is not given. Raises Problem 400."""
    given = parameters.get(name)
    if given is None:
        return None
    try:
        return moment_ms(given)
    except (ValueError, OverflowError):
        raise invalid(name, "must be a date or a moment of ISO 8601, such as 2026-01-31 or 2026-01-31T09:15Z") from None


def _share(parameters: dict[str, str], name: str) -> float | None:
    given = parameters.get(name)
    if given is None:
        return None
    if not re.fullmatch(r"0|1|[01]?\.[0-9]{1,6}|1\.0+", given) or float(given) > 1:
        raise invalid(name, "must be a number from 0 to 1")
    return float(given)
