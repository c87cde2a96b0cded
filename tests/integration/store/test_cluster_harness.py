"""The cluster that tests and chaos run on works as they assume."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest
import redis

from tests.harness.cluster import Cluster
from tests.harness.cluster_node import Node
from tests.harness.web import wait_until

KEY = "{a}:count"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster"), linked=True) as running:
        yield running


@pytest.fixture
def client(cluster: Cluster) -> Iterator[redis.RedisCluster]:
    cluster.wait_synchronised()
    client = cluster.client()
    client.flushall()
    yield client
    client.close()


def test_three_masters_share_the_slots_and_each_has_a_replica(cluster: Cluster, client: redis.RedisCluster) -> None:
    owners = [cluster.owner(slot) for slot in (0, 8000, 16383)]
    assert len({owner.number for owner in owners if owner}) == 3
    assert [len(cluster.replicas(owner)) for owner in owners if owner] == [1, 1, 1]
    for n in range(100):
        client.set(f"key-{n}", n)
    assert sum(int(owner.client().dbsize()) for owner in owners if owner) == 100


def test_a_killed_master_is_replaced_and_comes_back_as_a_replica(cluster: Cluster, client: redis.RedisCluster) -> None:
    slot = client.keyslot(KEY)
    old = cluster.owner(slot)
    assert old
    client.set(KEY, "kept")
    old.client().wait(1, 10_000)
    old.kill()
    new = cluster.wait_owner(slot, other_than=old)
    assert client.get(KEY) == b"kept"
    old.start()
    cluster.wait_synchronised()
    assert cluster.replicas(new) == [old]


@pytest.mark.parametrize("atomic", [False, True], ids=["classic", "atomic"])
def test_a_slot_moves_under_load_and_loses_nothing(atomic: bool, cluster: Cluster, client: redis.RedisCluster) -> None:
    slot = client.keyslot(KEY)
    source = cluster.owner(slot)
    target = next(owner for owner in map(cluster.owner, (0, 8000, 16383)) if owner is not source)
    assert source and target
    for n in range(300):
        client.set(f"{{a}}:{n}", n)
    stop, counted, refused = threading.Event(), [0], []

    def count() -> None:
        while not stop.is_set():
            try:
                client.incr(KEY)
                counted[0] += 1
            except redis.RedisError as error:  # a redirection that the client gives up on wrote nothing
                refused.append(error)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        for there in (target, source, target):
            assert cluster.migrate(slot, there, atomic)
            cluster.wait_synchronised()
            assert cluster.owner(slot) is there
    finally:
        stop.set()
        thread.join()
    assert counted[0] > 100
    assert int(client.get(KEY) or 0) == counted[0], refused
    assert [client.get(f"{{a}}:{n}") for n in range(300)] == [str(n).encode() for n in range(300)]


def test_a_master_cut_off_from_the_others_is_replaced_and_loses_what_it_took_in(
    cluster: Cluster, client: redis.RedisCluster
) -> None:
    slot = client.keyslot(KEY)
    old = cluster.owner(slot)
    assert old
    client.set(KEY, "before")
    old.client().wait(1, 10_000)
    with cluster.partitioned(old):
        old.client().set(KEY, "taken in by a master that nobody hears")
        new = cluster.wait_owner(slot, other_than=old)
        assert new.client().get(KEY) == "before"
        wait_until(lambda: refuses_writes(old), "the master that is cut off gives up")
    cluster.wait_synchronised()
    assert client.get(KEY) == b"before"
    assert cluster.replicas(new) == [old]


def refuses_writes(node: Node) -> bool:
    """Whether the node says that its cluster is down."""
    with contextlib.suppress(redis.exceptions.ClusterDownError):
        node.client().set(KEY, "too late")
        return False
    return True


def test_a_paused_master_is_replaced_and_wakes_up_as_a_replica(cluster: Cluster, client: redis.RedisCluster) -> None:
    slot = client.keyslot(KEY)
    old = cluster.owner(slot)
    assert old
    old.pause()
    try:
        new = cluster.wait_owner(slot, other_than=old)
    finally:
        old.resume()
    wait_until(lambda: cluster.replicas(new) == [old], "the old master is a replica")
    cluster.wait_synchronised()
