"""A slot on its way to another node, key by key: no script may run half. They wait until the slot has arrived."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from tests.harness.cluster import Cluster
from tests.harness.invariants import violations
from tests.harness.protocol import Play, change, contents


def test_while_its_keys_are_moved_every_script_is_refused_and_writes_nothing(cluster: Cluster) -> None:
    slot = cluster.client().keyslot("{earshot}:")
    source = cluster.owner(slot)
    target = next(owner for owner in map(cluster.owner, (0, 8000, 16383)) if owner is not source)
    assert source and target
    here = redis.Redis(source.host, source.own_port, single_connection_client=True, protocol=2)
    there = redis.Redis(target.host, target.own_port, single_connection_client=True, protocol=2)
    play = Play(here, heartbeat_seconds=60)
    for seq in (1, 2, 3):
        assert play.put(seq) == "OK"
    lease = play.lease()
    steps: list[Callable[[Play], object]] = [
        lambda play: play.put(4),
        lambda play: play.ingest.end("c"),
        lambda play: play.ingest.create("another", ["t"], {}),
        lambda play: play.decoders["d"].open(lease.token, "", 0),
        lambda play: play.decoders["d"].commit(lease, change(lease)),
        lambda play: play.decoders["d"].release(lease),
        lambda play: play.decoders["d"].give_up(lease.token),
    ]
    later = Play(there, heartbeat_seconds=60)
    later.decoders["d"] = type(play.decoders["d"])(later.shard, "d", play.settings)
    before = contents(here)
    there.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
    here.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", target.id)
    while names := here.execute_command("CLUSTER GETKEYSINSLOT", slot, 1):
        for step in steps:
            with pytest.raises((redis.exceptions.TryAgainError, redis.exceptions.AskError)):
                step(play)
            there.execute_command("ASKING")  # as a client does that was redirected
            with pytest.raises((redis.exceptions.TryAgainError, redis.exceptions.MovedError)):
                step(later)
        here.execute_command("MIGRATE", target.host, target.own_port, "", 0, 5000, "KEYS", *names)
    there.execute_command("CLUSTER SETSLOT", slot, "NODE", target.id)
    here.execute_command("CLUSTER SETSLOT", slot, "NODE", target.id)
    assert contents(there) == before
    assert later.put(4) == "OK"
    assert later.commit(lease) == "OK"
    assert violations(there) == []
    there.flushall()
