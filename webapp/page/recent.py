"""The feed's last events as this process sends them. It puts each into its form once, however many pages there are."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from state.calls.feed import FeedLost, Tail, Told, joined, parted
from state.events import QUIET
from webapp.schemas import shapes

log = logging.getLogger("earshot.web")

EVENTS = 10_000
"""At most so many events are kept: 50 s of 100 calls. A page that was away for longer takes a snapshot."""

BATCH_EVENTS = 500
"""At most so many events in a message: about 150 kB, 15 kB compressed."""


class Batch(NamedTuple):
    """All that is new after the cursor `since`, up to and with the events that `cursor` names."""

    since: str
    cursor: str
    events: list[msgspec.Raw]

    @property
    def said(self) -> dict[str, Any]:
        """An event in the pages' form."""
        return {"from": self.since, "cursor": self.cursor, "events": self.events}


class _Event(NamedTuple):
    cursor: str
    replaces: tuple[str, str] | None  # a partial's call and track: their next partial makes it worthless
    told: msgspec.Raw | None  # None: no page gets it


class Recent:
    """Each shard's events in order, from some cursor on. Used by one thread. Cursors are those of all shards as one."""

    def __init__(self, tails: list[Tail]) -> None:
        """tails: the end of each shard's feed."""
        self._parts = [_Part(tail.since, EVENTS // len(tails)) for tail in tails]
        for tail in tails:
            self.add(tail.told)

    @property
    def tips(self) -> list[str]:
        """The cursor of each shard's last event."""
        return [part.tip for part in self._parts]

    @property
    def tip(self) -> str:
        """The same as one cursor."""
        return joined(self.tips)

    def add(self, entries: Iterable[Told]) -> None:
        """Add the feeds' next events."""
        for told in entries:
            self._parts[told.shard].add(_event(told.cursor, told.event))

    def __contains__(self, cursor: str) -> bool:
        """Whether everything after this cursor is here."""
        try:
            cursors = parted(cursor, len(self._parts))
        except FeedLost:
            return False
        return all(one in part for one, part in zip(cursors, self._parts, strict=True))

    def after(self, cursor: str) -> Iterator[Batch]:
        """The events after a cursor that is here, without partials that newer ones replaced."""
        cursors = parted(cursor, len(self._parts))
        told = [
            (number, event)
            for number, part in enumerate(self._parts)
            for event in _latest(part.after(cursors[number]))
        ]  # fmt: skip
        for start in range(0, len(told) or 1, BATCH_EVENTS):
            since, batch = joined(cursors), told[start : start + BATCH_EVENTS]
            for number, event in batch:
                cursors[number] = event.cursor
            if start + BATCH_EVENTS >= len(told):
                cursors = self.tips
            yield Batch(since, joined(cursors), [event.told for _, event in batch if event.told])


class _Part:
    """One shard's events."""

    def __init__(self, since: str, most: int) -> None:
        self.tip = since
        self._most = most
        self._events: deque[_Event] = deque()
        self._places: dict[str, int] = {since: 0}  # cursor -> how many events were ever added up to it
        self._added = 0

    def add(self, event: _Event) -> None:
        self._events.append(event)
        self._added += 1
        self._places[event.cursor] = self._added
        self.tip = event.cursor
        while len(self._events) > self._most:
            del self._places[next(iter(self._places))]
            self._events.popleft()

    def __contains__(self, cursor: str) -> bool:
        return cursor in self._places

    def after(self, cursor: str) -> list[_Event]:
        return list(islice(self._events, len(self._events) - (self._added - self._places[cursor]), None))


def _latest(events: Iterable[_Event]) -> list[_Event]:
    latest: list[_Event] = []
    replaced: set[tuple[str, str]] = set()
    for event in reversed(list(events)):
        if event.replaces is not None:
            if event.replaces in replaced:
                continue
            replaced.add(event.replaces)
        latest.append(event)
    latest.reverse()
    return latest


def _event(cursor: str, encoded: bytes) -> _Event:
    """A feed entry as sent. An unreadable one (from a newer version) is left out, and logged."""
    if encoded == QUIET:
        return _Event(cursor, None, None)
    try:
        told = shapes.event(encoded)
    except msgspec.DecodeError as error:
        log.error("a feed event cannot be read", extra={"cursor": cursor, "error": str(error)})
        return _Event(cursor, None, None)
    replaces = (told["call_id"], told["track"]) if told["kind"] == "partial" else None
    return _Event(cursor, replaces, msgspec.Raw(msgspec.json.encode(told)))
