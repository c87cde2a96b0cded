"""How web and audiosocket accept connections: descriptors are left to those who are here, and the log says it once when
there are too few."""

from __future__ import annotations

import errno
import logging
import os
import resource
import socket
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger("earshot.entrance")

SPARE_FILES = 128
"""At most so many descriptors that connections from outside leave to the store's connections (64 unless set otherwise),
the database's and files."""

RETRY_SECONDS = 0.5
"""Seconds between two tries to accept a connection after one has failed."""

CALM_SECONDS = 10.0
"""Seconds without a failed try until the next connection means that there are enough descriptors again. Where callers
come as fast as others leave, each that leaves frees a descriptor for a moment."""


class Entrance:
    """Where a process accepts its connections. One thread uses it."""

    def __init__(self, wait: Callable[[float], object] = time.sleep) -> None:
        """wait: waits so many seconds, or less if the process should stop."""
        self._wait = wait
        self._failed_tries = 0
        self._failed_first = self._failed_last = 0.0

    def accept(self, listener: socket.socket) -> tuple[socket.socket, Any] | None:
        """What socket.accept returns; None if the caller has gone, or after RETRY_SECONDS if descriptors are too few.
        Whoever waits to be accepted waits on."""
        try:
            accepted = _accept(listener)
        except (BlockingIOError, ConnectionAbortedError):
            return None
        except OSError as error:
            self._fail(error)
            self._wait(RETRY_SECONDS)
            return None
        if self._failed_tries and time.monotonic() - self._failed_last > CALM_SECONDS:
            seconds = round(self._failed_last - self._failed_first, 1)
            log.info("connections are accepted again", extra={"tries": self._failed_tries, "seconds": seconds})
            self._failed_tries = 0
        return accepted

    def _fail(self, error: OSError) -> None:
        self._failed_last = time.monotonic()
        if not self._failed_tries:
            self._failed_first = self._failed_last
            log.warning("connections wait to be accepted", extra={"error": repr(error)})
        self._failed_tries += 1


def _accept(listener: socket.socket) -> tuple[socket.socket, Any]:
    """As socket.accept. Raises EMFILE also while only the last descriptors are free."""
    lowest_free = os.dup(listener.fileno())
    os.close(lowest_free)
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and lowest_free >= most - min(SPARE_FILES, most // 2):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return listener.accept()
