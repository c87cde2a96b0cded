"""scripts/bench history: how long each filter of the history takes over many archived calls.

It uses SQLite, and the PostgreSQL that EARSHOT_BENCH_POSTGRESQL names, which must be empty.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import insert, text

from state.archive.opening import Archive
from state.archive.reports import Wanted, report
from state.archive.search import Order, Sought, read_call, search
from state.archive.tables import alerts, calls, tags, transcripts
from state.archive.write import columns, shown
from state.moments import DAY_MS
from state.types import Alert, Handling, ScoredUtterance, Sentiment, Standing
from state.views import CallRow, CallView

UTTERANCES = 60
BATCH = 500
ROUNDS = 20
"""Requests of each kind. Each asks for something else if it can."""

PAGE = 50
START_MS, CALL_MS = 1_767_225_600_000, 30_000
"""Begin of the first call (the start of 2026), and ms between two calls: 100,000 calls are five weeks."""

CUSTOMERS_CALL = 5
"""Calls of each customer."""

AGENTS, QUEUES, TAGS, KINDS = 50, 6, ("refund", "vip", "callback"), ("escalation", "anger", "churn")
COMMON = (
    *("the", "a", "i", "you", "to", "and", "it", "is", "that", "my", "on", "have", "of", "for", "in", "we", "can"),
    *("so", "not", "with", "this", "be", "do", "will", "your", "are", "was", "me"),
)


def bench_history(options: argparse.Namespace) -> dict[str, Any]:
    """Figures of each database: seconds to fill it, bytes, and milliseconds of each filter (p50, p95)."""
    found: dict[str, Any] = {"calls": options.archived, "utterances": UTTERANCES, "page": PAGE}
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
        path = Path(folder) / "archive.db"
        found["sqlite"] = _measured(Archive(f"sqlite:///{path}"), options.archived)
        found["sqlite"]["megabytes"] = round(path.stat().st_size / 1e6)
    if url := os.environ.get("EARSHOT_BENCH_POSTGRESQL"):
        found["postgresql"] = _measured(Archive(url), options.archived)
    return found


def _measured(archive: Archive, count: int) -> dict[str, Any]:
    began = time.monotonic()
    fill(archive, count)
    filled = round(time.monotonic() - began, 1)
    found = {name: _timed(archive, name, count) for name in _ASKED}
    return {"fill_seconds": filled, "ms": found, "report_ms": report_times(archive)}


def report_times(archive: Archive) -> dict[str, dict[str, float]]:
    """Milliseconds of reports (p50, p95), by the time that they cover."""
    found = {}
    first = datetime.fromtimestamp(START_MS / 1000, UTC).date()
    for name, days, filters in (
        ("a week", 7, {}),
        ("four weeks", 28, {}),
        ("a year", 366, {}),
        ("a year of a queue", 366, {"queue": "queue 1"}),
        ("a year of an agent", 366, {"agent": "agent 1"}),
    ):
        wanted = Wanted(first=first, last=first + timedelta(days=days - 1), zone=ZoneInfo("Europe/Berlin"), **filters)
        taken = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            assert report(archive, wanted).whole.calls
            taken.append(1000 * (time.perf_counter() - began))
        found[name] = _percentiles(taken)
    return found


def fill(archive: Archive, count: int) -> None:
    """Put `count` made-up calls into an empty archive, and let the database take its statistics."""
    made = generated(count)
    for first in range(1, count + 1, BATCH):
        batch = [(first + n, next(made)) for n in range(min(BATCH, count + 1 - first))]
        with archive.writing() as connection:
            connection.execute(insert(calls), [{"id": n} | columns(call, "bench") for n, call in batch])
            connection.execute(insert(transcripts), [{"call": n} | shown(call) for n, call in batch])
            for table, rows in (
                (tags, [{"call": n, "tag": tag} for n, call in batch for tag in call.handling.tags]),
                (alerts, [{"call": n, "kind": alert.kind} for n, call in batch for alert in call.standing.alerts]),
            ):
                if rows:
                    connection.execute(insert(table), rows)
    with archive.writing() as connection:
        connection.execute(text("ANALYZE"))


def generated(count: int) -> Iterator[CallView]:
    """Calls that differ in everything that a filter looks at. Words are as unequally frequent as in speech."""
    dice = random.Random(1)
    rare = [f"word{n}" for n in range(20_000)]
    pool = [" ".join(_words(dice, rare)) for _ in range(20_000)]
    customers = count // CUSTOMERS_CALL + 1
    for n in range(count):
        started = START_MS + n * CALL_MS
        said = [
            ScoredUtterance(
                id=f"customer:{i}", track="customer", index=i, start=4.0 * i, end=4.0 * i + 3, text=dice.choice(pool),
                words=[], sentiment=Sentiment(round(dice.uniform(-1, 1), 3), 0.5, ["made up"]),
            )
            for i in range(UTTERANCES)
        ]  # fmt: skip
        kinds = [dice.choice(KINDS)] if dice.random() < 0.1 else []
        row = CallRow(
            call_id=f"call-{n:07d}",
            state="ended",
            started_at_ms=started,
            ended_at_ms=started + 4000 * UTTERANCES,
            metadata={
                "agent": f"agent {dice.randrange(AGENTS)}",
                "queue": f"queue {dice.randrange(QUEUES)}",
                "caller": f"+1555{dice.randrange(customers):07d}",
            },
            standing=Standing(
                attention=round(dice.random() ** 3, 4),
                score=round(dice.uniform(-1, 1), 3),
                alerts=[Alert(kind, kind, 8.0) for kind in kinds],
            ),
            handling=Handling(state="taken", by="sam", at_ms=started + 60_000, tags=[dice.choice(TAGS)])
            if dice.random() < 0.05
            else Handling(),
            tracks={},
            last=None,
        )
        fields = {name: getattr(row, name) for name in CallRow.__struct_fields__}
        yield CallView(**fields, utterances=said, summary=_summary(dice))


def _summary(dice: random.Random) -> dict[str, Any]:
    """What reports count of a call."""
    agent = {"interruptions": dice.randrange(4), "words_per_minute": round(dice.uniform(110, 180), 1)}
    talk = {
        "talk_ratio": round(dice.random(), 3),
        "silence_seconds": round(dice.uniform(0, 60), 2),
        "hold_seconds": 0.0,
    }
    return {
        "duration_seconds": 4.0 * UTTERANCES,
        "peak_attention": round(dice.random(), 3),
        "raised_seconds": [30.0] if dice.random() < 0.1 else [],
        "talk": {**talk, "parties": {"agent": agent}},
        "points": [{"part": "outcome", "text": dice.choice(("settled: the customer is content", "open: no"))}],
    }


def _words(dice: random.Random, rare: list[str]) -> Iterator[str]:
    for _ in range(dice.randint(4, 14)):
        yield dice.choice(COMMON) if dice.random() < 0.6 else rare[int(len(rare) * dice.random() ** 3)]


_ASKED: dict[str, tuple[Order, dict[str, Any]]] = {
    "newest": ("time", {}),
    "most attention": ("attention", {}),
    "agent": ("time", {"agent": "agent {agent}"}),
    "queue": ("time", {"queue": "queue {queue}"}),
    "queue, most attention": ("attention", {"queue": "queue {queue}"}),
    "customer": ("time", {"customer": "+1555{customer:07d}"}),
    "tag": ("time", {"tag": "vip"}),
    "alert": ("time", {"alert": "churn"}),
    "alert, most attention": ("attention", {"alert": "churn"}),
    "a day": ("attention", {"from_ms": "{day}", "to_ms": "{next}"}),
    "attention": ("time", {"attention": 0.9}),
    "handled": ("time", {"handled": True}),
    "a rare word": ("relevance", {"words": ["word{rare}"]}),
    "a common word": ("relevance", {"words": ["word0"]}),
    "the commonest words": ("relevance", {"words": ["the", "you"]}),
    "the commonest words, newest": ("time", {"words": ["the", "you"]}),
    "a common word of an agent": ("relevance", {"words": ["word1"], "agent": "agent {agent}"}),
}
"""Name -> order, and what is sought. Each request draws the figures in braces anew."""


def _timed(archive: Archive, name: str, count: int) -> dict[str, float]:
    dice, customers = random.Random(name), count // CUSTOMERS_CALL + 1
    order, asked = _ASKED[name]
    taken = []
    for _ in range(ROUNDS):
        day = START_MS + DAY_MS * dice.randrange(count * CALL_MS // DAY_MS + 1)
        drawn = {
            "agent": dice.randrange(AGENTS), "queue": dice.randrange(QUEUES), "customer": dice.randrange(customers),
            "rare": dice.randrange(5_000, 20_000), "day": day, "next": day + DAY_MS,
        }  # fmt: skip
        wanted = {key: _drawn(value, drawn) for key, value in asked.items()}
        began = time.perf_counter()
        page = search(archive, msgspec.convert(wanted, Sought, strict=False), order, PAGE + 1)
        taken.append(1000 * (time.perf_counter() - began))
    if page:
        assert read_call(archive, page[0].row.call_id) is not None
    return _percentiles(taken)


def _percentiles(taken: list[float]) -> dict[str, float]:
    taken.sort()
    return {"p50": round(taken[len(taken) // 2], 1), "p95": round(taken[int(len(taken) * 0.95)], 1)}


def _drawn(value: Any, drawn: dict[str, int]) -> Any:
    if isinstance(value, list):
        return [_drawn(one, drawn) for one in value]
    return value.format(**drawn) if isinstance(value, str) else value
