"""Recorded calls: the file has what was posted, sample for sample, whatever dies meanwhile, and no secret."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import obstore
import pytest
import redis
import requests
from moto.server import ThreadedMotoServer

from state import keys
from state.archive import erase
from state.archive.erase import Hold
from state.archive.opening import Archive
from state.calls.departures import Departures
from state.calls.ingest import UNSPOOLED_SECONDS, Ingest
from state.calls.listening import Sound
from state.calls.retention import Retention
from state.erasure import Erasure
from state.recording import catalogue
from state.recording.sounds import Named, Piece, Sounds, SoundsAway
from state.recording.spool import SPOOL_SECONDS, Spool
from state.server.scripts import Scripts
from state.settings import SettingsError, load
from state.settings.values import is_recorded, sound_days
from tests.harness.fleet import ROOT, Fleet
from tests.harness.line import Line
from tests.harness.recorded import RATE, finish, noise, pcm, recorded, samples, settings
from tests.harness.servers import Server
from tests.integration.keeping.test_archive import rows
from workers.jobs.aging import DAY_MS, forget_sound
from workers.jobs.assembly import assemble
from workers.sentiment.assessor import Assessor


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = Archive(f"sqlite:///{tmp_path / 'archive.db'}")
    yield opened
    opened.close()


@pytest.fixture
def either(database_url: str) -> Iterator[Archive]:
    """On SQLite and on PostgreSQL."""
    opened = Archive(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sounds(tmp_path: Path) -> Sounds:
    return Sounds(str(tmp_path / "recordings"))


def named(store: redis.Redis, call_id: str = "c") -> Named:
    return Named(call_id, int(store.hget(keys.call(call_id), "started_at_ms")))


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "recordings").rglob("*") if path.is_file())


def of(call: Named) -> list[str]:
    return [Path(call.file).name, Path(call.about).name]


def test_the_file_is_what_was_posted(
    store: redis.Redis, archive: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    """Chunks of different lengths, tracks in turns, spooled in between, and again what was spooled before."""
    line = Line(store, assessor, ["agent", "customer"], settings=settings("/x", listen_seconds=0))
    spool = Spool(store, sounds)
    sent: dict[str, list[Any]] = {"agent": [], "customer": []}
    for n in range(12):
        for track, seconds in (("agent", 0.5 + n % 3), ("customer", 1.0)):
            chunk = noise(len(sent[track]) * 2 + (track == "agent"), seconds)
            assert line.ingest.put("c", track, None, chunk).outcome == "OK"
            sent[track].append(pcm(chunk))
        if n % 5 == 4:
            assert spool.take("c") == 1
            assert spool.take("c") == 0
        if n == 6:
            store.hset(keys.track("c", "agent"), "spooled", "0-0")  # as if a process had died before it told Redis
    finish(store, archive, line)
    assert assemble(store, archive, sounds, "c") == "OK"
    heard = samples(sounds, named(store), tmp_path)
    for side, track in enumerate(sent):
        posted = np.concatenate(sent[track])
        assert np.array_equal(heard[: len(posted), side], posted), track
        assert not heard[len(posted) :, side].any()
    found = catalogue.find(archive, "c")
    assert found is not None and found[1].seconds == len(heard) / RATE and found[1].silences == []
    loudest = np.abs(heard[:800].astype(int)).max(axis=0) * 100 / 32768
    assert (found[1].peaks[0][0], found[1].peaks[1][0]) == tuple(np.ceil(loudest)) and found[1].step == 0.1
    assert files(tmp_path) == of(named(store)), "no part is left"
    assert not store.exists(keys.STORE.unassembled, keys.STORE.spooling)


def test_what_is_in_the_store_does_not_stay_in_redis(store: redis.Redis, sounds: Sounds, assessor: Assessor) -> None:
    line = Line(store, assessor, ["customer"], settings=settings("/x", listen_seconds=0))
    for n in range(300):
        line.ingest.put("c", "customer", None, noise(n))
        if n % 20 == 19:
            assert Spool(store, sounds).take("c") == 1
    assert store.xlen(keys.listen("c", "customer")) < 150  # the server trims by whole nodes of about 100 entries


def test_nobody_waits_for_ever_for_the_store(store: redis.Redis, assessor: Assessor) -> None:
    line = Line(store, assessor, ["customer"], settings=settings("/x"))
    for n in range(UNSPOOLED_SECONDS + 300):
        line.ingest.put("c", "customer", None, noise(n))
    assert UNSPOOLED_SECONDS <= store.xlen(keys.listen("c", "customer")) < UNSPOOLED_SECONDS + 150
    assert 100 < store.ttl(keys.listen("c", "customer")) <= UNSPOOLED_SECONDS + 60


def test_a_gap_is_silence_and_the_words_stay_where_they_were(
    store: redis.Redis, archive: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    line = Line(store, assessor, ["agent", "customer"], settings=settings("/x"))
    for track in ("agent", "customer"):
        line.ingest.put("c", track, 1, noise(1))
        line.ingest.put("c", track, 5, noise(5), skip_gap=True)
    finish(store, archive, line)
    assert assemble(store, archive, sounds, "c") == "OK"
    heard = samples(sounds, named(store), tmp_path)
    assert len(heard) == 5 * RATE and not heard[RATE : 4 * RATE].any()
    assert np.array_equal(heard[4 * RATE :, 0], pcm(noise(5)))
    found = catalogue.find(archive, "c")
    assert found is not None and found[1].silences == [(1.0, 4.0, "missing")]


def test_what_redaction_masked_is_silent(
    store: redis.Redis, archive: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    line = Line(store, assessor, ["agent", "customer"], settings=settings("/x"))
    line.say("agent", 0, "can you read me the card number", chunk=noise(1))
    for n in range(12):
        line.ingest.put("c", "customer", None, noise(n))
        line.ingest.put("c", "agent", None, noise(50 + n))
    line.decode("customer", 3, "it is four zero zero zero zero five six six five five six six five five five six okay")
    finish(store, archive, line)
    assert assemble(store, archive, sounds, "c") == "OK"
    heard = samples(sounds, named(store), tmp_path)
    found = catalogue.find(archive, "c")
    assert found is not None
    [(start, end, why)] = found[1].silences
    assert why == "secret" and start < 3.0 and end > 3.1
    begin, stop = round(start * RATE), round(end * RATE)
    assert not heard[begin:stop].any(), "on both sides"
    assert heard[:begin].all(axis=1).any() and heard[stop : 12 * RATE].any(axis=1).all()
    assert np.array_equal(heard[stop : 12 * RATE, 1], np.concatenate([pcm(noise(n)) for n in range(12)])[stop:])


class Died(BaseException):
    """The process is gone."""


def dying_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Die before or after anything that is told to the store, Redis or the database: at number `step` of it all."""
    told = itertools.count(1)

    def count() -> None:
        if next(told) == step:
            raise Died

    def before_and_after(real: Any) -> Any:
        def does(*arguments: Any, **named: Any) -> Any:
            count()
            answer = real(*arguments, **named)
            count()
            return answer

        return does

    for name in ("put", "delete"):
        monkeypatch.setattr(obstore, name, before_and_after(getattr(obstore, name)))
    monkeypatch.setattr(catalogue, "write", before_and_after(catalogue.write))
    monkeypatch.setattr(Scripts, "run", before_and_after(Scripts.run))
    monkeypatch.setattr(Departures, "assembled", before_and_after(Departures.assembled))


def test_dying_anywhere_loses_and_doubles_nothing(
    store: redis.Redis, archive: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    posted = np.concatenate([pcm(noise(n)) for n in range(4)])
    for step in itertools.count(1):
        call_id = f"c{step}"
        line = Line(store, assessor, ["customer"], call_id, settings=settings("/x"))
        for n in (0, 1):
            line.ingest.put(call_id, "customer", None, noise(n))
        died = dies(step, partial(Spool(store, sounds).take, call_id))
        for n in (2, 3):
            line.ingest.put(call_id, "customer", None, noise(n))
        finish(store, archive, line)
        died = died | dies(step, partial(assemble, store, archive, sounds, call_id))
        while store.sismember(keys.STORE.unassembled, call_id):
            assemble(store, archive, sounds, call_id)
        heard = samples(sounds, named(store, call_id), tmp_path)
        assert np.array_equal(heard[:, 0], posted) and np.array_equal(heard[:, 1], posted), step
        assert not sounds.parts(named(store, call_id)), step
        if not died:
            break
    assert step > 12 and len(rows(archive, "recordings")) == step


def dies(step: int, work: Any) -> bool:
    """Do the work and die at that step of it. Whether it came so far."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        dying_at(monkeypatch, step)
        try:
            work()
        except Died:
            return True
    return False


def test_processes_that_are_killed_lose_nothing(valkey: Server, store: redis.Redis, tmp_path: Path) -> None:
    """Real ones, with SIGKILL, while a call goes on and while its recording is made."""
    database, folder = f"sqlite:///{tmp_path / 'archive.db'}", tmp_path / "recordings"
    told = {"DATABASE_URL": database, "SOUND_DAYS": "*=30", "RECORDINGS": str(folder), "EARSHOT_ENGINE": "stub"}
    fleet = Fleet(valkey, tmp_path, **told)
    ingest = Ingest(store, settings(folder))
    sounds, archive = Sounds(str(folder)), Archive(database)
    try:
        for what in ("decoder", "sentiment"):
            fleet.start(what)
        chunks = [noise(n) for n in range(40)]
        recorder = fleet.start("recorder")
        for n, chunk in enumerate(chunks):
            assert ingest.put("c", "customer", n + 1, chunk).outcome == "OK"
            if n % 10 == 9:  # it is at work, then it is dead, and another one comes
                store.zadd(keys.STORE.spooling, {"c": 0})
                fleet.wait(lambda: store.zscore(keys.STORE.spooling, "c") > 0, why="the recorder takes the call")
                recorder.kill()
                recorder.wait()
                recorder = fleet.start("recorder")
        ingest.end("c")
        call = named(store)
        while catalogue.find(archive, "c") is None:
            jobs = fleet.start("jobs")
            fleet.wait(lambda: store.smembers(keys.STORE.unassembled) or catalogue.find(archive, "c"), why="archived")
            store.delete(keys.STORE.assembly_asked("c"))
            os.killpg(jobs.pid, signal.SIGKILL)
            jobs.wait()
            assemble(store, archive, sounds, "c")  # what another jobs process does a minute later
        heard = samples(sounds, call, tmp_path)
        assert np.array_equal(heard[:, 0], np.concatenate([pcm(chunk) for chunk in chunks]))
    finally:
        fleet.stop()


def test_only_calls_of_chosen_queues_are_recorded(
    store: redis.Redis, archive: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    days = "training=0,billing=9"
    for call_id, queue in (("a", "billing"), ("b", "training"), ("c", "sales")):
        line = Line(store, assessor, ["agent"], call_id, settings=settings("/x", days), queue=queue)
        line.ingest.put(call_id, "agent", None, noise(1))
        assert Spool(store, sounds).take(call_id) == (queue == "billing")
    ingest = Ingest(store, settings("/x", "training=0,*=5"))
    ingest.put("late", "agent", None, noise(1))
    assert Spool(store, sounds).take("late") == 1, "nobody has said what queue it is of"
    ingest.create("late", ["agent"], {"queue": "training"})
    ingest.put("late", "agent", None, noise(2))
    assert Spool(store, sounds).take("late") == 0
    line = Line(store, assessor, ["agent"], "late", settings=settings("/x", days), queue="training")
    finish(store, archive, line)
    assert assemble(store, archive, sounds, "late") == "DROPPED"
    assert len(files(tmp_path)) == 1, "of call a"
    assert is_recorded(sound_days(days), "billing") and not is_recorded(sound_days(days), None)


def test_an_erased_call_cannot_be_heard(
    store: redis.Redis, either: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    call = recorded(store, either, sounds, assessor)
    other = recorded(store, either, sounds, assessor, "c2")
    left = tmp_path / "recordings" / call.parts
    left.mkdir(parents=True, exist_ok=True)
    (left / "x#1").write_bytes(b"half written")
    erasure = Erasure(store, either, settings(tmp_path / "recordings"))
    assert erasure.erase("c") == ["database", "recordings", "redis"]
    assert files(tmp_path) == of(other) and catalogue.find(either, "c") is None
    # A job that was about to write when the call was erased:
    sounds.put_part(call, [Piece("agent", Sound(0, 8000, 8000, "mulaw", noise(1).audio))])
    assert forget_sound(either, sounds, "*=30", store.time()[0] * 1000) == 0
    assert files(tmp_path) == of(other)


def test_a_call_that_is_erased_meanwhile_leaves_nothing(
    store: redis.Redis, archive: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    line = Line(store, assessor, ["agent"], settings=settings("/x"))
    line.ingest.put("c", "agent", None, noise(1))
    real = sounds.put_part

    def erased_meanwhile(*arguments: Any) -> Any:
        Retention(store, settings("/x")).erase("c")
        return real(*arguments)

    sounds.put_part = erased_meanwhile  # type: ignore[method-assign, assignment]
    assert Spool(store, sounds).take("c") == 0 and files(tmp_path) == []


def test_sound_goes_by_queue_and_a_hold_keeps_it(
    store: redis.Redis, either: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    for call_id, queue in (("a", "billing"), ("b", "sales"), ("held", "sales")):
        recorded(store, either, sounds, assessor, call_id, queue=queue)
    erase.hold(either, Hold("call", "held", "court", "lee", 1))
    now = store.time()[0] * 1000 + 10 * DAY_MS
    assert forget_sound(either, sounds, "billing=30,*=5", now) == 1
    assert [call_id for call_id in ("a", "b", "held") if catalogue.find(either, call_id)] == ["a", "held"]
    assert len(files(tmp_path)) == 2 * 2, "two recordings, each with its description"
    assert forget_sound(either, sounds, "", now) == 1, "no queue is recorded any more"
    assert [call_id for call_id in ("a", "b", "held") if catalogue.find(either, call_id)] == ["held"]
    erase.release(either, "call", "held")
    assert forget_sound(either, sounds, "", now) == 1 and files(tmp_path) == []


def test_parts_that_nobody_made_a_recording_of_go(sounds: Sounds, archive: Archive, tmp_path: Path) -> None:
    sounds.put_part(Named("lost", 1), [Piece("agent", Sound(0, 8000, 8000, "mulaw", noise(1).audio))])
    written_ms = int(next((tmp_path / "recordings").rglob("0*")).stat().st_mtime * 1000)
    assert forget_sound(archive, sounds, "*=90", written_ms + 6 * DAY_MS) == 0 and files(tmp_path)
    assert forget_sound(archive, sounds, "*=90", written_ms + 8 * DAY_MS) == 0 and not files(tmp_path)


def test_a_call_stays_in_redis_until_its_recording_is_made(
    store: redis.Redis, archive: Archive, sounds: Sounds, assessor: Assessor
) -> None:
    line = Line(store, assessor, ["agent"], settings=settings("/x"))
    line.ingest.put("c", "agent", None, noise(1))
    finish(store, archive, line)
    later = store.time()[0] * 1000 + 10_000
    assert not Retention(store, settings("/x")).erase("c", later)
    assert Departures(store).take_recorded() == ["c"] and Departures(store).take_recorded() == []
    assert assemble(store, archive, sounds, "c") == "OK"
    assert Retention(store, settings("/x")).erase("c", later)


def test_a_recorder_looks_every_few_seconds(store: redis.Redis, sounds: Sounds) -> None:
    Ingest(store, settings("/x")).put("c", "agent", None, noise(1))
    spool = Spool(store, sounds)
    assert spool.due() == []
    assert 0 < store.zscore(keys.STORE.spooling, "c") - store.time()[0] * 1000 <= (SPOOL_SECONDS + 1) * 1000
    store.zadd(keys.STORE.spooling, {"c": 1})
    assert spool.due() == ["c"] and spool.due() == []
    assert f"SPOOL_MS = {SPOOL_SECONDS * 1000}" in (ROOT / "state/server/lua/ingest.lua").read_text()


@pytest.mark.parametrize("days", ["billing", "=3", "a=1,a=2", "a=-1"])
def test_queues_and_days_that_cannot_be_meant_are_refused(days: str) -> None:
    with pytest.raises(SettingsError, match="SOUND_DAYS"):
        load({"SOUND_DAYS": days, "RECORDINGS": "/x", "DATABASE_URL": "sqlite:////x"})


def test_recording_needs_a_place_and_a_database() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL: SOUND_DAYS is set"):
        load({"SOUND_DAYS": "*=1", "RECORDINGS": "/x"})
    with pytest.raises(SettingsError, match="RECORDINGS: SOUND_DAYS is set"):
        load({"SOUND_DAYS": "*=1", "DATABASE_URL": "sqlite:////x"})


def test_a_storage_that_speaks_s3_does_the_same(
    store: redis.Redis, assessor: Assessor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto's S3 server, over HTTP."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        told = {"ENDPOINT_URL": url, "ALLOW_HTTP": "true", "ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s"}
        for name, value in (told | {"REGION": "us-east-1"}).items():
            monkeypatch.setenv(f"AWS_{name}", value)
        requests.put(f"{url}/calls", timeout=60).raise_for_status()
        archive, sounds = Archive(f"sqlite:///{tmp_path / 'archive.db'}"), Sounds("s3://calls/earshot")
        call = recorded(store, archive, sounds, assessor)
        heard = samples(sounds, call, tmp_path)
        assert np.array_equal(heard[:, 0], np.concatenate([pcm(noise(n)) for n in range(3)]))
        assert not sounds.parts(call)
        assert Erasure(store, archive, settings("s3://calls/earshot")).erase("c") == ["database", "recordings", "redis"]
        assert sounds.open(call) is None
    finally:
        server.stop()


def test_a_storage_that_is_away_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SoundsAway):
        Sounds(str(tmp_path / "file")).parts(Named("c", 1))
