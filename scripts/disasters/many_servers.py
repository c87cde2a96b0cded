"""A cluster as the store of a chaos run, a plain server beside it, and their disasters.

A disaster of the cluster takes seconds, so each is a generator that `go_on` moves on. Only one strikes at a time: else
the three masters lose their majority, and then nobody promises anything. Processes and links have theirs meanwhile.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

import redis
from redis.crc import key_slot

from scripts.disasters.faults import DOWN_SECONDS, FULL_SECONDS
from scripts.machine.server import EmbeddedServer
from scripts.simulator.telephony import CONFIRM_SECONDS
from state.keys import Keys
from state.server.slots import tags
from tests.harness.cluster import Cluster
from tests.harness.cluster_node import NODE_TIMEOUT_MS, Node
from tests.harness.link import Link

AWAY_SECONDS = (0.0, 6.0)
"""Seconds that a node is gone, paused or cut off. Its replica takes over after about three."""

PATIENCE_SECONDS = 60.0
"""Most seconds until the cluster is whole again after a disaster."""

LOOK_SECONDS = 0.3

Disaster = Generator[None, None, None]


class ManyServers:
    """Three masters with a replica each behind links, and a plain server for accounts and jobs."""

    confirm_seconds = CONFIRM_SECONDS + 1.5 * NODE_TIMEOUT_MS / 1000
    """As one server's, and the seconds for which a cut-off master answers until it notices. All that is lost."""

    def __init__(self, folder: Path, dice: random.Random, shards: int) -> None:
        self._dice = dice
        self._plain = EmbeddedServer(folder / "server")
        self._cluster = Cluster(folder / "cluster", linked=True)
        self._link = Link(self._plain.port)
        self._slots = [key_slot(Keys(tag).prefix.encode()) for tag in tags(shards)]
        self._under_way: Disaster | None = None
        self._next_look = 0.0
        self.environ = {
            "REDIS_URL": self._cluster.nodes[0].url,
            "JOBS_REDIS_URL": self._plain.url_at(self._link.port),
        }
        self.complaints: list[str] = []
        self.disasters: list[tuple[int, Callable[[], bool]]] = [
            (3, self.cut_links),
            (2, self.kill_plain_server),
            (3, self.kill_master),
            (3, self.move_slot_key_by_key),
            (3, self.move_slot_at_once),
            (3, self.cut_off_master),
            (2, self.pause_node),
            (1, self.kill_replica),
            (1, self.fill_master),
        ]

    # -- disasters that are over at once ---------------------------------------------------------------------

    def cut_links(self) -> bool:
        share = self._dice.uniform(0.1, 1.0)
        for link in (self._link, *(node.links[0] for node in self._cluster.nodes)):
            link.cut(share, self._dice)
        return True

    def kill_plain_server(self) -> bool:
        """kill -9. The append-only file has everything that the server answered."""
        self._plain.kill()
        time.sleep(self._dice.uniform(*DOWN_SECONDS))
        self._plain.start()
        return True

    # -- disasters that take their time ----------------------------------------------------------------------

    def kill_master(self) -> bool:
        """kill -9. The replica takes over, without what had not reached it."""
        return self._begin(self._kill(self._master()))

    def kill_replica(self) -> bool:
        master = self._master()
        return self._begin(self._kill(next(iter(self._cluster.replicas(master)), None) if master else None))

    def pause_node(self) -> bool:
        """SIGSTOP, and SIGCONT later. A replica may have replaced the node, and it does not know that."""
        return self._begin(self._pause(self._dice.choice(self._cluster.nodes)))

    def cut_off_master(self) -> bool:
        """Other nodes do not hear the master, clients do. All that it takes in before it notices is lost."""
        return self._begin(self._cut_off(self._master()))

    def move_slot_key_by_key(self) -> bool:
        return self._begin(self._move(atomic=False))

    def move_slot_at_once(self) -> bool:
        return self._begin(self._move(atomic=True))

    def fill_master(self) -> bool:
        """One master's memory runs out for a while."""
        return self._begin(self._fill(self._master()))

    def _kill(self, node: Node | None) -> Disaster:
        if node is None:
            return
        node.kill()
        yield from self._pause_for(AWAY_SECONDS)
        node.start()

    def _pause(self, node: Node) -> Disaster:
        node.pause()
        yield from self._pause_for(AWAY_SECONDS)
        node.resume()

    def _cut_off(self, node: Node | None) -> Disaster:
        if node is None:
            return
        self._cluster.cut_off(node)
        yield from self._pause_for(AWAY_SECONDS)
        self._cluster.heal(node)

    def _move(self, atomic: bool) -> Disaster:
        slot = self._dice.choice(self._slots)
        owner = self._cluster.owner(slot)
        others = [node for node in map(self._cluster.owner, self._slots) if node not in (None, owner)]
        if owner is None or not others:
            return
        target = self._dice.choice(others)
        if target is not None and not self._cluster.migrate(slot, target, atomic):
            self.complaints.append(f"slot {slot} could not be moved (atomic: {atomic})")
        yield

    def _fill(self, node: Node | None) -> Disaster:
        if node is None:
            return
        with node.client() as client:
            client.config_set("maxmemory", max(1, int(client.info("memory")["used_memory"] * 0.9)))
        yield from self._pause_for(FULL_SECONDS)
        with node.client() as client:
            client.config_set("maxmemory", 0)

    # -- how it goes on ---------------------------------------------------------------------------------------

    def go_on(self, _counts: Counter[str]) -> None:
        """Move the present disaster on if it is time."""
        if self._under_way is None or time.monotonic() < self._next_look:
            return
        try:
            next(self._under_way)
            self._next_look = time.monotonic() + LOOK_SECONDS
        except StopIteration:
            self._under_way = None

    def calm(self) -> None:
        """Bring the present disaster to its end."""
        while self._under_way is not None:
            self.go_on(Counter())
            time.sleep(0.05)

    def close(self) -> None:
        """Leave nothing behind."""
        self._link.close()
        self._cluster.close()
        self._plain.stop()

    def _begin(self, disaster: Disaster) -> bool:
        if self._under_way is not None:
            return False
        self._under_way = self._whole(disaster)
        self._next_look = 0.0
        self.go_on(Counter())
        return True

    def _whole(self, disaster: Disaster) -> Disaster:
        """The disaster, and a wait until every slot has a master and every master its replica."""
        yield from disaster
        deadline = time.monotonic() + PATIENCE_SECONDS
        while wanting := self._cluster.wanting():
            if time.monotonic() > deadline:
                self.complaints.append(f"the cluster does not become whole again: {wanting}")
                return
            yield

    def _pause_for(self, seconds: tuple[float, float]) -> Disaster:
        until = time.monotonic() + self._dice.uniform(*seconds)
        while time.monotonic() < until:
            yield

    def _master(self) -> Node | None:
        with contextlib.suppress(redis.RedisError):
            return self._cluster.owner(self._dice.choice(self._slots))
        return None
