"""The web process's threads: each waits for the next request itself, and serves it. And its log.

gunicorn's gthread waits in one thread and hands every request to another, which hands the connection back: four more
changes of thread for each chunk, which cost more than the chunk does. Here the kernel wakes one of the threads that
wait, the one that waited last.
"""

from __future__ import annotations

import contextlib
import select
import selectors
import socket
import struct
import threading
import time
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from webapp.accepting import Entrance

SILENT_SECONDS = 20
"""Seconds until a sender that stops in the middle of a request is cut off. Until then it occupies a thread."""

LOOK_SECONDS = 1.0
"""Seconds between two looks for connections that have rested too long; gunicorn hears as often that all is well."""


class Log(Logger):  # type: ignore[misc]
    """gunicorn's log without its line for each request: it would be made, and nobody would get it. What did not succeed
    is logged by webapp/http/headers.py."""

    access_log_enabled = False


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's gthread with other waiting. It parses, answers and keeps connections as gunicorn does.

    A connection is at one place: it rests, or one thread has it. Whoever takes it out of `keepalived_conns` has it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keepalived_conns: dict[int, TConn] = {}
        """Connections that rest, by descriptor; the one that has rested longest comes first."""
        self._working: set[TConn] = set()
        self._ready: select.epoll  # made after the fork: processes would share it
        self._entrance = Entrance()
        self._lock = threading.Lock()
        self._threads = self._waiting = 0

    def init_process(self) -> None:
        """See ThreadWorker.init_process."""
        self._ready = select.epoll()
        super().init_process()

    def run(self) -> None:
        """See ThreadWorker.run: accept until asked to end, then let the requests at work end."""
        self.poller.register(self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks)
        self._hire()
        while self.alive:
            self.notify()
            self.set_accept_enabled(self.nr_conns < self.worker_connections)
            self.wait_for_and_dispatch_events(timeout=LOOK_SECONDS)
            if not self.is_parent_alive():
                break
            self._end_resting(time.monotonic() - self.cfg.keepalive)
        self.set_accept_enabled(False)
        began = time.monotonic()
        until = began + self.cfg.graceful_timeout
        while self.nr_conns and time.monotonic() < until:
            self.notify()
            self.wait_for_and_dispatch_events(timeout=LOOK_SECONDS / 10)
            if time.monotonic() > began + STOP_KEEPALIVE_LINGER:
                self._end_resting(time.monotonic())
        for listener in self.sockets:
            listener.close()

    @property
    def nr_conns(self) -> int:
        """Open connections."""
        return len(self.keepalived_conns) + len(self._working)

    @nr_conns.setter
    def nr_conns(self, _count: int) -> None:
        """gunicorn counts; here they are there to be counted."""

    def accept(self, listener: socket.socket) -> None:
        """See ThreadWorker.accept: a new connection rests until its request comes."""
        accepted = self._entrance.accept(listener)
        if accepted is None:
            return
        client, address = accepted
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SILENT_SECONDS, 0))
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.data_ready = True  # when a thread gets it
        self._rest(conn, self._ready.register)

    def _rest(self, conn: TConn, arm: Any) -> None:
        conn.timeout = time.monotonic()
        number = conn.sock.fileno()
        self.keepalived_conns[number] = conn
        self._working.discard(conn)
        arm(number, select.EPOLLIN | select.EPOLLONESHOT)

    def _end_resting(self, before: float) -> None:
        """Close what has rested since before that moment (monotonic seconds)."""
        for number, conn in list(self.keepalived_conns.items()):
            if conn.timeout > before:
                return
            if self.keepalived_conns.pop(number, None) is conn:
                conn.close()

    # -- the threads ----------------------------------------------------------------------------------------

    def _hire(self) -> None:
        """Another thread, if none waits and there may be more. Raises RuntimeError if not even the first can start."""
        with self._lock:
            if self._waiting or self._threads == self.cfg.threads:
                return
            self._threads += 1
            self._waiting += 1
        try:
            threading.Thread(target=self._serve, name=f"request-{self._threads}", daemon=True).start()
        except RuntimeError as error:  # the system has no room for another: those at work go on
            with self._lock:
                self._threads -= 1
                self._waiting -= 1
            if not self._threads:
                raise
            self.log.warning("no other thread can be started: %s", error)

    def _serve(self) -> None:
        while True:
            [(number, _event)] = self._ready.poll(maxevents=1)
            conn = self.keepalived_conns.get(number)
            if conn is None:
                continue
            self._working.add(conn)
            if self.keepalived_conns.pop(number, None) is not conn:
                self._working.discard(conn)
                continue  # it had rested too long
            with self._lock:
                self._waiting -= 1
            self._hire()
            try:
                self._work(conn)
            except Exception:
                self.log.exception("a connection failed")
                with contextlib.suppress(OSError):
                    conn.close()
                self._working.discard(conn)
            with self._lock:
                self._waiting += 1

    def _work(self, conn: TConn) -> None:
        """Serve what has come over a connection; then it rests, or ends."""
        while self.handle(conn):
            if not conn.parser.unreader.buf.getvalue():
                return self._rest(conn, self._ready.modify)
        with contextlib.suppress(OSError):  # a websocket's connection has gone elsewhere
            conn.close(graceful=True)
        self._working.discard(conn)
