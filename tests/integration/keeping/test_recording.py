"""A call's recording has what was posted, sample for sample, whatever dies meanwhile, and no secret."""

from __future__ import annotations

import itertools
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import obstore
import pytest
import redis
import requests
from moto.server import ThreadedMotoServer

from scripts.machine.programs import ROOT
from state import keys
from state.archive.opening import Archive
from state.calls.departures import Departures
from state.calls.ingest import UNSPOOLED_SECONDS, Ingest
from state.calls.retention import Retention
from state.erasure import Erasure
from state.recording import catalogue
from state.recording.sounds import Named, Sounds, SoundsAway
from state.recording.spool import SPOOL_SECONDS, Spool
from state.server.scripts import Scripts
from tests.harness.fleet import Fleet
from tests.harness.line import Line
from tests.harness.recorded import RATE, files, finish, named, noise, of, pcm, recorded, samples, settings
from tests.harness.servers import Server
from tests.integration.keeping.test_archive import rows
from workers.jobs.assembly import assemble
from workers.sentiment.assessor import Assessor


def test_the_file_is_what_was_posted(
    store: redis.Redis, sqlite: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    """Chunks have different lengths, tracks take turns, and some audio is spooled twice."""
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
    finish(store, sqlite, line)
    assert assemble(store, sqlite, sounds, "c") == "OK"
    heard = samples(sounds, named(store), tmp_path)
    for side, track in enumerate(sent):
        posted = np.concatenate(sent[track])
        assert np.array_equal(heard[: len(posted), side], posted), track
        assert not heard[len(posted) :, side].any()
    found = catalogue.find(sqlite, "c")
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
    """If nobody spools a call, Redis keeps only UNSPOOLED_SECONDS of its audio, and lets that expire."""
    line = Line(store, assessor, ["customer"], settings=settings("/x"))
    for n in range(UNSPOOLED_SECONDS + 300):
        line.ingest.put("c", "customer", None, noise(n))
    assert UNSPOOLED_SECONDS <= store.xlen(keys.listen("c", "customer")) < UNSPOOLED_SECONDS + 150
    assert 100 < store.ttl(keys.listen("c", "customer")) <= UNSPOOLED_SECONDS + 60


def test_a_gap_is_silence_and_the_words_stay_where_they_were(
    store: redis.Redis, sqlite: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    line = Line(store, assessor, ["agent", "customer"], settings=settings("/x"))
    for track in ("agent", "customer"):
        line.ingest.put("c", track, 1, noise(1))
        line.ingest.put("c", track, 5, noise(5), skip_gap=True)
    finish(store, sqlite, line)
    assert assemble(store, sqlite, sounds, "c") == "OK"
    heard = samples(sounds, named(store), tmp_path)
    assert len(heard) == 5 * RATE and not heard[RATE : 4 * RATE].any()
    assert np.array_equal(heard[4 * RATE :, 0], pcm(noise(5)))
    found = catalogue.find(sqlite, "c")
    assert found is not None and found[1].silences == [(1.0, 4.0, "missing")]


def test_what_redaction_masked_is_silent(
    store: redis.Redis, sqlite: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    line = Line(store, assessor, ["agent", "customer"], settings=settings("/x"))
    line.say("agent", 0, "can you read me the card number", chunk=noise(1))
    for n in range(12):
        line.ingest.put("c", "customer", None, noise(n))
        line.ingest.put("c", "agent", None, noise(50 + n))
    line.decode("customer", 3, "it is four zero zero zero zero five six six five five six six five five five six okay")
    finish(store, sqlite, line)
    assert assemble(store, sqlite, sounds, "c") == "OK"
    heard = samples(sounds, named(store), tmp_path)
    found = catalogue.find(sqlite, "c")
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
    """Die at moment number `step`. The moments come just before and just after each write to the store, Redis or the
    database."""
    moments = itertools.count(1)

    def count() -> None:
        if next(moments) == step:
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
    store: redis.Redis, sqlite: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
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
        finish(store, sqlite, line)
        died = died | dies(step, partial(assemble, store, sqlite, sounds, call_id))
        while store.sismember(keys.STORE.unassembled, call_id):
            assemble(store, sqlite, sounds, call_id)
        heard = samples(sounds, named(store, call_id), tmp_path)
        assert np.array_equal(heard[:, 0], posted) and np.array_equal(heard[:, 1], posted), step
        assert not sounds.parts(named(store, call_id)), step
        if not died:
            break
    assert step > 12 and len(rows(sqlite, "recordings")) == step


def dies(step: int, work: Any) -> bool:
    """Do the work and die at that step. Returns whether it got that far."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        dying_at(monkeypatch, step)
        try:
            work()
        except Died:
            return True
    return False


def test_processes_that_are_killed_lose_nothing(valkey: Server, store: redis.Redis, tmp_path: Path) -> None:
    """Real processes get SIGKILL while a call goes on, and while its recording is made."""
    database, folder = f"sqlite:///{tmp_path / 'archive.db'}", tmp_path / "recordings"
    told = {"DATABASE_URL": database, "SOUND_DAYS": "*=30", "RECORDINGS": str(folder), "EARSHOT_ENGINE": "stub"}
    fleet = Fleet(valkey, tmp_path, **told)
    ingest = Ingest(store, settings(folder))
    sounds, sqlite = Sounds(str(folder)), Archive(database)
    try:
        for what in ("decoder", "sentiment"):
            fleet.start(what)
        chunks = [noise(n) for n in range(40)]
        recorder = fleet.start("recorder")
        for n, chunk in enumerate(chunks):
            assert ingest.put("c", "customer", n + 1, chunk).outcome == "OK"
            if n % 10 == 9:  # kill the recorder at work, and start another one
                store.zadd(keys.STORE.spooling, {"c": 0})
                fleet.wait(lambda: store.zscore(keys.STORE.spooling, "c") > 0, why="the recorder takes the call")
                recorder.kill()
                recorder.wait()
                recorder = fleet.start("recorder")
        ingest.end("c")
        call = named(store)
        while catalogue.find(sqlite, "c") is None:
            jobs = fleet.start("jobs")
            fleet.wait(lambda: store.smembers(keys.STORE.unassembled) or catalogue.find(sqlite, "c"), why="archived")
            store.delete(keys.STORE.assembly_asked("c"))
            os.killpg(jobs.pid, signal.SIGKILL)
            jobs.wait()
            assemble(store, sqlite, sounds, "c")  # what another jobs process does a minute later
        heard = samples(sounds, call, tmp_path)
        assert np.array_equal(heard[:, 0], np.concatenate([pcm(chunk) for chunk in chunks]))
    finally:
        fleet.stop()


def test_a_call_stays_in_redis_until_its_recording_is_made(
    store: redis.Redis, sqlite: Archive, sounds: Sounds, assessor: Assessor
) -> None:
    line = Line(store, assessor, ["agent"], settings=settings("/x"))
    line.ingest.put("c", "agent", None, noise(1))
    finish(store, sqlite, line)
    later = store.time()[0] * 1000 + 10_000
    assert not Retention(store, settings("/x")).erase("c", later)
    assert Departures(store).take_recorded() == ["c"] and Departures(store).take_recorded() == []
    assert assemble(store, sqlite, sounds, "c") == "OK"
    assert Retention(store, settings("/x")).erase("c", later)


def test_a_recorder_looks_every_few_seconds(store: redis.Redis, sounds: Sounds) -> None:
    Ingest(store, settings("/x")).put("c", "agent", None, noise(1))
    spool = Spool(store, sounds)
    assert spool.due() == []
    assert 0 < store.zscore(keys.STORE.spooling, "c") - store.time()[0] * 1000 <= (SPOOL_SECONDS + 1) * 1000
    store.zadd(keys.STORE.spooling, {"c": 1})
    assert spool.due() == ["c"] and spool.due() == []
    assert f"SPOOL_MS = {SPOOL_SECONDS * 1000}" in (ROOT / "state/server/lua/ingest.lua").read_text()


def test_a_storage_that_speaks_s3_does_the_same(
    store: redis.Redis, assessor: Assessor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage is moto's S3 server, over HTTP."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        told = {"ENDPOINT_URL": url, "ALLOW_HTTP": "true", "ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s"}
        for name, value in (told | {"REGION": "us-east-1"}).items():
            monkeypatch.setenv(f"AWS_{name}", value)
        requests.put(f"{url}/calls", timeout=60).raise_for_status()
        sqlite, sounds = Archive(f"sqlite:///{tmp_path / 'archive.db'}"), Sounds("s3://calls/earshot")
        call = recorded(store, sqlite, sounds, assessor)
        heard = samples(sounds, call, tmp_path)
        assert np.array_equal(heard[:, 0], np.concatenate([pcm(noise(n)) for n in range(3)]))
        assert not sounds.parts(call)
        assert Erasure(store, sqlite, settings("s3://calls/earshot")).erase("c") == ["database", "recordings", "redis"]
        assert sounds.open(call) is None
    finally:
        server.stop()


def test_a_storage_that_is_away_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SoundsAway):
        Sounds(str(tmp_path / "file")).parts(Named("c", 1))
