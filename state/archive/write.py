"""Writes an ended call into the archive: once, however often it runs."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete, insert, select
from sqlalchemy import text as sql
from sqlalchemy.dialects import postgresql, sqlite

from state.archive.opening import Archive
from state.archive.tables import alerts, calls, erased, helps, judgements, tags, transcripts
from state.texts import customer, known
from state.types import Help, Judgement
from state.views import CallRow, CallView

MOST_TEXT = 500_000
"""Characters of a call that a search finds: ten hours of talk."""


def write(archive: Archive, call: CallView, engine: str) -> bool:
    """Put `call`, which has ended, into the archive, in the place of what is there of it.

    engine: the speech engine's name. Returns False, and writes nothing, if somebody has erased the call. Raises
    ArchiveAway; nothing is changed then.
    """
    with archive.writing() as connection:
        lock(connection, call.call_id)
        gone = select(erased.c.erased_at_ms).where(erased.c.call_id == call.call_id)
        if (connection.execute(gone).scalar() or 0) >= call.started_at_ms:
            return False
        _put(connection, call, engine)
    return True


def lock(connection: Connection, call_id: str) -> None:
    """Let nobody else write or erase this call until the transaction ends. SQLite has only one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sql("SELECT pg_advisory_xact_lock(hashtextextended(:call_id, 0))"), {"call_id": call_id})


def _put(connection: Connection, call: CallView, engine: str) -> None:
    number = upsert(connection, calls, ["call_id", "started_at_ms"], columns(call, engine))
    for table, name, values in (
        (tags, "tag", set(call.handling.tags)),
        (alerts, "kind", {alert.kind for alert in call.standing.alerts}),
    ):
        connection.execute(delete(table).where(table.c.call == number))
        if values:
            connection.execute(insert(table), [{"call": number, name: text(value)} for value in sorted(values)])
    put_judgements(connection, number, call.handling.judged)
    _put_helps(connection, number, call.handling.helps)
    upsert(connection, transcripts, ["call"], {"call": number} | shown(call))


def put_judgements(connection: Connection, number: int, judged: list[Judgement]) -> None:
    """Write these judgements of the call of this number, in the place of those that are there."""
    connection.execute(delete(judgements).where(judgements.c.call == number))
    rows = [{"call": number, **msgspec.structs.asdict(one), "by": text(one.by)} for one in judged]
    if rows:
        connection.execute(insert(judgements), rows)


def _put_helps(connection: Connection, number: int, asked: list[Help]) -> None:
    connection.execute(delete(helps).where(helps.c.call == number))
    rows = {
        one.at_ms: {
            "call": number,
            "asked_at_ms": one.at_ms,
            "answered_at_ms": one.answered_at_ms,
            "answered_by": text(one.answered_by) or None,
            "cancelled_at_ms": one.cancelled_at_ms,
        }
        for one in asked
    }
    if rows:
        connection.execute(insert(helps), list(rows.values()))


def found_by(call: CallView) -> str:
    """The text that a search finds the call by, a line each."""
    said = (utterance.text for utterance in call.utterances)
    return text("\n".join(filter(None, [*known(call), *said]))[:MOST_TEXT])


def shown(call: CallView) -> dict[str, Any]:
    """The call's row of `transcripts`, but for its number."""
    row = CallRow(**{name: getattr(call, name) for name in CallRow.__struct_fields__})
    shapes = {"row": _json(row), "summary": _json(call.summary), "utterances": _json(call.utterances)}
    return {**shapes, "text": found_by(call)}


def columns(call: CallView, engine: str) -> dict[str, Any]:
    """The call's row of `calls`, but for its number."""
    summary, made = call.summary or {}, call.handling
    talked = summary.get("talk_seconds") or {}
    named = {"agent": call.metadata.get("agent"), "queue": call.metadata.get("queue")}
    return {
        "call_id": call.call_id,
        "started_at_ms": call.started_at_ms,
        "ended_at_ms": call.ended_at_ms or call.started_at_ms,
        **{name: text(value) if value else None for name, value in named.items()},
        "customer": customer(call.metadata),
        "attention": call.standing.attention,
        "sentiment": call.standing.score,
        "peak_attention": summary.get("peak_attention"),
        "talk_seconds": round(sum(talked.values()), 3) if talked else None,
        "handled": made.state != "open",
        "handled_by": text(made.by) or None,
        "handled_at_ms": made.at_ms,
        "engine": engine,
        **_reported(call),
    }


def _reported(call: CallView) -> dict[str, Any]:
    """What reports count. Summaries of older editions may lack figures."""
    summary, handled_ms = call.summary or {}, call.handling.at_ms
    talk = summary.get("talk") or {}
    agent = (talk.get("parties") or {}).get("agent") or {}
    raised = summary.get("raised_seconds") or []
    outcome = next((point["text"] for point in summary.get("points") or [] if point["part"] == "outcome"), "")
    return {
        "raised_at_ms": call.started_at_ms + round(1000 * raised[0]) if raised else None,
        "mood_before": None if handled_ms is None else _mood_at(call, (handled_ms - call.started_at_ms) / 1000),
        "outcome": outcome.partition(":")[0] or None,
        **{name: talk.get(name) for name in ("talk_ratio", "silence_seconds", "hold_seconds")},
        **{name: agent.get(name) for name in ("interruptions", "words_per_minute")},
    }


def _mood_at(call: CallView, second: float) -> float | None:
    """The score at a second of the call; None before the first, and after the end: nobody can help then."""
    if call.ended_at_ms is not None and second > (call.ended_at_ms - call.started_at_ms) / 1000:
        return None
    return next((score for at, score in reversed(call.standing.curve) if at <= second), None)


def upsert(connection: Connection, table: Table, by: list[str], values: dict[str, Any]) -> int:
    """Insert or replace the row that `by` names; returns its number."""
    statement = insert_into(connection, table).values(values)
    statement = statement.on_conflict_do_update(
        index_elements=by, set_={name: statement.excluded[name] for name in values if name not in by}
    )
    number: int = connection.execute(statement.returning(next(iter(table.primary_key)))).scalar_one()
    return number


def insert_into(connection: Connection, table: Table) -> Any:
    """An INSERT of this database's kind, which may say what a conflict does."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def text(value: str) -> str:
    """Without what PostgreSQL's text cannot hold."""
    return value.replace("\0", " ").encode(errors="replace").decode()
