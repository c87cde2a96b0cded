"""Where the slots of a Redis or Valkey cluster are, and which of their masters answer. routed.py connects to them.

When a master does not answer, only one thread waits for the time-out. Then its route counts as away, and all others
learn that at once, until a watcher of this process has found the slot's master alive.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AskError, MovedError, TryAgainError
from redis.retry import Retry

from state.server.connection import ShardAway

Address = tuple[str, int]

PROBE_SECONDS = 1.0
"""Seconds that a node may take to answer a question about the cluster."""

WATCH_SECONDS = 0.2
"""Seconds between two looks whether a slot's master is there again."""

MOVES = 5
"""Most answers MOVED that a command follows in a row: more means that nodes disagree about a slot."""

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
        """Ask a node, `but` last: one that was cut off may have old news.

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
        """The slot's master, as far as we know. Raises redis.ConnectionError."""
        for first, last, address in self._owners:
            if first <= slot <= last:
                return address
        raise redis.ConnectionError(f"no node of the cluster has slot {slot}")

    def masters(self) -> int:
        """How many masters have slots."""
        return len({address for _, _, address in self._owners})

    def client(self, node: Address, timeout_seconds: float = PROBE_SECONDS) -> redis.Redis:
        """A client to one node, which follows nothing and never retries."""
        options = self._options | {"host": node[0], "port": node[1], "socket_timeout": timeout_seconds}
        return redis.Redis(**options, retry=Retry(NoBackoff(), 0))


class Route:
    """Where one slot is, and whether its master answers."""

    def __init__(self, topology: Topology, slot: int, key: str) -> None:
        """key: one in this slot that nobody ever writes."""
        self._topology = topology
        self._slot = slot
        self._key = key
        self._address: Address | None = None
        self._lock = threading.Lock()
        topology.routes.append(self)
        self.away = False
        """Whether its master did not answer and nobody has found it again."""

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

    def aside(self, address: Address, timeout_seconds: float) -> redis.Redis:
        """A client to another node than the slot's, for a question or two."""
        return self._topology.client(address, timeout_seconds)

    def lost(self) -> None:
        """Its master does not answer. Nobody asks it any more, for this slot or another, until the watcher has found it
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
                address = moved_to(error, address)
                continue
            except (AskError, TryAgainError):
                pass  # it answers, and has the slot until all keys have moved
            return address
        raise redis.ConnectionError(f"the nodes disagree about slot {self._slot}")


def _address(node: Any, asked: Address) -> Address:
    """From an answer of CLUSTER SLOTS; without a host it is the one that was asked."""
    return (node[0].decode() if node[0] else asked[0]), int(node[1])


def moved_to(error: AskError, asked: Address) -> Address:
    """Where MOVED or ASK sends us; without a host it is the one that was asked."""
    return error.host or asked[0], error.port
