"""The open pages of one web process: who watches, what each page has asked for, and its last message.

Socket.IO's handlers write here, in a thread for each page. The live table's one thread (live.py) reads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import redis
from flask import request
from flask_socketio import ConnectionRefusedError, SocketIO

from state import metrics
from state.calls.sight import ALL, Sight
from webapp.access import rights
from webapp.access.identity import Identity
from webapp.http.problems import Problem
from webapp.page import page_wire
from webapp.page.page_wire import PageWire
from webapp.schemas.calls import Sees


@dataclass
class Page:
    """A page whose socket is open. cursor: of the last event it got; None if it needs a snapshot. lacks: shards whose
    calls were not in its snapshot."""

    sid: str
    who: Identity
    wire: PageWire
    sees: frozenset[str] = frozenset({ALL})
    asked: bool = False
    asks_from: str | None = None
    following: bool = False
    cursor: str | None = None
    snapshot_at: float = float("-inf")
    lacks: tuple[int, ...] = ()


class OpenPages:
    """What the pages say. came: called after a page has come."""

    def __init__(self, socketio: SocketIO, sight: Sight, came: Callable[[], None]) -> None:
        self._sight = sight
        self._came = came
        self._lock = threading.Lock()
        self._pages: dict[str, Page] = {}
        socketio.on_event("connect", self._connect)
        socketio.on_event("follow", self._follow)
        socketio.on_event("sees", self._sees)
        socketio.on_event("disconnect", self._gone)

    def all(self) -> list[Page]:
        """Every page whose socket is open."""
        with self._lock:
            return list(self._pages.values())

    def following(self) -> list[Page]:
        """The pages that follow, each from its cursor on."""
        with self._lock:
            for page in self._pages.values():
                if page.asked:
                    page.asked, page.following, page.cursor = False, True, page.asks_from
            return [page for page in self._pages.values() if page.following]

    def _connect(self, _auth: object = None) -> None:
        try:
            who = rights.require("read")
            rights.record_read("watch")
        except Problem:
            raise ConnectionRefusedError("unauthorised") from None
        except redis.RedisError:
            raise ConnectionRefusedError("the store does not answer") from None
        page = Page(cast(Any, request).sid, who, request.environ[page_wire.WIRE])
        page.wire.introduced = True
        with self._lock:
            self._pages[page.sid] = page
            metrics.PAGES.set(len(self._pages))
        self._came()

    def _follow(self, said: Any = None) -> None:
        cursor = said.get("cursor") if isinstance(said, dict) else None
        with self._lock:
            page = self._pages.get(cast(Any, request).sid)
            if page is None:
                return  # its socket is closed: the message came too late
            page.asked, page.asks_from = True, cursor if isinstance(cursor, str) else None

    def _sees(self, said: Any = None) -> None:
        try:
            sees = msgspec.convert(said, Sees)
        except msgspec.ValidationError:
            return
        with self._lock:
            page = self._pages.get(cast(Any, request).sid)
            if page is not None:
                page.sees = frozenset(sees.calls)
        self._sight.look(sees.calls)

    def _gone(self, *_reason: object) -> None:
        with self._lock:
            self._pages.pop(cast(Any, request).sid, None)
            metrics.PAGES.set(len(self._pages))
