"""The live table's sockets: every page follows the feed by cursor, so that it misses nothing whatever breaks.

A page emits `follow` {cursor}; the acknowledgement brings a snapshot, or the events after its cursor. From then
on it gets `feed` {from, cursor, events} at most five times a second, and `fleet` every two seconds as a sign of
life (none while Redis is away). A page that sees a hole between its cursor and `from` simply follows again; so
does one that was cut off. Nothing is kept for a page here: any web process can go on with it.

A socket is open to those who may read (access.py), and only as long as they may: the door is kept by doorman.py,
and every sign of life goes along with a look at whose session has ended.

Each process reads the feed in one thread of its own, for its own pages, from the first `follow` on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec
import redis
from flask import request
from flask_socketio import ConnectionRefusedError, SocketIO, join_room

from state.connection import BLOCK_MS
from state.reads import FeedLost, Reads
from webapp import access, shapes
from webapp.access import Identity
from webapp.problems import RETRY_AFTER_SECONDS, Problem

log = logging.getLogger("earshot.web")

BATCH_SECONDS = 0.2
"""Least time between two batches: a screen that changes five times a second is live to the eye."""

BATCH_EVENTS = 500
"""Most events a batch; with more waiting the next follows at once."""

FLEET_SECONDS = 2.0
"""Time between two signs of life; the page takes the third one missing for a broken link."""

FOLLOW_EVENTS = 2000
"""Most events told to a page that comes back; with more (10 s of 100 calls) a snapshot is smaller."""

PATIENCE_SECONDS = 0.5
"""Time between two attempts while Redis is away."""

_ROOM = "pages"


class LiveTable:
    """The sockets of one web process."""

    def __init__(
        self, socketio: SocketIO, client: redis.Redis, reads: Reads, still_in: Callable[[Identity], bool]
    ) -> None:
        self._socketio = socketio
        self._redis = client
        self._reads = reads
        self._still_in = still_in
        self._lock = threading.Lock()
        self._pages: set[str] = set()
        self._people: dict[str, Identity] = {}
        self._cursor: str | None = None  # None: nobody to read for
        self._started = False
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        socketio.on_event("connect", self._connect)
        socketio.on_event("follow", self._follow)
        socketio.on_event("disconnect", self._gone)

    def stop(self) -> None:
        """Close every socket soon. Safe in a signal handler: it only sets flags.

        A page takes it for a broken link and comes back, to another process or to this one's successor.
        """
        self._stopping.set()
        self._wanted.set()

    # -- what a page says -----------------------------------------------------------------------------------

    def _connect(self, _auth: object = None) -> None:
        try:
            who = access.require("read")
        except Problem:
            raise ConnectionRefusedError("unauthorised") from None
        except redis.RedisError:
            raise ConnectionRefusedError("the store cannot be reached") from None
        with self._lock:
            self._people[cast(Any, request).sid] = who

    def _follow(self, said: Any = None) -> dict[str, Any]:
        page = cast(Any, request).sid
        cursor = said.get("cursor") if isinstance(said, dict) else None
        join_room(_ROOM)  # before anything is read: what is said from here on reaches the page
        with self._lock:
            self._pages.add(page)
        try:
            answer = self._continue(cursor) or self._snapshot()
        except redis.RedisError as error:
            log.warning("follow: redis refused", extra={"error": repr(error)})
            return {"error": "the store cannot be reached", "retry_after_seconds": RETRY_AFTER_SECONDS}
        self._read_from(answer["cursor"])
        return answer

    def _continue(self, cursor: object) -> dict[str, Any] | None:
        """The events after `cursor`, or None if a snapshot is due."""
        if not isinstance(cursor, str):
            return None
        try:
            entries = self._reads.feed(cursor, FOLLOW_EVENTS + 1)
        except FeedLost:
            return None
        if len(entries) > FOLLOW_EVENTS:
            return None
        return {"events": _events(entries), "cursor": entries[-1][0] if entries else cursor}

    def _snapshot(self) -> dict[str, Any]:
        rows, cursor = self._reads.snapshot()
        shown = {"rows": msgspec.to_builtins([shapes.row(row) for row in rows]), "fleet": self._fleet()}
        return {"snapshot": shown, "cursor": cursor}

    def _gone(self, *_reason: object) -> None:
        page = cast(Any, request).sid
        with self._lock:
            self._pages.discard(page)
            self._people.pop(page, None)

    # -- what is told to all pages -----------------------------------------------------------------------------

    def _read_from(self, cursor: str) -> None:
        with self._lock:
            if self._cursor is None:
                self._cursor = cursor
            if not self._started:
                self._started = True
                for target in (self._read, self._close_when_stopping):
                    threading.Thread(target=target, name=f"live{target.__name__}", daemon=True).start()
        self._wanted.set()

    def _read(self) -> None:
        """The reader thread: never ends before the process, whatever Redis does."""
        fleet_at = 0.0
        away = False
        while not self._stopping.is_set():
            try:
                fleet_at = self._turn(fleet_at)
                if away:
                    log.info("redis is back")
                away = False
            except FeedLost:
                self._start_over()
            except redis.RedisError as error:
                if not away:
                    log.warning("redis is away", extra={"error": repr(error)})
                away = True
                self._stopping.wait(PATIENCE_SECONDS)
            except Exception:
                log.exception("live: unexpected error")
                self._stopping.wait(PATIENCE_SECONDS)

    def _turn(self, fleet_at: float) -> float:
        """One sign of life if it is due, and one batch if there is any. Returns when the next sign is due."""
        cursor = self._cursor_or_sleep()
        if cursor is None:
            self._wanted.wait()
            return 0.0
        now = time.monotonic()
        if now >= fleet_at:
            self._show_out()
            self._socketio.emit("fleet", self._fleet(), to=_ROOM)
            fleet_at = now + FLEET_SECONDS
        block_ms = max(1, min(BLOCK_MS, int((fleet_at - now) * 1000)))
        entries = self._reads.feed(cursor, BATCH_EVENTS, block_ms)
        if entries:
            reached = entries[-1][0]
            batch = {"from": cursor, "cursor": reached, "events": _events(entries)}
            self._socketio.emit("feed", batch, to=_ROOM)
            self._cursor = reached
            if len(entries) < BATCH_EVENTS:
                self._stopping.wait(BATCH_SECONDS)
        return fleet_at

    def _cursor_or_sleep(self) -> str | None:
        """Where to read on; None, and no cursor any more, when the last page has gone."""
        with self._lock:
            if not self._pages:
                self._cursor = None
            if self._cursor is None and not self._stopping.is_set():
                self._wanted.clear()
            return self._cursor

    def _show_out(self) -> None:
        """Close the sockets of those who may not read any more; their pages ask again and are sent to sign in."""
        with self._lock:
            people = dict(self._people)
        gone = {who for who in set(people.values()) if not self._still_in(who)}
        for page, who in people.items():
            if who in gone:
                log.info("socket closed: its session has ended", extra={"who": who.who})
                self._socketio.server.disconnect(page)

    def _start_over(self) -> None:
        """Redis came back without what we have shown: every page shall follow again."""
        log.warning("the feed was lost; all pages start over")
        with self._lock:
            self._cursor = None
        self._close_sockets()

    def _fleet(self) -> dict[str, Any]:
        seconds, micros = self._redis.time()
        return shapes.fleet(self._reads.fleet(), seconds * 1000 + micros // 1000)

    # -- the end -----------------------------------------------------------------------------------------------

    def _close_when_stopping(self) -> None:
        self._stopping.wait()
        self._close_sockets()

    def _close_sockets(self) -> None:
        """Cut the transport without a word: after a close packet some Socket.IO clients stay away."""
        for socket in list(cast(Any, self._socketio.server).eio.sockets.values()):
            try:
                socket.close(wait=False, abort=True)
            except Exception:
                log.exception("live: a socket could not be closed")


def _events(entries: Iterable[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """Feed entries as sent. One that cannot be read (from a newer version) is left out, and logged."""
    events = []
    for entry_id, encoded in entries:
        try:
            events.append(shapes.event(encoded))
        except msgspec.DecodeError as error:
            log.error("a feed event cannot be read", extra={"entry": entry_id, "error": str(error)})
    return events
