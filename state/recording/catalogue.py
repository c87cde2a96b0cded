"""Which archived call has a recording, and which recordings must go."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import delete, insert, select

from state.archive.erase import not_held, of_queue
from state.archive.opening import Archive
from state.archive.tables import calls, erased, recordings
from state.archive.write import lock
from state.recording.sounds import Named

BATCH = 200
"""Recordings that go in one turn."""

Why = str
"""Why a stretch of a recording is silent: missing (no audio came, or too late), secret (redaction masked what was said)
or paused."""


class Recording(msgspec.Struct, frozen=True):
    """A call's whole recording.

    seconds: how long.  rate: its samples a second.  size: bytes.  silences: [from, to, why] in seconds of the call.
    step: seconds of a value of peaks; peaks: the loudest of each step, 0..100, of the left side (agent) and the right.
    """

    seconds: float
    rate: int
    size: int
    silences: list[tuple[float, float, Why]]
    step: float
    peaks: tuple[list[int], list[int]]


def find(archive: Archive, call_id: str) -> tuple[Named, Recording] | None:
    """The recording of the latest call of this id; None if there is none. Raises ArchiveAway."""
    latest = select(calls.c.id, calls.c.started_at_ms).where(calls.c.call_id == call_id)
    latest = latest.order_by(calls.c.started_at_ms.desc()).limit(1)
    with archive.reading() as connection:
        call = connection.execute(latest).first()
        if call is None:
            return None
        stored = connection.execute(select(recordings.c.about).where(recordings.c.call == call.id)).scalar()
    if stored is None:
        return None
    return Named(call_id, call.started_at_ms), msgspec.json.decode(stored, type=Recording)


def words_are_gone(archive: Archive, call: Named) -> bool:
    """Whether the call or its words are gone: then nobody can tell any more what is secret in its sound."""
    with archive.reading() as connection:
        found = connection.execute(select(calls.c.words_erased_at_ms).where(*_is(call))).first()
    return found is None or found.words_erased_at_ms is not None


def write(archive: Archive, call: Named, about: Recording, at_ms: int) -> bool:
    """Note that the call has a recording. False, and nothing is noted, if the call is gone. Raises ArchiveAway."""
    with archive.writing() as connection:
        lock(connection, call.call_id)
        number = connection.execute(select(calls.c.id).where(*_is(call))).scalar()
        if number is None:
            return False
        connection.execute(delete(recordings).where(recordings.c.call == number))
        row = {"call": number, "made_at_ms": at_ms, "about": msgspec.json.encode(about).decode()}
        connection.execute(insert(recordings).values(row))
    return True


def too_old(archive: Archive, queue: str | None, others: set[str], before_ms: int) -> list[Named]:
    """Up to BATCH calls with a recording that ended before and that no legal hold names. queue: of this one; None: of
    all but `others`."""
    old = select(calls.c.call_id, calls.c.started_at_ms).join(recordings, recordings.c.call == calls.c.id)
    old = old.where(calls.c.ended_at_ms < before_ms, of_queue(queue, others), *not_held())
    with archive.reading() as connection:
        return [Named(*row) for row in connection.execute(old.limit(BATCH))]


def forget(archive: Archive, call: Named) -> None:
    """Note that the call has no recording any more."""
    with archive.writing() as connection:
        numbers = select(calls.c.id).where(*_is(call)).scalar_subquery()
        connection.execute(delete(recordings).where(recordings.c.call == numbers))


def lately_erased(archive: Archive, since_ms: int) -> list[tuple[str, int]]:
    """Calls that somebody has erased since then, and when, in ms."""
    wanted = select(erased.c.call_id, erased.c.erased_at_ms).where(erased.c.erased_at_ms >= since_ms)
    with archive.reading() as connection:
        return [(row.call_id, row.erased_at_ms) for row in connection.execute(wanted)]


def unknown(archive: Archive, kept: list[Named]) -> list[Named]:
    """The calls in `kept` that the database does not have."""
    found: set[Named] = set()
    with archive.reading() as connection:
        for at in range(0, len(kept), BATCH):
            some = select(calls.c.call_id, calls.c.started_at_ms)
            some = some.where(calls.c.call_id.in_({call.call_id for call in kept[at : at + BATCH]}))
            found |= {Named(*row) for row in connection.execute(some)}
    return [call for call in kept if call not in found]


def _is(call: Named) -> tuple[Any, Any]:
    return calls.c.call_id == call.call_id, calls.c.started_at_ms == call.started_at_ms
