"""A Redis Cluster on loopback for tests, chaos and benchmarks: three masters with a replica each, in real processes.

    with Cluster(folder, linked=True) as cluster:
        cluster.url                              # REDIS_URL: any node's
        old = cluster.owner(slot)
        old.kill()                               # kill -9
        new = cluster.wait_owner(slot, other_than=old)
        old.start()                              # comes back as its successor's replica
        cluster.migrate(slot, to=node)           # under load: classic, or atomic=True
        with cluster.partitioned(node):          # it and the other nodes hear nothing of each other; clients reach all
            ...

Every node has its own loopback address (127.0.0.21 and up), so a link knows who connects. With `linked`, nodes announce
the ports of links (tests/harness/link.py) for clients, replication and the cluster's bus.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis

from scripts.machine.server import find_binary
from tests.harness.cluster_node import OPTIONS, Node, address, free_ports, wait
from tests.harness.link import Link

SLOTS = 16384
MIGRATE_KEYS = 20
"""Keys moved at once by a classic migration."""


class Cluster:
    """At first masters 0, 1, 2 share the slots evenly, and node n + masters is the replica of master n."""

    def __init__(
        self, folder: Path, *, masters: int = 3, replicas: int = 1, linked: bool = False, binary: Path | None = None
    ) -> None:
        self.nodes: list[Node] = []
        self._links: list[Link] = []
        program = str(binary or find_binary())
        try:
            for number in range(masters * (1 + replicas)):
                self.nodes.append(self._node(number, folder / f"node-{number}", program, linked))
            for node in self.nodes:
                node.start()
            self._join(masters)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """A REDIS_URL that names a living node."""
        return next(node for node in self.nodes if node.alive).url

    def client(self) -> redis.RedisCluster:
        """A new client to the whole cluster. It gives bytes, as the product reads them."""
        node = next(node for node in self.nodes if node.alive)
        return redis.RedisCluster(node.host, node.port, protocol=2, socket_timeout=10)

    def close(self) -> None:
        """Kill every node and close the links."""
        for node in self.nodes:
            node.kill()
        for link in self._links:
            link.close()

    # -- who is what ------------------------------------------------------------------------------------------

    def owner(self, slot: int) -> Node | None:
        """The living master of the slot by the vote of most living nodes. None if they do not agree."""
        votes: dict[str, int] = {}
        asked = [node for node in self.nodes if node.alive]
        for node in asked:
            for name, (flags, ranges, _) in self._view(node).items():
                if "master" in flags and "fail" not in flags and any(a <= slot <= b for a, b in ranges):
                    votes[name] = votes.get(name, 0) + 1
        for name, count in votes.items():
            found = self._named(name)
            if count * 2 > len(asked) and found.alive:
                return found
        return None

    def wait_owner(self, slot: int, other_than: Node) -> Node:
        """Wait for a failover. Returns the slot's new master."""
        found: list[Node] = []

        def another() -> bool:
            owner = self.owner(slot)
            found[:] = [owner] if owner and owner is not other_than else []
            return bool(found)

        wait(another, f"slot {slot} has another master than node {other_than.number}")
        return found[0]

    def replicas(self, master: Node) -> list[Node]:
        """The nodes that follow this master, as the master itself says."""
        return [self._named(name) for name, (_, _, follows) in self._view(master).items() if follows == master.id]

    def wait_synchronised(self) -> None:
        """Wait until all nodes agree on a master for every slot, and every living replica has all of its master's data.

        A master that is killed before its replica had all its data is never replaced.
        """
        wait(self.is_synchronised, "every replica follows its master")

    def is_synchronised(self) -> bool:
        """Whether the cluster is whole now. See wait_synchronised."""
        return not self.wanting()

    def wanting(self) -> str:
        """What keeps the cluster from being whole. Empty if it is whole. See wait_synchronised."""
        alive = [node for node in self.nodes if node.alive]
        owners = {
            node.number: sorted(
                (name, tuple(ranges))
                for name, (flags, ranges, _) in self._view(node).items()
                if ranges and "fail" not in flags
            )
            for node in alive
        }
        first = owners[alive[0].number]
        if any(other != first for other in owners.values()):
            return f"nodes do not agree who has which slots: {owners}"
        held = sum(b - a + 1 for _, ranges in first for a, b in ranges)
        if held != SLOTS:
            return f"{SLOTS - held} slots have no master: {first}"
        masters = [self._named(name) for name, _ in first]
        behind = [_behind(node) for node in alive if node not in masters]
        return "; ".join(filter(None, behind))

    # -- what happens to it -----------------------------------------------------------------------------------

    def migrate(self, slot: int, to: Node, atomic: bool = False) -> bool:
        """Move a slot to another master, under load. False: it was there already, or a failover came in between."""
        source = self.owner(slot)
        if source is None or source is to or not to.alive:
            return False
        with source.client() as here, to.client() as there:
            return _migrate_atomically(here, slot, to) if atomic else self._migrate(here, there, slot, source, to)

    @contextlib.contextmanager
    def partitioned(self, node: Node) -> Iterator[None]:
        """For a while, this node and the others hear nothing of each other. Clients reach every node."""
        self.cut_off(node)
        try:
            yield
        finally:
            self.heal(node)

    def cut_off(self, node: Node) -> None:
        """Begin a partition. See `partitioned`."""
        if not node.links:
            raise ValueError("only nodes of a linked cluster can be partitioned")
        for link in node.links:
            link.refuse({other.host for other in self.nodes if other is not node})
        for other in self.nodes:
            if other is not node:
                for link in other.links:
                    link.refuse({node.host})

    def heal(self, *_nodes: Node) -> None:
        """End all partitions."""
        for link in self._links:
            link.refuse(set())

    # -- inside -----------------------------------------------------------------------------------------------

    def _node(self, number: int, folder: Path, program: str, linked: bool) -> Node:
        folder.mkdir(parents=True, exist_ok=True)
        host = address(number)
        port, bus_port = free_ports(host, 2)
        options = OPTIONS | {
            "bind": host,
            "bind-source-addr": host,
            "port": str(port),
            "cluster-port": str(bus_port),
            "dir": str(folder),
        }
        links: tuple[Link, ...] = ()
        announced = (port, bus_port)
        if linked:
            links = (Link(port, host), Link(bus_port, host))
            self._links += links
            announced = (links[0].port, links[1].port)
        options |= {
            "cluster-announce-ip": host,
            "cluster-announce-port": str(announced[0]),
            "cluster-announce-bus-port": str(announced[1]),
        }
        command = [program]
        for name, value in options.items():
            command += [f"--{name}", value]
        return Node(number, folder, command, port, *announced, links)

    def _join(self, masters: int) -> None:
        first, share = self.nodes[0], SLOTS // masters
        for node in self.nodes:
            with node.client() as client:
                node.id = client.execute_command("CLUSTER MYID")
                if node.number < masters:
                    last = SLOTS - 1 if node.number == masters - 1 else (node.number + 1) * share - 1
                    client.execute_command("CLUSTER ADDSLOTSRANGE", node.number * share, last)
                    client.execute_command("CLUSTER SET-CONFIG-EPOCH", node.number + 1)
        with first.client() as client:
            for node in self.nodes[1:]:
                client.execute_command("CLUSTER MEET", node.host, node.port, node.bus_port)
        for node in self.nodes:
            wait(lambda node=node: self._knows_all(node), f"node {node.number} knows all others")
        for node in self.nodes[masters:]:
            with node.client() as client:
                client.execute_command("CLUSTER REPLICATE", self.nodes[node.number % masters].id)
        self.wait_synchronised()

    def _knows_all(self, node: Node) -> bool:
        view = self._view(node)
        return {other.id for other in self.nodes} == view.keys() and all(
            not {"handshake", "noaddr", "fail?", "fail"} & flags for flags, _, _ in view.values()
        )

    def _view(self, node: Node) -> dict[str, tuple[set[str], list[tuple[int, int]], str]]:
        """Node id -> flags, slots and master, as this node sees them. Empty if it does not answer."""
        with contextlib.suppress(redis.RedisError), node.client() as client:
            client.response_callbacks.clear()
            return dict(_parse(line) for line in str(client.execute_command("CLUSTER NODES")).splitlines())
        return {}

    def _named(self, id: str) -> Node:
        return next(node for node in self.nodes if node.id == id)

    def _migrate(self, here: redis.Redis, there: redis.Redis, slot: int, source: Node, to: Node) -> bool:
        """Move a slot as redis-cli does: MIGRATING and IMPORTING, then the keys in groups, then the new owner."""
        try:
            there.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
            here.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", to.id)
            while names := here.execute_command("CLUSTER GETKEYSINSLOT", slot, MIGRATE_KEYS):
                # Past the target's link: a cut link must not break a migration in the middle.
                here.execute_command("MIGRATE", to.host, to.own_port, "", 0, 10_000, "KEYS", *names)
            there.execute_command("CLUSTER SETSLOT", slot, "NODE", to.id)
            here.execute_command("CLUSTER SETSLOT", slot, "NODE", to.id)
        except redis.RedisError:
            return False
        return True


def _migrate_atomically(here: redis.Redis, slot: int, to: Node) -> bool:
    """Move a slot as Valkey 9 does: a snapshot, then later changes, then one change of owner. False if it failed."""
    here.execute_command("CLUSTER MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", to.id)
    states = {"running"}

    def over() -> bool:
        jobs: list[Any] = here.execute_command("CLUSTER GETSLOTMIGRATIONS")
        job = dict(zip(jobs[0][::2], jobs[0][1::2], strict=True)) if isinstance(jobs[0], list) else dict(jobs[0])
        states.clear()
        states.add(str(job["state"]))
        return bool(states & {"success", "failed", "canceled"})

    try:
        wait(over, f"slot {slot} has moved")
    except redis.RedisError:
        return False
    return states == {"success"}


def _behind(node: Node) -> str:
    """Why this node is no replica with all of its master's data. Empty if it is one."""
    try:
        with node.client() as client:
            info: Any = client.info("replication")
    except redis.RedisError as error:
        return f"node {node.number} does not answer: {error}"
    if info["role"] == "slave" and info["master_link_status"] == "up" and not info["master_sync_in_progress"]:
        return ""
    return f"node {node.number} does not follow: {info}"


def _parse(line: str) -> tuple[str, tuple[set[str], list[tuple[int, int]], str]]:
    """One line of CLUSTER NODES, without the slots in brackets: they are on their way."""
    name, _, flags, follows, _, _, _, _, *slots = line.split()
    ranges = [part.partition("-") for part in slots if not part.startswith("[")]
    return name, (set(flags.split(",")), [(int(a), int(b or a)) for a, _, b in ranges], follows)
