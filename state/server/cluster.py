"""Connections into a Redis or Valkey cluster: one client for each slot that we use, which goes where the slot is.

A shard is one slot, so its client is a plain one: scripts, pipelines and blocking reads are as on a single server. Only
its connections differ. They ask the slot's route where to connect; an answer MOVED tells the route, and the command is
repeated there, since it was not done. While a slot moves key by key (ASK, TRYAGAIN) the command waits a moment.

A master that does not answer is not asked again by everybody, each for as long as a time-out: its route is away, and
whoever comes is told so at once, until a watcher of our own has found the slot's master alive.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.connection import Connection, SSLConnection
from redis.exceptions import AskError, ClusterDownError, MovedError, TryAgainError
from redis.retry import Retry

from state.server.connection import ShardAway

Address = tuple[str, int]
T = TypeVar("T")

PROBE_SECONDS = 1.0
"""How long a node may take to answer a question about the cluster."""

WATCH_SECONDS = 0.2
"""Between two looks whether a slot's master is there again."""

MOVES = 5
"""How often in a row a command follows MOVED: more means that nodes disagree about a slot."""

MOVING_SECONDS = 1.0
"""How long a command waits for a slot that moves key by key. A slot of some megabytes takes less."""

log = logging.getLogger("earshot.server")


class Topology:
    """Which master has which slot, as any node that answers says. Shared by all routes of a process."""

    def __init__(self, options: dict[str, Any], known: list[Address]) -> None:
        """options: of redis.Redis for one node; host and port name the first one to be asked. known: others."""
        self._options = options | {"socket_timeout": PROBE_SECONDS, "socket_connect_timeout": PROBE_SECONDS}
        self.nodes: list[Address] = list(dict.fromkeys([(options["host"], options["port"]), *known]))
        self._owners: list[tuple[int, int, Address]] = []
        self.routes: list[Route] = []

    def refresh(self, but: Address | None = None) -> None:
        """Ask a node, `but` last: one that was cut off may believe what is no longer so.

        Raises redis.RedisError if none answers.
        """
        failure: redis.RedisError | None = None
        for node in sorted(self.nodes, key=lambda node: node == but):
            try:
                with self.client(node) as client:
                    ranges: Any = client.execute_command("CLUSTER", "SLOTS")
            except redis.RedisError as error:
                failure = error
                continue
            owners = [(first, last, _address(master, node)) for first, last, master, *_ in ranges]
            known = [_address(one, node) for _, _, *nodes in ranges for one in nodes]
            self._owners = owners
            self.nodes = list(dict.fromkeys([*known, node]))
            return
        raise failure or redis.ConnectionError("no node of the cluster is known")

    def owner(self, slot: int) -> Address:
        """The slot's master, as far as is known. Raises redis.ConnectionError."""
        for first, last, address in self._owners:
            if first <= slot <= last:
                return address
        raise redis.ConnectionError(f"no node of the cluster has slot {slot}")

    def masters(self) -> int:
        """How many masters have slots."""
        return len({address for _, _, address in self._owners})

    def client(self, node: Address) -> redis.Redis:
        """A client to one node, which follows nothing and never retries."""
        return redis.Redis(**self._options | {"host": node[0], "port": node[1]}, retry=Retry(NoBackoff(), 0))


class Route:
    """Where one slot is, and whether its master answers."""

    def __init__(self, topology: Topology, slot: int, key: str) -> None:
        """key: one in this slot, that is never there."""
        self._topology = topology
        self._slot = slot
        self._key = key
        self._address: Address | None = None
        self._lock = threading.Lock()
        topology.routes.append(self)
        self.away = False
        """Whether its master did not answer, and has not been found again."""

    def address(self) -> Address:
        """Where to connect. Raises ShardAway, redis.ConnectionError."""
        self.check()
        return self._address or self._topology.owner(self._slot)

    def check(self) -> None:
        """Raise ShardAway if the slot's master is away."""
        if self.away:
            raise ShardAway(f"the master of slot {self._slot} does not answer")

    def moved(self, address: Address) -> None:
        """A node says that the slot is at another one."""
        self._address = address

    def lost(self) -> None:
        """Its master does not answer: nobody asks it any more, for this slot or another, until it has been found again,
        or its successor."""
        here = self._where()
        for route in self._topology.routes:
            if route is self or (here is not None and route._where() == here):
                route._leave_alone()

    def _where(self) -> Address | None:
        try:
            return self._address or self._topology.owner(self._slot)
        except redis.ConnectionError:
            return None

    def _leave_alone(self) -> None:
        with self._lock:
            if not self.away:
                self.away = True
                log.warning("a part of the store is away", extra={"slot": self._slot})
                threading.Thread(target=self._watch, name=f"watch-{self._slot}", daemon=True).start()

    def _watch(self) -> None:
        address = self._address
        while True:
            try:
                self._topology.refresh(but=address)
                address = self._topology.owner(self._slot)
                self._address = self._reached(address)
                break
            except redis.RedisError:
                time.sleep(WATCH_SECONDS)
        self.away = False
        log.info("a part of the store is back", extra={"slot": self._slot})

    def _reached(self, address: Address) -> Address:
        """The slot's master, when it has answered. Raises redis.RedisError."""
        for _ in range(MOVES):
            try:
                with self._topology.client(address) as client:
                    client.exists(self._key)
            except MovedError as error:
                address = _moved_to(error, address)
                continue
            except (AskError, TryAgainError):
                pass  # it answers, and has the slot until all keys have moved
            return address
        raise redis.ConnectionError(f"the nodes disagree about slot {self._slot}")


class _Routed:
    """What both kinds of connection have in common: they go where their route leads, and tell it what they find."""

    def __init__(self, *args: Any, route: Route, **options: Any) -> None:
        self._route = route
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

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self._route.check()
        super().send_packed_command(command, check_health)  # type: ignore[misc]

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except MovedError as error:
            self._route.moved(_moved_to(error, (self.host, self.port)))
            raise
        except (ClusterDownError, redis.TimeoutError):
            self._route.lost()
            raise


class RoutedConnection(_Routed, Connection):
    """A connection to wherever a slot is."""


class RoutedSSLConnection(_Routed, SSLConnection):
    """The same over TLS."""


class Patience(Retry):
    """Repeats what was not done: after MOVED at once, while a slot moves key by key a little later.

    After a broken connection it repeats `retries` times, since nobody knows whether it was done; never when the shard
    is known to be away.
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


def _address(node: Any, asked: Address) -> Address:
    """From an answer of CLUSTER SLOTS; without a host it is the one that was asked."""
    return (node[0].decode() if node[0] else asked[0]), int(node[1])


def _moved_to(error: MovedError, asked: Address) -> Address:
    return error.host or asked[0], error.port
