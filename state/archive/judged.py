"""Judgements in the archive: people make them once a call has left Redis, and a job learns from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select, update

from state.archive.opening import Archive
from state.archive.tables import calls, judgements, transcripts
from state.archive.write import lock, put_judgements
from state.types import RAISED, Handling, ScoredUtterance
from state.views import CallRow

_utterances = msgspec.json.Decoder(list[ScoredUtterance]).decode
_row = msgspec.json.Decoder(CallRow).decode
_summary = msgspec.json.Decoder(dict[str, Any] | None).decode


class JudgedCall(NamedTuple):
    """A call that was judged. right: of the call itself if that was judged, else whether any of its alerts was."""

    queue: str
    right: bool
    utterances: list[ScoredUtterance]


def judged_calls(archive: Archive, most: int) -> Iterator[JudgedCall]:
    """The calls that were judged last, the oldest first, without those whose words are gone. Raises
    ArchiveAway."""
    said: dict[int, list[tuple[str, bool]]] = {}
    with archive.reading() as connection:
        newest = select(judgements.c.call, judgements.c.alert, judgements.c.right)
        newest = newest.join(calls, calls.c.id == judgements.c.call).where(calls.c.words_erased_at_ms.is_(None))
        for number, alert, right in connection.execute(newest.order_by(judgements.c.at_ms.desc()).limit(2 * most)):
            said.setdefault(number, []).append((alert, right))
        one = select(calls.c.queue, transcripts.c.utterances).join(transcripts, transcripts.c.call == calls.c.id)
        for number in sorted(list(said)[:most]):
            found = connection.execute(one.where(calls.c.id == number)).first()
            if found is not None:
                right = dict(said[number]).get(RAISED, any(right for _, right in said[number]))
                yield JudgedCall(found[0] or "", right, _utterances(found[1]))


def judge(archive: Archive, call_id: str, change: Callable[[Handling], Handling]) -> Handling | None:
    """Change the judgements of the latest call of this id; None if there is none.

    change: makes the new handling of the present one. If it raises, nothing changes. Raises ArchiveAway.
    """
    latest = select(calls.c.id, transcripts.c.row).join(transcripts, transcripts.c.call == calls.c.id)
    latest = latest.where(calls.c.call_id == call_id).order_by(calls.c.started_at_ms.desc()).limit(1)
    with archive.writing() as connection:
        lock(connection, call_id)
        found = connection.execute(latest).first()
        if found is None:
            return None
        row = _row(found.row)
        after = change(row.handling)
        if after != row.handling:
            after = msgspec.structs.replace(after, revision=row.handling.revision + 1)
            put_judgements(connection, found.id, after.judged)
            told = msgspec.json.encode(msgspec.structs.replace(row, handling=after)).decode()
            connection.execute(update(transcripts).where(transcripts.c.call == found.id).values(row=told))
        return after


def queues(archive: Archive, since_ms: int, most: int) -> list[str]:
    """Queues with calls that ended since then. Raises ArchiveAway."""
    found = select(calls.c.queue).where(calls.c.ended_at_ms >= since_ms, calls.c.queue.is_not(None)).distinct()
    with archive.reading() as connection:
        return list(connection.execute(found.order_by(calls.c.queue).limit(most)).scalars())


def summaries(archive: Archive, queue: str, since_ms: int, most: int) -> list[dict[str, Any]]:
    """Summaries of a queue's last calls that ended since then. Raises ArchiveAway."""
    found = select(transcripts.c.summary).join(calls, calls.c.id == transcripts.c.call)
    found = found.where(calls.c.queue == queue, calls.c.ended_at_ms >= since_ms)
    with archive.reading() as connection:
        rows = connection.execute(found.order_by(calls.c.started_at_ms.desc()).limit(most)).scalars()
        return [_summary(one) or {} for one in rows]
