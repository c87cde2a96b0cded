"""A page without a browser. It follows the live table as the page's script does."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import msgspec
import requests
import socketio

from webapp.api.documents.asyncapi import SAID


def reaches(ours: str, theirs: str) -> bool:
    """Whether cursor `ours` stands at `theirs` or beyond it, in every shard."""

    def ids(cursor: str) -> list[tuple[int, ...]]:
        return [tuple(map(int, re.split("[.+]", part)[0].split("-"))) for part in cursor.split(",")]

    return all(our >= their for our, their in zip(ids(ours), ids(theirs), strict=True))


class Following:
    """Where a page stands in the feed. It joins a snapshot's parts, and takes each batch once and in order.

    begin gets the rows of each whole snapshot. hear gets the events of each new batch. Rows and events may have any
    form.
    """

    def __init__(self, begin: Callable[[list[Any]], None], hear: Callable[[Sequence[Any]], None]) -> None:
        self.cursor: str | None = None
        self.snapshots = self.batches = self.events = 0
        self._begin, self._hear = begin, hear
        self._rows: list[Any] = []

    def part(self, part: int, of: int, cursor: str, rows: Sequence[Any]) -> None:
        """One part of a snapshot. The last one makes it whole."""
        self._rows = [*(self._rows if part > 1 else []), *rows]
        if part == of:
            self._begin(self._rows)
            self.cursor, self._rows = cursor, []
            self.snapshots += 1

    def batch(self, since: str, cursor: str, events: Sequence[Any]) -> Literal["new", "known", "hole"]:
        """Take the events after `since` up to `cursor`. "hole": events before them never came, so ask again."""
        if self.cursor is None or not reaches(self.cursor, since):
            return "hole"
        if reaches(self.cursor, cursor):
            return "known"
        self.cursor = cursor
        self.batches += 1
        self.events += len(events)
        self._hear(events)
        return "new"


class Page:
    """One page on a socket. It asks again with its cursor at a hole and after every reconnection.

    It checks every message against the types of the document for programs (webapp/api/documents/asyncapi.py), and fails
    at the end if one does not fit.

    rows: of the last snapshot. told: every event since then, in order. certificate: the file of a site's own
    certificate.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, certificate: str = "") -> None:
        self.rows: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []
        self.fleets: list[dict[str, Any]] = []
        self.disconnections = 0
        self._following = Following(self.begin, self.hear)
        self._faults: list[str] = []
        self._lock = threading.RLock()
        web = requests.Session()
        web.verify = certificate or True
        self._client = socketio.Client(
            http_session=web, reconnection_delay=0.1, reconnection_delay_max=0.3, handle_sigint=False
        )
        self._client.on("connect", self._follow)
        self._client.on("disconnect", self._cut_off)
        for name, handler in (("snapshot", self._part), ("feed", self._batch), ("fleet", self.fleets.append)):
            self._client.on(name, partial(self._checked, name, handler))
        self._client.connect(url, headers=dict(headers or {}), transports=["websocket"])

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        assert not self._faults, self._faults[:3]

    def close(self) -> list[str]:
        """Close the socket. Returns the faults of messages that did not fit their types."""
        self._client.shutdown()
        return self._faults

    @property
    def cursor(self) -> str | None:
        """The last event that it has seen. None before the first snapshot."""
        return self._following.cursor

    @property
    def snapshots(self) -> int:
        """How many whole snapshots it got."""
        return self._following.snapshots

    @property
    def events(self) -> int:
        """How many events it got."""
        return self._following.events

    @property
    def calls(self) -> list[str]:
        """The calls it knows, in the order in which it learned of them."""
        seen = [row["call_id"] for row in self.rows] + [event["call_id"] for event in self.told]
        return list(dict.fromkeys(seen))

    def begin(self, rows: list[dict[str, Any]]) -> None:
        """A whole snapshot came. It replaces all earlier events."""
        self.rows, self.told = rows, []

    def hear(self, events: Sequence[dict[str, Any]]) -> None:
        """New events came."""
        self.told += events

    def follow_from(self, cursor: str) -> None:
        """Follow as if `cursor` were the last thing it has seen."""
        with self._lock:
            self._following.cursor = cursor
            self._follow()

    def _checked(self, name: str, handler: Callable[[dict[str, Any]], None], told: dict[str, Any]) -> None:
        try:
            msgspec.convert(told, SAID[name])
        except msgspec.ValidationError as error:
            self._faults.append(f"{name}: {error}")
        handler(told)

    def _cut_off(self, *_: object) -> None:
        self.disconnections += 1

    def _follow(self) -> None:
        self._client.emit("follow", {"cursor": self.cursor})

    def _part(self, told: dict[str, Any]) -> None:
        with self._lock:
            self._following.part(told["part"], told["of"], told["cursor"], told["rows"])

    def _batch(self, told: dict[str, Any]) -> None:
        with self._lock:
            if self._following.batch(told["from"], told["cursor"], told["events"]) == "hole":
                self._follow()
