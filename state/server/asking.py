"""How the steps of a chunk ask a server: as redis-py does, without most of its work around each command.

For each command redis-py counts for observers that we do not have, and looks at the socket before. That costs a process
more than the command itself. Connections, their retries and their errors are redis-py's own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import redis

REST_SECONDS = 1.0
"""Seconds of rest after which a connection is looked at before its next use: the server may have closed it."""

Command = tuple[Any, ...]


def ask(client: redis.Redis, *commands: Command) -> list[Any]:
    """Send these commands in one go, and return their replies as the server gave them.

    Raises redis.RedisError as a pipeline of the client does: the first error among the replies. It repeats all of them
    where the client would.
    """
    if not commands:
        return []
    pool = client.connection_pool
    connection: Any = pool.get_connection()
    try:
        replies = connection.retry.call_with_retry(
            lambda: _replies(connection, commands), lambda *_: connection.disconnect()
        )
    finally:
        pool.release(connection)
    return replies  # type: ignore[no-any-return]


def _replies(connection: Any, commands: Sequence[Command]) -> list[Any]:
    connection.send_packed_command(connection.pack_commands(commands))
    replies: list[Any] = []
    error: redis.ResponseError | None = None
    for _ in commands:
        try:
            replies.append(connection.read_response())
        except redis.ResponseError as refusal:  # the others' replies must be read, too
            error = error or refusal
    if error is not None:
        raise error
    return replies


class Pool(redis.ConnectionPool):
    """Connections of a process, for any number of threads. Who asks gets the one that came back last."""

    def __init__(self, *args: Any, timeout: float = 0.0, **options: Any) -> None:
        """timeout: seconds to wait for a connection when `max_connections` (see redis.ConnectionPool) are in use."""
        self._wait_seconds = timeout
        super().__init__(*args, **options)

    def reset(self) -> None:
        """See redis.ConnectionPool.reset."""
        self._came_back = threading.Condition()
        self._waiting = 0
        super().reset()

    def get_connection(self, *_: Any, **__: Any) -> Any:
        """See redis.ConnectionPool.get_connection. Raises redis.ConnectionError if none comes back in time."""
        self._checkpid()
        try:
            connection: Any = self._available_connections.pop()
        except IndexError:
            connection = self._another()
        self._in_use_connections.add(connection)
        if connection.is_connected and time.monotonic() - connection.rests_since > REST_SECONDS:
            _close_if_stale(connection)
        return connection

    def release(self, connection: Any) -> None:
        """See redis.ConnectionPool.release."""
        self._in_use_connections.discard(connection)
        if not self.owns_connection(connection):  # it was made before a fork
            connection.disconnect()
            return
        connection.rests_since = time.monotonic()
        self._available_connections.append(connection)
        if self._waiting:
            with self._came_back:
                self._came_back.notify()

    def _another(self) -> Any:
        """A new connection, or, if there are as many as may be, the next that comes back."""
        until = time.monotonic() + self._wait_seconds
        with self._came_back:
            self._waiting += 1  # before the look below: whoever brings one back after it will say so
            try:
                while True:
                    with suppress(IndexError):
                        return self._available_connections.pop()
                    if self._created_connections < self.max_connections:
                        return self.make_connection()
                    if not self._came_back.wait(until - time.monotonic()):
                        raise redis.ConnectionError("No connection available.")
            finally:
                self._waiting -= 1


def _close_if_stale(connection: Any) -> None:
    """Close a connection that the server has closed, or on which something unasked has come."""
    try:
        stale = connection.can_read()
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        stale = True
    if stale:
        connection.disconnect()
