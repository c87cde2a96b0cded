"""The whole audit trail: what Redis has of it (state/people/audit.py), and the database (state/archive/trail.py).

A job copies entries to the database, where they stay for years. It asks the database where it stopped. So it may die
anywhere and run again: it writes each entry once and leaves none out. Entries that repeat follow when their day is
over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import merge

from state.archive import trail
from state.archive.opening import Archive
from state.archive.trail import Sought
from state.people.audit import PARTS, Audit, Entry, Part, place_of

BATCH = 500
"""Entries to read or write at once."""


def copy(audit: Audit, archive: Archive, years: int) -> int:
    """Write all entries that the database lacks and that will not change; returns how many it has looked at.

    years: how long they are kept there. Raises redis.RedisError, ArchiveAway; the next time goes on.
    """
    count = 0
    for part in PARTS:
        for place in range(audit.places(part)):
            while True:
                found = audit.settled(part, place, trail.newest(archive, part, place), BATCH)
                if found:
                    trail.add(archive, part, found, years)
                count += len(found)
                if len(found) < BATCH:
                    break
    return count


def entries(
    audit: Audit, archive: Archive | None, part: Part, sought: Sought, before: str | None = None
) -> Iterator[Entry]:
    """All sought entries of a part, the newest first; only those before the entry of that id.

    They are fetched as they are asked for. Raises ValueError if `before` is no id, redis.RedisError, ArchiveAway.
    """
    if before is not None:
        place_of(before)
    recent = _paged(lambda last: audit.read(part, BATCH, last), before)
    kept: Iterator[Entry] = iter(())
    if archive is not None:
        database = archive
        kept = _paged(lambda last: trail.read(database, part, sought, place_of(last) if last else None, BATCH), before)
    together = merge(_fitting(recent, sought), kept, key=lambda entry: place_of(entry.id), reverse=True)
    return _once(together)


def _paged(read: Callable[[str | None], list[Entry]], before: str | None) -> Iterator[Entry]:
    while True:
        found = read(before)
        yield from found
        if len(found) < BATCH:
            return
        before = found[-1].id


def _fitting(found: Iterator[Entry], sought: Sought) -> Iterator[Entry]:
    for entry in found:
        if sought.from_ms is not None and entry.at_ms < sought.from_ms:
            return
        if sought.fits(told := trail.plain(entry)):
            yield told


def _once(found: Iterator[Entry]) -> Iterator[Entry]:
    """Leave out the second of two equal entries, which Redis and the database both have at the same place."""
    seen: list[Entry] = []
    for entry in found:
        if seen and seen[0].id != entry.id:
            seen = []
        if entry not in seen:
            seen.append(entry)
            yield entry
