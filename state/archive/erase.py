"""Erasing from the archive: one call, or the words of old ones. A legal hold prevents both."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, delete, func, insert, or_, select, text, tuple_, update

from state.archive.opening import Archive
from state.archive.tables import calls, erased, holds, messages, transcripts
from state.archive.write import lock
from state.texts import known
from state.types import Alert
from state.views import CallRow

BATCH = 200
"""Calls whose words are erased in one transaction."""

SUMMARY_KEPT = (
    *("duration_seconds", "talk_seconds", "sentiment_score", "sentiment_curve", "peak_attention", "talk", "model"),
    "customer_effort_db",
)
"""Figures of a summary that hold no words."""

Kind = Literal["call", "customer"]

_row = msgspec.json.Decoder(CallRow).decode


class Hold(msgspec.Struct, frozen=True):
    """What nobody may erase: a call by its id, or all calls of a customer. by: who made the hold."""

    kind: Kind
    name: str
    reason: str
    by: str
    at_ms: int


class Held(Exception):
    """A legal hold forbids it."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(f"a legal hold on {hold.kind} {hold.name} forbids it: {hold.reason}")
        self.hold = hold


def held(archive: Archive) -> list[Hold]:
    """All holds, the newest first."""
    with archive.reading() as connection:
        return [Hold(*row) for row in connection.execute(select(holds).order_by(holds.c.held_at_ms.desc()))]


def hold(archive: Archive, made: Hold) -> None:
    """Make a hold, in the place of one of the same kind and name."""
    with archive.writing() as connection:
        _release(connection, made.kind, made.name)
        connection.execute(insert(holds).values(tuple(msgspec.structs.astuple(made))))


def release(archive: Archive, kind: Kind, name: str) -> bool:
    """Take a hold back. Returns whether there was one."""
    with archive.writing() as connection:
        return _release(connection, kind, name)


def erase_call(archive: Archive, call_id: str, customers: set[str], at_ms: int) -> int:
    """Erase every call of this id, and note that it is erased, so that no job writes it again.

    customers: who called, as far as Redis knows. Returns how many calls there were. Raises Held.
    """
    with archive.writing() as connection:
        lock(connection, call_id)
        found = connection.execute(select(calls.c.customer).where(calls.c.call_id == call_id)).scalars().all()
        _refuse_held(connection, call_id, customers | {one for one in found if one})
        connection.execute(delete(erased).where(erased.c.call_id == call_id))
        connection.execute(insert(erased).values(call_id=call_id, erased_at_ms=at_ms))
        connection.execute(delete(calls).where(calls.c.call_id == call_id))
        connection.execute(delete(messages).where(messages.c.call_id == call_id))
        return len(found)


def calls_of(archive: Archive, customer: str) -> list[str]:
    """Ids of all archived calls of a customer."""
    with archive.reading() as connection:
        return list(
            connection.execute(select(calls.c.call_id).where(calls.c.customer == customer).distinct()).scalars()
        )


def erase_words(archive: Archive, queue: str | None, others: set[str], before_ms: int, at_ms: int) -> int:
    """Erase the words of up to BATCH calls that ended before; returns of how many.

    queue: of this one; None: of all but `others`. What is left of a call are its figures, metadata, notes and tags.
    """
    old = select(calls.c.id, calls.c.call_id, transcripts.c.row, transcripts.c.summary).join(transcripts)
    old = old.where(calls.c.ended_at_ms < before_ms, calls.c.words_erased_at_ms.is_(None))
    old = old.where(of_queue(queue, others), *not_held())
    with archive.writing() as connection:
        found = connection.execute(old.limit(BATCH)).all()
        for number, call_id, row, summary in found:
            bare = wordless(_row(row))
            figures = {
                name: value for name, value in (msgspec.json.decode(summary) or {}).items() if name in SUMMARY_KEPT
            }
            told = {"row": msgspec.json.encode(bare).decode(), "summary": msgspec.json.encode(figures).decode()}
            found_by = "\n".join(filter(None, known(bare)))
            connection.execute(
                update(transcripts).where(transcripts.c.call == number).values(**told, utterances="[]", text=found_by)
            )
            connection.execute(update(calls).where(calls.c.id == number).values(words_erased_at_ms=at_ms))
            connection.execute(delete(messages).where(messages.c.call_id == call_id))
        return len(found)


def wordless(row: CallRow) -> CallRow:
    """A row without anything that was said. Reasons go, too, because they quote it."""
    alerts = [Alert(alert.kind, "", alert.at) for alert in row.standing.alerts]
    standing = msgspec.structs.replace(row.standing, alerts=alerts, reasons=[], findings=[], about="", gist=[])
    return msgspec.structs.replace(row, standing=standing, last=None)


def not_held() -> list[Any]:
    """The condition that no legal hold names a call."""
    held_names = select(holds.c.kind, holds.c.name)
    named = (("call", calls.c.call_id), ("customer", func.coalesce(calls.c.customer, "")))
    return [tuple_(text(f"'{kind}'"), column).not_in(held_names) for kind, column in named]


def of_queue(queue: str | None, others: set[str]) -> Any:
    """The condition that a call is of this queue; None: that it is of none of `others`."""
    if queue is not None:
        return calls.c.queue == queue
    return or_(calls.c.queue.is_(None), calls.c.queue.not_in(others)) if others else text("1 = 1")


def _release(connection: Connection, kind: Kind, name: str) -> bool:
    return connection.execute(delete(holds).where(holds.c.kind == kind, holds.c.name == name)).rowcount > 0


def _refuse_held(connection: Connection, call_id: str, customers: set[str]) -> None:
    names = [("call", call_id), *(("customer", customer) for customer in sorted(customers))]
    for kind, name in names:
        found = connection.execute(select(holds).where(holds.c.kind == kind, holds.c.name == name)).first()
        if found is not None:
            raise Held(Hold(*found))
