"""Figures over archived calls: how many came, how many needed somebody, their mood, what people did, the talk.

Days are those of a time zone. This module computes their bounds, so the database only compares numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import reduce
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Select, case, func, literal, select

from state.archive.opening import Archive
from state.archive.tables import calls, helps
from state.moments import DAY_MS

MOST_DAYS = 366
"""Most days of one report. 100,000 calls take a quarter of a second of processor time (scripts/bench history)."""

MOST_NAMES = 200
"""Most queues, and most agents, in one report: those with the most calls."""

MOST_COMPARED = 8
"""Most agents or queues to compare over time: those with the most calls."""

DAYS_APART = 14
"""At most so many days are shown day by day; more are shown week by week."""

PROMPT_MS = 60_000
"""Milliseconds from needing somebody within which a call counts as promptly taken."""

RECOVERED_BY = 0.2
"""Least rise of the mood, from a supervisor's taking the call to its end, that counts as recovery."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a report covers: calls that began from one day to another, both included, in a zone; of a queue or agent."""

    first: date
    last: date
    zone: ZoneInfo
    queue: str | None = None
    agent: str | None = None


class Figures(msgspec.Struct, frozen=True):
    """Figures of some calls; None where no call has the figure.

    name: the day, queue or agent.  calls: how many.  seconds: mean length.  raised: how many needed attention.
    peak_attention: mean of each call's highest, 0..1.  sentiment: mean mood at the end, -1..1.  settled, open: how many
    ended so, as their summaries say.  taken: how many of the raised ones a supervisor acted on.  prompt: how many of
    these within a minute.  seconds_to_act: mean from needing attention to being acted on.  watched: how many of those
    have a mood from before and after; recovered: how many of these ended in a better one.  mood_before,
    mood_after: their mean moods when a supervisor came and at the end.  help_asked: how often agents asked for help;
    help_answered, help_cancelled: how often a supervisor answered, and the agent took it back; seconds_to_help: mean
    from asking to being answered.  The rest are means.
    """

    name: str
    calls: int = 0
    seconds: float | None = None
    raised: int = 0
    peak_attention: float | None = None
    sentiment: float | None = None
    settled: int = 0
    open: int = 0
    taken: int = 0
    prompt: int = 0
    seconds_to_act: float | None = None
    watched: int = 0
    recovered: int = 0
    mood_before: float | None = None
    mood_after: float | None = None
    help_asked: int = 0
    help_answered: int = 0
    help_cancelled: int = 0
    seconds_to_help: float | None = None
    talk_ratio: float | None = None
    silence_seconds: float | None = None
    hold_seconds: float | None = None
    interruptions: float | None = None
    words_per_minute: float | None = None


Tally = tuple[float, ...]
"""Of a group of calls: the counts, then the sum and the number of each mean."""


class Helper(msgspec.Struct, frozen=True):
    """A supervisor who answered agents: how often, and how fast on average."""

    name: str
    help_answered: int
    seconds_to_help: float


class Report(msgspec.Struct, frozen=True):
    """A report: in all, by day (each day once, in order), by queue and by agent (the most calls first). helpers: who
    answered agents that asked for help, those with the most answers first."""

    whole: Figures
    days: list[Figures]
    queues: list[Figures]
    agents: list[Figures]
    helpers: list[Helper]


def report(archive: Archive, wanted: Wanted) -> Report:
    """The figures that are wanted. Raises ArchiveAway. The database looks at each call twice."""
    begins = bounds(wanted)
    days = [_NOTHING] * (len(begins) - 1)
    queues: dict[str, Tally] = {}
    with archive.reading() as connection:
        for n, queue, tally in _by_day(connection, begins, wanted, _QUEUE):
            days[n] = _both(days[n], tally)
            queues[queue] = _both(queues.get(queue, _NOTHING), tally)
        agents = dict(_asked(connection, [_AGENT], begins[0], begins[-1], wanted))
        helpers = _helpers(connection, begins[0], begins[-1], wanted)
    whole = reduce(_both, queues.values(), _NOTHING)
    names = [(wanted.first + timedelta(days=n)).isoformat() for n in range(len(days))]
    each = [_figures(name, tally) for name, tally in zip(names, days, strict=True)]
    return Report(_figures("", whole), each, _most(queues), _most(agents), helpers)


class Compared(msgspec.Struct, frozen=True):
    """The figures of an agent or queue in each period, in order; a figure's name is the period's first day."""

    name: str
    periods: list[Figures]


def over_time(archive: Archive, wanted: Wanted, by: Literal["agent", "queue"]) -> list[Compared]:
    """Agents or queues beside each other, day by day or week by week. The last week may be short. Raises
    ArchiveAway."""
    begins = bounds(wanted)
    days = len(begins) - 1
    length = 1 if days <= DAYS_APART else 7
    tallies: dict[str, list[Tally]] = {}
    with archive.reading() as connection:
        for n, name, tally in _by_day(connection, begins, wanted, _AGENT if by == "agent" else _QUEUE):
            told = tallies.setdefault(name, [_NOTHING] * -(-days // length))
            told[n // length] = _both(told[n // length], tally)
    firsts = [(wanted.first + timedelta(days=n)).isoformat() for n in range(0, days, length)]
    most = sorted(tallies, key=lambda name: (-sum(one[0] for one in tallies[name]), name))[:MOST_COMPARED]
    return [
        Compared(name, [_figures(first, one) for first, one in zip(firsts, tallies[name], strict=True)])
        for name in most
    ]


def bounds(wanted: Wanted) -> list[int]:
    """When each day begins, and the day after the last, in ms since 1970."""
    count = (wanted.last - wanted.first).days + 2
    days = (wanted.first + timedelta(days=n) for n in range(count))
    return [round(datetime.combine(day, time(), wanted.zone).timestamp() * 1000) for day in days]


def _by_day(connection: Connection, begins: list[int], wanted: Wanted, by: Any) -> Iterator[tuple[int, str, Tally]]:
    """The calls of each day and of each value of the column `by`.

    One query for each run of days of 24 hours; where the clocks change, the day has its own."""
    start = 0
    while start < len(begins) - 1:
        end = start + 1
        while end < len(begins) - 1 and begins[end] - begins[end - 1] == begins[end + 1] - begins[end] == DAY_MS:
            end += 1
        number = (calls.c.started_at_ms - begins[start]) // DAY_MS if end - start > 1 else literal(0)
        for n, name, tally in _asked(connection, [number, by], begins[start], begins[end], wanted):
            yield start + int(n), name, tally
        start = end


def _asked(connection: Connection, by: list[Any], start: int, end: int, wanted: Wanted) -> Iterator[Any]:
    """Each group's value and tally."""
    named = [one.label(f"by_{n}") for n, one in enumerate(by)]
    asked = select(*named, *_COLUMNS).select_from(calls.outerjoin(_HELPS, _HELPS.c.call == calls.c.id))
    for row in connection.execute(_within(asked, start, end, wanted).group_by(*named)):
        yield *row[: len(by)], tuple(float(value or 0) for value in row[len(by) :])


def _helpers(connection: Connection, start: int, end: int, wanted: Wanted) -> list[Helper]:
    count, seconds = func.count(), func.avg(_HELP_SECONDS)
    asked = select(helps.c.answered_by, count, seconds).select_from(helps.join(calls))
    asked = _within(asked, start, end, wanted).where(helps.c.answered_by.is_not(None)).group_by(helps.c.answered_by)
    asked = asked.order_by(count.desc(), helps.c.answered_by).limit(MOST_NAMES)
    return [Helper(name, times, round(float(mean), 3)) for name, times, mean in connection.execute(asked)]


def _within(asked: Select[Any], start: int, end: int, wanted: Wanted) -> Select[Any]:
    """The condition for wanted calls that began in that time."""
    asked = asked.where(calls.c.started_at_ms >= start, calls.c.started_at_ms < end)
    for name in ("queue", "agent"):
        if (value := getattr(wanted, name)) is not None:
            asked = asked.where(calls.c[name] == value)
    return asked


def _both(one: Tally, other: Tally) -> Tally:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _most(tallies: dict[str, Tally]) -> list[Figures]:
    """The names with the most calls; they come first."""
    most = sorted(tallies, key=lambda name: (-tallies[name][0], name))[:MOST_NAMES]
    return [_figures(name, tallies[name]) for name in most]


def _figures(name: str, tally: Tally) -> Figures:
    found: dict[str, Any] = {field: int(value) for field, value in zip(_COUNTS, tally, strict=False)}
    rest = iter(tally[len(_COUNTS) :])
    for field, total, known in zip(_MEANS, rest, rest, strict=True):
        found[field] = round(total / known, 3) if known else None
    return Figures(name, **found)


def _if(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


_HELP_SECONDS = (helps.c.answered_at_ms - helps.c.asked_at_ms) / 1000.0
_HELPS = (
    select(
        helps.c.call,
        func.count().label("asked"),
        func.count(helps.c.answered_at_ms).label("answered"),
        func.count(helps.c.cancelled_at_ms).label("cancelled"),
        func.sum(_HELP_SECONDS).label("seconds"),
    )
    .group_by(helps.c.call)
    .subquery()
)
"""Of each call on which the agent asked for help."""

_QUEUE, _AGENT = func.coalesce(calls.c.queue, ""), func.coalesce(calls.c.agent, "")
_TAKEN = calls.c.raised_at_ms.is_not(None) & (calls.c.handled_at_ms >= calls.c.raised_at_ms)
_WATCHED = _TAKEN & calls.c.mood_before.is_not(None) & calls.c.sentiment.is_not(None)
_COUNTS: dict[str, Any] = {
    "calls": func.count(),
    "raised": func.count(calls.c.raised_at_ms),
    "settled": _if(calls.c.outcome.in_(("settled", "done", "promised"))),
    "open": _if(calls.c.outcome == "open"),
    "taken": _if(_TAKEN),
    "prompt": _if(_TAKEN & (calls.c.handled_at_ms - calls.c.raised_at_ms <= PROMPT_MS)),
    "watched": _if(_WATCHED),
    "recovered": _if(_WATCHED & (calls.c.sentiment - calls.c.mood_before >= RECOVERED_BY)),
    "help_asked": func.sum(_HELPS.c.asked),
    "help_answered": func.sum(_HELPS.c.answered),
    "help_cancelled": func.sum(_HELPS.c.cancelled),
}
_OF_CALLS: dict[str, Any] = {
    "seconds": (calls.c.ended_at_ms - calls.c.started_at_ms) / 1000.0,
    "mood_before": case((_WATCHED, calls.c.mood_before)),
    "mood_after": case((_WATCHED, calls.c.sentiment)),
    "seconds_to_act": case((_TAKEN, (calls.c.handled_at_ms - calls.c.raised_at_ms) / 1000.0)),
    **{name: calls.c[name] for name in ("peak_attention", "sentiment", "talk_ratio", "silence_seconds")},
    **{name: calls.c[name] for name in ("hold_seconds", "interruptions", "words_per_minute")},
}
_MEANS: dict[str, Any] = {
    **{name: (func.sum(one), func.count(one)) for name, one in _OF_CALLS.items()},
    "seconds_to_help": (func.sum(_HELPS.c.seconds), func.sum(_HELPS.c.answered)),
}
"""Fields of Figures: how many calls are so, and means over the calls that have a value, each as its sum and the number
of these calls."""

_COLUMNS = [*_COUNTS.values(), *(part for mean in _MEANS.values() for part in mean)]

_NOTHING: Tally = (0.0,) * len(_COLUMNS)
