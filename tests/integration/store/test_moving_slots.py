"""While a slot moves to another node key by key, no script runs half, and all reads give what they gave before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from state import keys
from state.calls.fleet import FleetMember
from state.calls.ingest import Ingest
from state.server.opening import open_shards
from state.server.slots import slot
from state.settings import Settings
from tests.harness.cluster import Cluster
from tests.harness.invariants import violations
from tests.harness.protocol import Play, change, chunk, contents
from tests.harness.servers import Server
from webapp.app import create_app


class Move:
    """Moves a slot from its master to another one. here, there: a client to each of them."""

    def __init__(self, cluster: Cluster, tag: str) -> None:
        self._slot = slot(tag)
        source = cluster.owner(self._slot)
        target = next(owner for owner in map(cluster.owner, (0, 8000, 16383)) if owner is not source)
        assert source and target
        self._source, self._target = source, target
        self.here = redis.Redis(source.host, source.own_port, single_connection_client=True, protocol=2)
        self.there = redis.Redis(target.host, target.own_port, single_connection_client=True, protocol=2)

    def key_by_key(self, look: Callable[[], None]) -> int:
        """Move it. Returns the number of keys.

        look: called before each key goes, and once more when all keys are there but the slot is not.
        """
        self.there.execute_command("CLUSTER SETSLOT", self._slot, "IMPORTING", self._source.id)
        self.here.execute_command("CLUSTER SETSLOT", self._slot, "MIGRATING", self._target.id)
        moved = 0
        while names := self.here.execute_command("CLUSTER GETKEYSINSLOT", self._slot, 1):
            look()
            self.here.execute_command(
                "MIGRATE", self._target.host, self._target.own_port, "", 0, 5000, "KEYS", *names
            )  # fmt: skip
            moved += 1
        look()
        for client in (self.there, self.here):
            client.execute_command("CLUSTER SETSLOT", self._slot, "NODE", self._target.id)
        return moved


def test_while_its_keys_are_moved_every_script_is_refused_and_writes_nothing(cluster: Cluster) -> None:
    cluster.client().flushall()
    move = Move(cluster, keys.STORE.tag)
    play = Play(move.here, heartbeat_seconds=60)
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
    later = Play(move.there, heartbeat_seconds=60)
    later.decoders["d"] = type(play.decoders["d"])(later.shard, "d", play.settings)
    before = contents(move.here)

    def every_step_is_refused() -> None:
        for step in steps:
            with pytest.raises((redis.exceptions.TryAgainError, redis.exceptions.AskError)):
                step(play)
            move.there.execute_command("ASKING")  # as a redirected client does
            with pytest.raises((redis.exceptions.TryAgainError, redis.exceptions.MovedError)):
                step(later)

    assert move.key_by_key(every_step_is_refused) > 5
    assert contents(move.there) == before
    assert later.put(4) == "OK"
    assert later.commit(lease) == "OK"
    assert violations(move.there) == []
    move.there.flushall()


def test_while_its_keys_are_moved_and_afterwards_a_call_is_read_as_before(cluster: Cluster, valkey: Server) -> None:
    cluster.client().flushall()
    valkey.client().flushall()
    settings = Settings(redis_url=cluster.url, jobs_redis_url=valkey.url, auth="off")
    shards = open_shards(settings, "web")
    shard = shards[0]
    call_id = next(f"call-{n}" for n in range(1000) if shards.of(f"call-{n}") is shard)
    fleet = FleetMember(shard, "d", settings)
    fleet.join()
    for track in ("agent", "customer"):
        for seq in (1, 2, 3):
            assert Ingest(shards, settings).put(call_id, track, seq, chunk(seq)).outcome == "OK"
        token = fleet.next_token(0)
        assert token is not None
        lease = fleet.open(token, "", 0)
        assert lease is not None and fleet.commit(lease, change(lease)) == "OK"
    http = create_app(settings).test_client()
    before = http.get(f"/v1/calls/{call_id}").json
    assert before is not None and len(before["utterances"]) == 2

    def it_is_read() -> None:
        assert http.get(f"/v1/calls/{call_id}").json == before
        listed = http.get("/v1/calls").json
        assert listed is not None and [call["call_id"] for call in listed["calls"]] == [call_id]

    assert Move(cluster, shard.keys.tag).key_by_key(it_is_read) > 8
    it_is_read()
    shards.close()
    cluster.client().flushall()
