"""The live table's sockets: every page follows the feed by cursor, so no break makes it miss anything.

A page sends `follow` {cursor}: null at first, then the cursor of the last event it holds. Then it gets, in order,

    snapshot  {part, of, rows, cursor, away}    the whole table in parts, if its cursor leads nowhere; away: numbers of
                                                the shards whose calls are not in it. Once they are back, it comes again
    feed      {from, cursor, events}            all events after `from`, at most five times a second
    fleet     {...}                             every two seconds as a sign of life; none while Redis is away

A page may send `sees` {calls}: those in sight or open, at most a hundred, whenever they change. Where the words of
open utterances cost much, decoders then make them for these alone (state/calls/sight.py). A page that never says so
counts as seeing all calls.

After a break a page sends `follow` with its cursor again, to any web process. A page on a slow link gets nothing new
while it still takes the last message. Then it gets all newer events in one message, without partials that newer ones
replaced. So only its link makes it lag, and nothing piles up here.

open_pages.py takes the pages' messages. One thread, here, reads the feed and sends. It makes each message once for all
pages: those at the same event get the same message, and so the same compressed frame (page_wire.py). It reads the table
once, however many pages ask (snapshots.py).

A socket is open to clients that may read (rights.py), as long as they may. doorman.py keeps the door. With every sign
of life the thread looks for sessions that have ended.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import msgspec
import redis
from flask_socketio import SocketIO

from state import metrics, tracing
from state.calls.feed import FeedLost, at_ms
from state.calls.health import Health
from state.calls.reads import Reads
from state.calls.sight import Sight
from state.server.clock import RunningClock
from webapp.access.identity import Identity
from webapp.page import page_wire
from webapp.page.open_pages import OpenPages, Page
from webapp.page.recent import BATCH_EVENTS, EVENTS, Recent
from webapp.page.snapshots import Snapshots
from webapp.schemas import shapes

log = logging.getLogger("earshot.web")

BATCH_SECONDS = 0.2
"""Least seconds between two batches. A screen that changes five times a second looks live."""

BLOCK_MS = 100
"""Most milliseconds that the reader waits for an event, and a new page for its answer."""

FLEET_SECONDS = 2.0
"""Seconds between two signs of life. When three are missing, the page takes the link for broken."""

SNAPSHOT_AGAIN_SECONDS = 5.0
"""Least seconds between two snapshots to one socket."""

PATIENCE_SECONDS = 0.5
"""Seconds between two attempts while Redis is away."""


class Json:
    """Encodes for Socket.IO: fast, and it accepts what is encoded already (msgspec.Raw)."""

    loads = staticmethod(json.loads)

    @staticmethod
    def dumps(value: object, **_options: object) -> str:
        return msgspec.json.encode(value).decode()


class LiveTable:
    """The sockets of one web process."""

    def __init__(
        self, socketio: SocketIO, reads: Reads, health: Health, sight: Sight, still_in: Callable[[Identity], bool]
    ) -> None:
        self._socketio = socketio
        self._reads = reads
        self._health = health
        self._sight = sight
        self._snapshots = Snapshots(reads)
        self._clock = RunningClock(reads.now_ms)
        self._still_in = still_in
        self._recent: Recent | None = None
        self._fleet_at = 0.0
        self._away: set[int] = set()
        self._starting = threading.Lock()
        self._started = False
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._pages = OpenPages(socketio, sight, self._came)

    def stop(self) -> None:
        """Close every socket soon. Safe in a signal handler: it only sets flags.

        A page takes that for a broken link and comes back, to another process or to this one's successor.
        """
        self._stopping.set()
        self._wanted.set()

    def _came(self) -> None:
        """A page has come: read for it. The threads start with the first one."""
        with self._starting:
            if not self._started:
                self._started = True
                for target in (self._read, self._close_when_stopping):
                    threading.Thread(target=target, name=f"live{target.__name__}", daemon=True).start()
        self._wanted.set()

    # -- what pages are told: all in one thread -------------------------------------------------------------

    def _read(self) -> None:
        """The reader thread: never ends before the process, whatever Redis does."""
        away = False
        while not self._stopping.is_set():
            try:
                self._turn()
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

    def _turn(self) -> None:
        """Send news to every page that has taken the last message, and a sign of life if it is due."""
        pages = self._pages.following()
        if not self._pages.all():
            self._rest()
            return
        if self._recent is None:
            self._recent = Recent(self._reads.feeds.tails(EVENTS))
        now = time.monotonic()
        if now >= self._fleet_at:
            self._show_out()
            self._sight.look(frozenset().union(*(page.sees for page in pages)))
            self._tell("fleet", self._fleet(), [page for page in pages if not page.wire.sending])
            self._fleet_at = now + FLEET_SECONDS
        entries = self._reads.feeds.after(self._recent.tips, BATCH_EVENTS, BLOCK_MS)
        with tracing.steps("tell pages", (entry.way for entry in entries)):
            self._recent.add(entries)
            self._tell_news(self._recent, pages)
        if entries:
            metrics.FEED_DELAY.observe(max(0.0, self._clock.now_ms() - at_ms(entries[0].cursor)) / 1000)
        if entries and len(entries) < BATCH_EVENTS:
            self._stopping.wait(BATCH_SECONDS)

    def _rest(self) -> None:
        """No page is open: keep no words, and sleep."""
        self._recent = None
        self._snapshots.forget()
        self._fleet_at = 0.0
        page_wire.forget_frames()
        self._wanted.clear()  # first: a page that comes after the look below sets it again
        if not self._pages.all() and not self._stopping.is_set():
            self._wanted.wait()

    def _tell_news(self, recent: Recent, pages: list[Page]) -> None:
        now = time.monotonic()
        behind: dict[str, list[Page]] = {}
        lost: list[Page] = []
        for page in pages:
            if page.wire.sending:
                continue
            whole = not page.lacks or self._away.intersection(page.lacks)
            if page.cursor is not None and page.cursor in recent and whole:
                if page.cursor == recent.tip:
                    continue
                behind.setdefault(page.cursor, []).append(page)
            elif now >= page.snapshot_at + SNAPSHOT_AGAIN_SECONDS:
                lost.append(page)
        for cursor, group in behind.items():
            for batch in recent.after(cursor):
                self._tell("feed", batch.said, group)
            for page in group:
                page.cursor = recent.tip
        if lost:
            self._tell_all(recent, lost)
        else:
            self._snapshots.forget_old()

    def _tell_all(self, recent: Recent, pages: list[Page]) -> None:
        snapshot = self._snapshots.get(recent)
        self._tell("fleet", self._fleet(), pages)  # first: it sets the page's clock
        for part in snapshot.parts:
            self._tell("snapshot", part, pages)
        for page in pages:
            page.cursor, page.snapshot_at, page.lacks = snapshot.cursor, time.monotonic(), snapshot.lacks

    def _tell(self, event: str, what: dict[str, Any], pages: list[Page]) -> None:
        """Send the same to all these pages, encoded once."""
        if pages:
            self._socketio.emit(event, what, to=cast(Any, [page.sid for page in pages]))

    def _show_out(self) -> None:
        """Close the sockets of clients that may no longer read. Their pages ask again and come to the sign-in."""
        pages = self._pages.all()
        gone = {who for who in {page.who for page in pages} if not self._still_in(who)}
        for page in pages:
            if page.who in gone:
                log.info("socket closed: its session has ended", extra={"who": page.who.who})
                page.wire.cut()

    def _start_over(self) -> None:
        """Redis came back without data that we have shown: make every page follow again."""
        log.warning("the feed was lost; all pages start over")
        self._recent = None
        self._snapshots.forget()
        self._close_sockets()

    def _fleet(self) -> dict[str, Any]:
        found = self._health.fleet()
        self._away = set(found.away)
        return shapes.fleet(found, self._reads.now_ms())

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
