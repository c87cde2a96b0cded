"""The store in a real cluster of three masters and three replicas. Slots move, masters die or hang; nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest
import redis
import requests

from state.calls.health import Health
from state.calls.ingest import Chunk, Ingest
from state.calls.reads import Reads
from state.server.connection import ServerUnfit
from state.server.opening import check_store, open_shards
from state.server.shards import Shard, Shards
from state.server.slots import SLOTS, slot, tags
from state.settings import Settings
from tests.harness.cluster import Cluster
from tests.harness.fleet import Fleet
from tests.harness.good_sender import Sender
from tests.harness.invariants import violations
from tests.harness.page import Page
from tests.harness.places import Place
from tests.harness.protocol import chunk
from tests.harness.servers import Server, start_server
from tests.harness.web import wait_until, web_process

HEADERS = {"Content-Type": "audio/PCMU"}

SECOND = Chunk(bytes(range(256)) * 31 + bytes(64), "mulaw", 8000)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster"), linked=True) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server("valkey9", dir=tmp_path_factory.mktemp("jobs"))
    yield server
    server.kill()


@pytest.fixture
def store(cluster: Cluster, jobs: Server) -> Iterator[Shards]:
    """Every node is alive and has caught up, and nothing is stored."""
    for node in cluster.nodes:
        node.resume()
        if not node.alive:
            node.start()
    cluster.wait_synchronised()
    for node in cluster.nodes:
        with node.client() as client:
            if client.info("replication")["role"] == "master":
                client.flushall()
    jobs.client().flushall()
    shards = open_shards(Settings(redis_url=cluster.url, jobs_redis_url=jobs.url), "web")
    yield shards
    shards.close()


def calls_of(shard: Shard, shards: Shards, count: int = 2) -> list[str]:
    """Ids of calls that belong to the shard."""
    return [f"call-{n}" for n in range(10_000) if shards.of(f"call-{n}") is shard][:count]


def journal(shard: Shard, call_id: str) -> list[int]:
    return [int(name.split(b"-")[0]) for name, _ in shard.redis.xrange(shard.keys.audio(call_id, "t"))]


@pytest.mark.parametrize("count", [1, 2, 4, 8, 12, 24, 128])
def test_shards_are_spread_evenly_over_the_slots(count: int) -> None:
    parts = [slot(tag) * count // SLOTS for tag in tags(count)]
    assert parts == list(range(count))
    assert tags(count) == tags(count)


def test_twelve_shards_are_four_a_master(cluster: Cluster, store: Shards) -> None:
    assert len(store) == 12, "four a master: room to grow"
    owners = [cluster.owner(slot(shard.keys.tag)) for shard in store]
    assert sorted(owners.count(node) for node in cluster.nodes if node in owners) == [4, 4, 4]


def test_how_many_shards_there_are_is_settled_once(cluster: Cluster, jobs: Server, store: Shards) -> None:
    assert len(store) == 12
    later = Settings(redis_url=cluster.url, jobs_redis_url=jobs.url, shards=3)
    assert len(open_shards(later, "worker")) == 12


def test_a_cluster_without_a_plain_server_is_refused_in_one_sentence(cluster: Cluster) -> None:
    with pytest.raises(ServerUnfit, match="set JOBS_REDIS_URL"):
        len(open_shards(Settings(redis_url=cluster.url), "worker"))
    with pytest.raises(ServerUnfit, match="JOBS_REDIS_URL names a node of a cluster"):
        check_store(open_shards(Settings(redis_url=cluster.url, jobs_redis_url=cluster.url), "worker"))


def test_lists_and_the_feed_are_merged_from_all_shards(store: Shards) -> None:
    ingest, reads = Ingest(store, Settings()), Reads(store)
    health = Health(store)
    before = reads.tip()
    for n in range(30):
        assert ingest.put(f"call-{n}", "t", 1, chunk(1)).outcome == "OK"
    found, cursor = [], None
    while True:
        rows, cursor = reads.rows("live", 7, cursor)
        found += [row.call_id for row in rows]
        if cursor is None:
            break
    assert sorted(found) == sorted(f"call-{n}" for n in range(30))
    assert len(reads.table()[0]) == health.counts()["calls_live"] == health.fleet().backlog_chunks == 30
    told = reads.feed(before, 100)
    assert len(told) == 30 and told[-1][0] == reads.tip() and reads.feed(reads.tip(), 100) == []
    assert violations(store) == []


@pytest.mark.parametrize("atomic", [False, True], ids=["key by key", "atomically"])
def test_a_slot_that_moves_in_mid_call_loses_and_doubles_no_chunk(
    cluster: Cluster, store: Shards, atomic: bool
) -> None:
    shard = store[0]
    sender = Sender(Ingest(store, Settings()), calls_of(shard, store))
    wait_until(lambda: sender.sent > 20, "chunks are posted")
    moved = 0
    for _ in range(2):
        # A failover in an earlier test may have made any node a replica, so this asks for masters.
        here, *owners = [cluster.owner(slot(each.keys.tag)) for each in (shard, *store)]
        there = next(node for node in owners if node and node is not here)
        moved += cluster.migrate(slot(shard.keys.tag), there, atomic=atomic)
        sent = sender.sent
        wait_until(lambda sent=sent: sender.sent > sent + 20, "chunks are posted afterwards")
    last = sender.stop()
    assert moved == 2
    for call_id in calls_of(shard, store):
        assert journal(shard, call_id) == list(range(1, last + 1))
    assert violations(store) == []


def test_a_master_that_is_killed_is_replaced_and_no_chunk_is_lost_or_doubled(cluster: Cluster, store: Shards) -> None:
    shard = store[0]
    here = cluster.owner(slot(shard.keys.tag))
    assert here is not None
    sender = Sender(Ingest(store, Settings()), calls_of(shard, store))
    wait_until(lambda: sender.sent > 20, "chunks are posted")
    here.kill()
    cluster.wait_owner(slot(shard.keys.tag), other_than=here)
    sent = sender.sent
    wait_until(lambda: sender.sent > sent + 20, "chunks are posted to its successor")
    last = sender.stop()
    assert sender.refused, "senders noticed the death"
    for call_id in calls_of(shard, store):
        assert journal(shard, call_id) == list(range(1, last + 1))
    wait_until(lambda: len(store.answers(lambda shard: shard.redis.ping())) == 12, "all masters are found")
    assert violations(store) == []


@pytest.fixture(params=["killed", "paused"])
def harm(request: pytest.FixtureRequest) -> Callable[[object], None]:
    return lambda node: node.kill() if request.param == "killed" else node.pause()  # type: ignore[attr-defined]


def test_a_shard_that_is_away_answers_503_and_holds_up_no_other(
    cluster: Cluster, jobs: Server, store: Shards, harm: Callable[[object], None], tmp_path: Path
) -> None:
    shard = store[0]
    here = cluster.owner(slot(shard.keys.tag))
    assert here is not None
    other = next(each for each in store if cluster.owner(slot(each.keys.tag)) is not here)
    (lost,), (kept,) = calls_of(shard, store, 1), calls_of(other, store, 1)
    replicas = cluster.replicas(here)
    with web_process(cluster.url, tmp_path / "web.log", JOBS_REDIS_URL=jobs.url) as web, ExitStack() as left:

        def put(call_id: str, seq: int) -> requests.Response:
            url = f"{web.url}/v1/calls/{call_id}/tracks/customer/chunks/{seq}"
            return requests.put(url, data=SECOND.audio, headers=HEADERS, timeout=30)

        assert put(lost, 1).status_code == put(kept, 1).status_code == 202
        for replica in replicas:
            replica.kill()  # so nobody takes the master's place
        harm(here)
        wait_until(lambda: put(lost, 2).status_code == 503, "it is noticed")
        answer = put(lost, 2)
        assert answer.status_code == 503 and "Retry-After" in answer.headers
        page = left.enter_context(Page(web.url))
        wait_until(lambda: page.fleets and len(page.fleets[-1]["away"]) == 4, "the page is told which parts are away")
        assert shard.number in page.fleets[-1]["away"] and other.number not in page.fleets[-1]["away"]
        wait_until(lambda: [row["call_id"] for row in page.rows] == [kept], "the page shows the other calls")
        held_up = []
        for seq in range(2, 22):
            began = time.monotonic()
            assert requests.get(f"{web.url}/healthz", timeout=30).ok
            needs_no_shard = time.monotonic() - began
            began = time.monotonic()
            assert put(kept, seq).status_code == 202
            held_up.append(time.monotonic() - began - needs_no_shard)
        assert median(held_up) < 1.0, "the promise: others are not held up"
        listed = requests.get(f"{web.url}/v1/calls", timeout=30).json()["calls"]
        assert [call["call_id"] for call in listed] == [kept]
        assert "earshot_shards_away 4.0" in requests.get(f"{web.url}/metrics", timeout=30).text
        here.resume()
        for node in (here, *replicas):
            if not node.alive:
                node.start()
        wait_until(lambda: put(lost, 2).status_code in (200, 202), "it is back")
        wait_until(lambda: lost in page.calls and page.fleets[-1]["away"] == [], "the page shows its calls again")
        wait_until(
            lambda: "earshot_shards_away 0.0" in requests.get(f"{web.url}/metrics", timeout=30).text, "no shard is away"
        )


@pytest.mark.parametrize("loops", ["2", "14"], ids=["fewer decoders than shards", "more"])
def test_a_fleet_decodes_and_scores_all_shards_though_a_master_dies(
    cluster: Cluster, jobs: Server, store: Shards, loops: str, tmp_path: Path
) -> None:
    fleet = Fleet(Place({"REDIS_URL": cluster.url, "JOBS_REDIS_URL": jobs.url}), tmp_path, EARSHOT_ENGINE="stub")
    try:
        fleet.start("decoder", DECODER_LOOPS=loops)
        fleet.start("sentiment")
        call_ids = [f"call-{n}" for n in range(36)]
        assert len({store.of(call_id).number for call_id in call_ids}) == 12
        for seq in range(1, 6):
            for call_id in call_ids:
                _post_on(fleet.ingest, call_id, seq)
        here = cluster.owner(slot(store[0].keys.tag))
        assert here is not None
        here.kill()
        cluster.wait_owner(slot(store[0].keys.tag), other_than=here)
        for seq in range(6, 11):
            for call_id in call_ids:
                _post_on(fleet.ingest, call_id, seq)
        for call_id in call_ids:
            _end(fleet.ingest, call_id)
        fleet.wait_ended(call_ids)
        for call_id in call_ids[1:]:
            assert len(fleet.transcript(call_id)) == len(fleet.transcript(call_ids[0])), call_id
        assert fleet.stop() == [0, 0]
        fleet.assert_at_rest()
        wait_until(lambda: len(store.answers(lambda shard: shard.redis.ping())) == 12, "all masters are found")
        assert violations(store) == []
    finally:
        fleet.kill_all()


def _post_on(ingest: Ingest, call_id: str, seq: int) -> None:
    """Send a chunk until it is stored, as a good sender does."""
    for _ in range(500):
        try:
            answer = ingest.put(call_id, "customer", seq, SECOND)
        except redis.RedisError:
            time.sleep(0.05)
            continue
        if answer.outcome in ("OK", "DUP"):
            return
        assert answer.outcome == "GAP", answer
        for again in range(answer.next_seq, seq):
            _post_on(ingest, call_id, again)
    raise AssertionError(f"{call_id} {seq} was never taken")


def _end(ingest: Ingest, call_id: str) -> None:
    def ended() -> bool:
        try:
            answer = ingest.end(call_id, {"customer": 10})
        except redis.RedisError:
            return False
        if answer.outcome == "SHORT":
            _post_on(ingest, call_id, 10)
            return False
        return True

    wait_until(ended, f"{call_id} has ended")
