"""The sockets of one process, on one event loop.

A sender brings a frame every 20 ms, also while nobody speaks. So a socket is nearly always ready, and waking up for
each frame costs more than handling it. The loop therefore looks at all sockets in one beat, ten times a second, and
keeps what came. A call gets its turn when a chunk should be whole. A turn may wait for the store. So it runs on another
thread, one turn of a socket at a time, and nobody reads from the socket during it. A slow part of the store then holds
up its own calls alone, and a sender that is too fast waits in TCP. If a sender waits for answers, its socket is read as
soon as something comes."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from state import metrics
from webapp.streams.events import Message, Parser
from webapp.streams.talking import Talk, Turn, take_turn
from webapp.streams.wire import Wire

log = logging.getLogger("earshot.web.streams")

BEAT_SECONDS = 0.1
"""Seconds between two looks at all sockets. A chunk has half a second anyway."""

TURN_SECONDS = 1.0
"""Most seconds between two turns of a call, also without audio."""

BULK_BYTES = 1 << 14
"""Bytes or characters from which on a sender is faster than speech, or behind. It need not wait for its turn."""

WELCOME_SECONDS = 5.0
"""Seconds between two looks whether a socket's key is still good."""

MOST = 1000
"""Most sockets of a process. docs/PERFORMANCE.md says how many a core can serve."""


class Line:
    """One socket's place in the loop. welcome: whether its sender may still send; it may ask the store."""

    def __init__(
        self, wire: Wire, parser: Parser, talk: Talk, prompt: bool, welcome: Callable[[], bool] | None = None
    ) -> None:
        self.wire, self.parser, self.talk, self.prompt = wire, parser, talk, prompt
        self._welcome = welcome
        self.kept: list[Message] = []
        self.kept_bytes = 0
        self.busy = False
        self.closing = False
        self.due_at = self.turned_at = time.monotonic()
        self._welcome_at = self.due_at + WELCOME_SECONDS

    def read(self) -> None:
        """Keep what came."""
        if self.wire.gone is None and (messages := self.wire.read()):
            self.kept += messages
            self.kept_bytes += sum(map(len, messages))

    def is_due(self, now: float) -> bool:
        """Whether a turn would do something."""
        if self.wire.gone is not None or now - self.turned_at >= TURN_SECONDS:
            return True
        return bool(self.kept) and (now >= self.due_at or self.kept_bytes >= BULK_BYTES)

    def begin(self, now: float, stopping: bool) -> Turn:
        """The work of a turn that begins now."""
        messages, self.kept, self.kept_bytes = self.kept, [], 0
        self.busy, self.turned_at = True, now
        asks = self._welcome is not None and now >= self._welcome_at
        if asks:
            self._welcome_at = now + WELCOME_SECONDS
        return Turn(messages, self.wire.gone, stopping, self._welcome if asks else None)

    def end(self) -> None:
        """A turn is over, and another may come."""
        self.due_at = time.monotonic() + self.talk.due_seconds + BEAT_SECONDS / 2
        self.busy = False


class Loop:
    """The sockets of this process, at most so many. It begins with the first."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.open = 0
        self._lock = threading.Lock()
        self._stopped_at: float | None = None
        self._emptied = threading.Event()
        self._emptied.set()
        self._events: asyncio.AbstractEventLoop | None = None
        self._lines: set[Line] = set()
        self._turns = ThreadPoolExecutor(most, "turn")  # as many threads as there have been turns at once

    def enter(self) -> bool:
        """Take a place. Returns False if none is free or this process stops."""
        with self._lock:
            if self._stopping or self.open >= self.most:
                return False
            self.open += 1
            self._emptied.clear()
            metrics.STREAMS.inc()
            return True

    def leave(self) -> None:
        """Give it back."""
        with self._lock:
            self.open -= 1
            metrics.STREAMS.dec()
            if not self.open:
                self._emptied.set()

    def adopt(self, line: Line) -> None:
        """Serve a socket that has a place, to its end. Then it gives the place back."""
        with self._lock:
            if self._events is None:
                self._events = asyncio.new_event_loop()
                self._events.call_soon(self._beat)
                threading.Thread(target=self._events.run_forever, name="streams", daemon=True).start()
        self._soon(self._add, line)

    def stop(self) -> None:
        """Every socket closes soon, after its last audio is taken. Safe in a signal handler."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()

    @property
    def _stopping(self) -> bool:
        return self._stopped_at is not None

    def join(self, seconds: float) -> None:
        """Wait until every socket is closed, at most so long after stop()."""
        assert self._stopped_at is not None
        self._emptied.wait(max(0.0, self._stopped_at + seconds - time.monotonic()))

    # -- on the loop ---------------------------------------------------------------------------------------

    @property
    def _running(self) -> asyncio.AbstractEventLoop:
        assert self._events is not None
        return self._events

    def _soon(self, act: Callable[..., None], line: Line, *more: object) -> None:
        """Call it from any thread."""
        self._running.call_soon_threadsafe(self._try, act, line, *more)

    def _try(self, act: Callable[..., None], line: Line, *more: object) -> None:
        """A fault of a socket ends this socket alone."""
        try:
            act(line, *more)
        except Exception:
            log.exception("a socket failed")
            line.wire.lose()
            if line.closing:
                self._remove(line)

    def _beat(self) -> None:
        began = time.monotonic()
        for line in list(self._lines):
            self._try(self._look, line, began)
        self._running.call_later(max(0.0, BEAT_SECONDS - (time.monotonic() - began)), self._beat)

    def _look(self, line: Line, now: float) -> None:
        if line.closing:
            if line.wire.finished():
                self._remove(line)
            return
        line.wire.flush()
        if line.busy:
            return
        line.read()
        if self._stopping or line.is_due(now):
            self._turn(line)

    def _add(self, line: Line) -> None:
        self._lines.add(line)
        if line.prompt:
            self._listen(line)

    def _remove(self, line: Line) -> None:
        if line in self._lines:
            self._lines.discard(line)
            self.leave()

    def _listen(self, line: Line) -> None:
        self._running.add_reader(line.wire.fileno(), self._try, self._hear, line)

    def _hear(self, line: Line) -> None:
        line.read()
        if line.kept or line.wire.gone is not None:
            self._turn(line)
        elif line.wire.full:  # it stays ready, and is not read: the beat looks
            self._running.remove_reader(line.wire.fileno())

    def _turn(self, line: Line) -> None:
        if line.prompt:
            self._running.remove_reader(line.wire.fileno())
        self._turns.submit(self._take_turn, line, line.begin(time.monotonic(), self._stopping))

    def _take_turn(self, line: Line, turn: Turn) -> None:
        """Runs on a thread of the pool."""
        end = take_turn(line.parser, line.talk, turn, partial(self._soon, self._say, line))
        if end is not None:
            self._soon(self._close, line, *end)
        elif line.prompt:
            self._soon(self._go_on, line)
        else:
            line.end()

    def _say(self, line: Line, messages: list[Message]) -> None:
        for message in messages:
            line.wire.send(message)

    def _go_on(self, line: Line) -> None:
        line.end()
        self._listen(line)

    def _close(self, line: Line, code: int, reason: str) -> None:
        line.closing = True
        line.wire.close(code, reason)
