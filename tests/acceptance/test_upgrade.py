"""A deploy from the previous release to the next, and back, in the middle of calls: no word is lost or doubled.

The next release is this source with one more step of the database, so older processes meet a newer database. The
previous one comes from the history (tests/harness/releases.py). They work side by side because they speak the same
protocol of the store. Where they do not, each has a store of its own, and they share the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from scripts.demo.processes import read_procfile
from scripts.machine.programs import ROOT
from scripts.simulator.recording import Track, read_tracks
from state import g711
from state.archive.opening import Archive
from state.archive.search import read_call
from state.calls.reads import Reads
from state.recording.sounds import Named, Sounds
from state.webhooks import endpoints
from tests.harness.deploy import TYPES, PhoneCall, Site
from tests.harness.invariants import at_rest, violations
from tests.harness.receiver import Receiver
from tests.harness.recorded import samples
from tests.harness.releases import next_release, previous_release
from tests.harness.servers import Server, start_server
from tests.integration.keeping.test_archive import rows

PHONE_CHUNKS = 20
"""Chunks that the caller over AudioSocket says: two at first, one after each process that gave way, and the rest."""

STUB = {"EARSHOT_ENGINE": "stub", "DECODER_LOOPS": "1", "REDACT": "0", "HEARTBEAT_SECONDS": "3"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = start_server("valkey9", dir=tmp_path / "server")
    yield server
    server.kill()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return previous_release(tmp_path_factory.mktemp("old") / "tree")


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return next_release(tmp_path_factory.mktemp("new") / "tree")


def noise(seconds: float) -> list[Track]:
    """Audio for the stub engine. No two chunks are alike, so a doubled or a lost one changes the transcript."""
    dice = np.random.default_rng(20)
    return [
        Track(name, dice.integers(0, 100, int(seconds * 8000), np.uint8).tobytes(), "mulaw", 8000)
        for name in ("agent", "customer")
    ]


def speech() -> list[Track]:
    return [read_tracks(ROOT / f"demo/call-late-parcel/{party}.wav", [party])[0] for party in ("agent", "customer")]


def test_every_type_of_process_is_replaced() -> None:
    assert set(TYPES) == set(read_procfile(ROOT / "Procfile"))


@pytest.mark.timeout(900)  # some thirty processes start, most of them one after the other
@pytest.mark.parametrize(
    ("engine", "chunk_ms", "database_url"),
    [
        ("stub", 250, "sqlite"),
        pytest.param("moonshine", 1000, "sqlite", marks=pytest.mark.soak),
        pytest.param("stub", 250, "postgresql", marks=pytest.mark.soak),
    ],
    indirect=["database_url"],
)
def test_a_deploy_and_its_way_back_lose_and_double_nothing(
    engine: str, chunk_ms: int, database_url: str, old: Path, new: Path, server: Server, tmp_path: Path
) -> None:
    tracks = noise(10.0) if engine == "stub" else speech()
    if engine != "stub":
        old = ROOT  # the same words come from the same model only, and a release may bring another: promise 13a
    sounds = tmp_path / "sounds"
    archive = Archive(database_url)
    with Receiver() as receiver:
        environ = STUB | {"EARSHOT_ENGINE": engine, "SOUND_DAYS": "*=30", "WEBHOOK_ALLOW": "127.0.0.1"}
        site = Site(server, tmp_path, **environ, DATABASE_URL=database_url, RECORDINGS=str(sounds))
        try:
            site.begin(old)
            hook = endpoints.add(
                archive, receiver.url, ["call.ended"], "standard", "", 1, Reads(site.fleet.shards).tip()
            )
            site.play("calm", tracks, chunk_ms, 4.0)
            calm_phone, phone = (PhoneCall(site.audiosocket_port, g711.decode_mulaw(tracks[1].audio)) for _ in range(2))
            calm_phone.talk(PHONE_CHUNKS)
            calm_phone.hang_up()
            site.call(tracks, chunk_ms, 1.0, at_a_time=2)
            phone.talk(2)
            for source in (new, old):
                for kind in TYPES:
                    site.replace(kind, source)
                    phone.talk(1)
            assert [found for (found,) in rows(archive, "archive_step")] == ["9999"]
            phone.talk(PHONE_CHUNKS - 2 - 2 * len(TYPES))
            phone.hang_up()
            site.calls += [phone.call_id, calm_phone.call_id]
            site.finish()
            assert site.failures == []
            site.fleet.wait(lambda: len(rows(archive, "calls")) >= len(site.calls), why="every call is in the database")
            started = {call.call_id: call.started_at_ms for call in rows(archive, "calls")}
            assert sorted(call.call_id for call in rows(archive, "calls")) == sorted(site.calls)
            site.fleet.wait(
                lambda: {body["data"]["call_id"] for _, body in receiver.got(hook.secret)} == set(site.calls),
                why="the webhook tells of every call",
            )
            recorded = {Named(call_id, started_at_ms).file for call_id, started_at_ms in started.items()}
            site.fleet.wait(lambda: all((sounds / file).exists() for file in recorded), why="every recording")
            site.stop()

            calm = site.fleet.transcript("calm")
            assert len(calm) > 2
            for call_id in site.calls:
                found = site.fleet.transcript(call_id)
                assert call_id in (phone.call_id, calm_phone.call_id) or found == calm, call_id
                shard = site.fleet.shards.of(call_id)
                assert set(shard.redis.hkeys(shard.keys.scores(call_id))) == set(found), call_id
                kept, call = read_call(archive, call_id), site.fleet.reads.call(call_id)
                assert kept is not None and call is not None
                assert msgspec.json.encode(kept.utterances) == msgspec.json.encode(call.utterances)
            words = site.fleet.transcript(phone.call_id)
            assert words and words == site.fleet.transcript(calm_phone.call_id)
            heard = samples(Sounds(str(sounds)), Named("caller-0-1", started["caller-0-1"]), tmp_path)
            assert heard.shape[0] == len(tracks[0].audio)
            assert violations(site.fleet.shards) == [] and at_rest(site.fleet.shards) == []
        finally:
            site.kill()
            archive.close()
