"""Requests that compute for seconds: one at a time in a process. A few wait, and none works for a client that has
gone."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from webapp.http.language import _
from webapp.http.problems import Problem


class OneAtATime:
    """Turns for heavy work. waiting: at most so many requests wait. seconds: at most so long."""

    def __init__(self, waiting: int, seconds: float) -> None:
        self._places = threading.BoundedSemaphore(waiting + 1)
        self._turn = threading.Lock()
        self._seconds = seconds

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place among the requests that wait or have their turn. Raises Problem (429) if none is free."""
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The caller's turn. Raises Problem (429) if too many wait, or the turn does not come in time."""
        with self.place():
            if not self._turn.acquire(timeout=self._seconds):
                raise _busy()
            try:
                yield
            finally:
                self._turn.release()


def _busy() -> Problem:
    return Problem(429, "busy", _("Too many others asked for the same. Try again."), retry=True)


def has_gone(connection: socket.socket | None) -> bool:
    """Whether the client of a request has closed its connection. The request's body must have been read."""
    if connection is None:
        return False
    with contextlib.suppress(OSError, ValueError):
        readable = select.poll()
        readable.register(connection, select.POLLIN)
        return bool(readable.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
    return True
