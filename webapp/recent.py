"""The feed's last events as this process tells them: each is put into its form once, however many pages there are."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from state.events import QUIET
from webapp import shapes

log = logging.getLogger("earshot.web")

EVENTS = 10_000
"""Most events that are kept: 50 s of 100 calls. A page that was away for longer takes a snapshot."""

BATCH_EVENTS = 500
"""Most events a message: about 150 kB, 15 compressed."""


class Batch(NamedTuple):
    """All that is new after the cursor `since`, up to and with the event that `cursor` names."""

    since: str
    cursor: str
    events: list[msgspec.Raw]

    @property
    def said(self) -> dict[str, Any]:
        """As the pages are told."""
        return {"from": self.since, "cursor": self.cursor, "events": self.events}


class _Event(NamedTuple):
    cursor: str
    replaces: tuple[str, str] | None  # of a partial its call and track: the next one of them makes it worthless
    told: msgspec.Raw | None  # None: there is nothing to tell


class Recent:
    """Events in order, from some cursor on. Used by one thread."""

    def __init__(self, entries: list[tuple[str, bytes]], tip: str) -> None:
        """entries: what the feed holds of the last events; tip: its cursor if it holds none."""
        self.tip = tip
        """The cursor of the last event."""
        self._events: deque[_Event] = deque()
        self._places: dict[str, int] = {tip: 0}  # cursor -> how many events were ever added up to it
        self._added = 0
        if entries:  # what was before the first of them is not known
            self._places.clear()
        self.add(entries)

    def add(self, entries: Iterable[tuple[str, bytes]]) -> None:
        """Add what the feed told next."""
        for cursor, encoded in entries:
            self._events.append(_event(cursor, encoded))
            self._added += 1
            self._places[cursor] = self._added
            self.tip = cursor
        while len(self._events) > EVENTS:
            del self._places[next(iter(self._places))]
            self._events.popleft()

    def __contains__(self, cursor: str) -> bool:
        """Whether everything after this cursor is here."""
        return cursor in self._places

    def after(self, cursor: str) -> Iterator[Batch]:
        """What was told after a cursor, without partials that others have replaced since; LookupError if unknown."""
        seen = self._places[cursor]
        events = _latest(islice(self._events, len(self._events) - (self._added - seen), None))
        for start in range(0, len(events) or 1, BATCH_EVENTS):
            part = events[start : start + BATCH_EVENTS]
            reached = part[-1].cursor if start + BATCH_EVENTS < len(events) else self.tip
            yield Batch(cursor, reached, [event.told for event in part if event.told])
            cursor = reached


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
    """A feed entry as sent. One that cannot be read (from a newer version) is left out, and logged."""
    if encoded == QUIET:
        return _Event(cursor, None, None)
    try:
        told = shapes.event(encoded)
    except msgspec.DecodeError as error:
        log.error("a feed event cannot be read", extra={"cursor": cursor, "error": str(error)})
        return _Event(cursor, None, None)
    replaces = (told["call_id"], told["track"]) if told["kind"] == "partial" else None
    return _Event(cursor, replaces, msgspec.Raw(msgspec.json.encode(told)))
