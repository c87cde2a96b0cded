"""Connections into a Redis or Valkey cluster that go where a slot is.

A shard is one slot, so its client is a plain one: scripts, pipelines and blocking reads work as on a single server.
Only its connections differ. They ask the slot's route where to connect. A node that answers MOVED or ASK has not done
the command. Then the connection sends it once more, to the node that has its key. That may be a command in the middle
of a pipeline: while a slot moves key by key, one key is here and the next one there. A command that needs several keys
waits (TRYAGAIN) until all have arrived; a script always does.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.connection import Connection, SSLConnection
from redis.exceptions import AskError, ClusterDownError, MovedError, TryAgainError
from redis.retry import Retry

from state.server.cluster import MOVES, Address, Route, moved_to
from state.server.connection import ShardAway

T = TypeVar("T")
Command = tuple[Any, ...]

MOVING_SECONDS = 1.0
"""Seconds for which a command waits for a slot that moves key by key. A slot of some megabytes takes less."""


class _Routed:
    """The common part of both kinds of connection: they go where their route leads, and tell it what they find."""

    def __init__(self, *args: Any, route: Route, **options: Any) -> None:
        self._route = route
        self._batch: tuple[Any, deque[Command]] = (None, deque())  # packed, and as it was before
        self._asked: deque[Command] = deque()
        """Commands that were sent and have no answer yet, unless in a transaction."""
        super().__init__(*args, **options)

    def _connect(self) -> Any:
        self.host, self.port = self._route.address()
        return super()._connect()  # type: ignore[misc]

    def connect_check_health(self, *args: Any, **options: Any) -> None:
        try:
            super().connect_check_health(*args, **options)  # type: ignore[misc]
        except (redis.ConnectionError, redis.TimeoutError):
            self._route.lost()
            raise

    def pack_commands(self, commands: Iterable[Command]) -> Any:
        batch = deque(commands)
        packed = super().pack_commands(batch)  # type: ignore[misc]
        self._batch = packed, deque() if batch[0][0] == "MULTI" else batch
        return packed

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self._route.check()
        super().send_packed_command(command, check_health)  # type: ignore[misc]
        packed, batch = self._batch
        if command is packed:
            self._batch, self._asked = (None, deque()), batch

    def send_command(self, *command: Any, **options: Any) -> None:
        super().send_command(*command, **options)  # type: ignore[misc]
        self._asked = deque([command])  # not before: to connect, other commands are sent

    def read_response(self, *args: Any, **options: Any) -> Any:
        command = self._asked.popleft() if self._asked else None
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except AskError as error:  # or MovedError, a subclass
            address = moved_to(error, (self.host, self.port))
            if isinstance(error, MovedError):
                self._route.moved(address)
                self.mark_for_reconnect()  # type: ignore[attr-defined]
            if command is None:
                raise
            return self._asked_at(address, command, not isinstance(error, MovedError), *args, **options)
        except (ClusterDownError, redis.TimeoutError):
            self._route.lost()
            raise

    def _asked_at(self, address: Address, command: Command, arriving: bool, *args: Any, **options: Any) -> Any:
        """Another node's answer. arriving: its slot comes there key by key."""
        with self._route.aside(address, self.socket_timeout) as client:  # type: ignore[attr-defined]
            there = client.connection_pool.get_connection()
            if arriving:
                there.send_command("ASKING")
                there.read_response()
            there.send_command(*command)
            return there.read_response(*args, **options)


class RoutedConnection(_Routed, Connection):
    """A connection to wherever a slot is."""


class RoutedSSLConnection(_Routed, SSLConnection):
    """The same over TLS."""


class Patience(Retry):
    """Repeats a command that was not done: at once after MOVED, a little later while a slot moves key by key.

    After a broken connection it repeats `retries` times, because nobody knows whether the command was done. It never
    repeats when the shard is known to be away.
    """

    def __init__(self, retries: int) -> None:
        super().__init__(ExponentialWithJitterBackoff(base=0.05, cap=0.5), retries)

    def call_with_retry(
        self,
        do: Callable[[], T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> T:
        moves = 0
        until = time.monotonic() + MOVING_SECONDS
        while True:
            try:
                return super().call_with_retry(do, fail, _not_away, with_failure_count)
            except MovedError as error:
                moves += 1
                fail(*((error, moves) if with_failure_count else (error,)))  # closes the connection
                if moves > MOVES:
                    raise
            except (AskError, TryAgainError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


def _not_away(error: Exception) -> bool:
    return not isinstance(error, ShardAway)
