"""The audit trail in the database. Entries come, are read, and go when their years are over. None ever changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, select, tuple_

from state.archive.opening import Archive
from state.archive.tables import trail
from state.archive.write import insert_into, text
from state.people.audit import Deed, Entry, Part, Place, place_of

YEAR_MS = 365_250 * 86_400
"""A mean year."""

Named = tuple[str, Entry]
"""An entry, and its name in Redis, which no other entry of its part ever has."""


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are sought; None is not. who, what, about: exactly; from_ms (included) and to_ms (not)."""

    who: str | None = None
    what: str | None = None
    about: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    def fits(self, entry: Entry) -> bool:
        """Whether an entry is sought."""
        deed = entry.deed
        return (
            all(getattr(self, name) in (None, getattr(deed, name)) for name in ("who", "what", "about"))
            and (self.from_ms is None or entry.at_ms >= self.from_ms)
            and (self.to_ms is None or entry.at_ms < self.to_ms)
        )


def plain(entry: Entry) -> Entry:
    """The entry without what PostgreSQL's text cannot hold: as it reads from either place."""
    deed = entry.deed
    said = {field: text(getattr(deed, field)) for field in ("who", "what", "about", "address")}
    return msgspec.structs.replace(entry, deed=msgspec.structs.replace(deed, **said))


def add(archive: Archive, part: Part, entries: Sequence[Named], years: int) -> None:
    """Write entries, to be kept for so many years. What is there already stays as it is. Raises ArchiveAway."""
    rows = [_row(part, name, entry, years) for name, entry in entries]
    with archive.writing() as connection:
        connection.execute(insert_into(connection, trail).on_conflict_do_nothing(), rows)


def newest(archive: Archive, part: Part, place: int) -> Place | None:
    """The place of a part's newest entry that came from one server. Raises ArchiveAway."""
    stands = trail.c.at_ms, trail.c.seq, trail.c.place
    wanted = select(*stands).where(trail.c.part == part, trail.c.place == place)
    with archive.reading() as connection:
        found = connection.execute(wanted.order_by(*(column.desc() for column in stands)).limit(1)).first()
    return None if found is None else (found.at_ms, found.seq, found.place)


def read(archive: Archive, part: Part, sought: Sought, before: Place | None, count: int) -> list[Entry]:
    """Up to `count` sought entries before a place, the newest first. Raises ArchiveAway."""
    stands = trail.c.at_ms, trail.c.seq, trail.c.place
    wanted = select(trail).where(trail.c.part == part)
    for name in ("who", "what", "about"):
        if (value := getattr(sought, name)) is not None:
            wanted = wanted.where(trail.c[name] == value)
    if sought.from_ms is not None:
        wanted = wanted.where(trail.c.at_ms >= sought.from_ms)
    if sought.to_ms is not None:
        wanted = wanted.where(trail.c.at_ms < sought.to_ms)
    if before is not None:
        wanted = wanted.where(tuple_(*stands) < before)
    wanted = wanted.order_by(*(column.desc() for column in stands)).limit(count)
    with archive.reading() as connection:
        return [_entry(row) for row in connection.execute(wanted)]


def let_go(archive: Archive, now_ms: int) -> int:
    """Delete the entries whose years are over; returns how many. Raises ArchiveAway."""
    with archive.writing() as connection:
        return connection.execute(delete(trail).where(trail.c.keep_until_ms <= now_ms)).rowcount


def _row(part: Part, name: str, entry: Entry, years: int) -> dict[str, Any]:
    at_ms, seq, place = place_of(entry.id)
    told = {"first_ms": entry.first_ms, "count": entry.count, "keep_until_ms": at_ms + years * YEAR_MS}
    deed = msgspec.structs.asdict(plain(entry).deed)
    return {"part": part, "name": text(name), "at_ms": at_ms, "seq": seq, "place": place, **told, **deed}


def _entry(row: Any) -> Entry:
    name = f"{row.at_ms}-{row.seq}" + (f".{row.place}" if row.place else "")
    return Entry(name, row.at_ms, Deed(row.who, row.what, row.about, row.address, row.origin), row.first_ms, row.count)
