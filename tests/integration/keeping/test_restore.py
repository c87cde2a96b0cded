"""The restore drill of docs/OPERATING.md, for PostgreSQL and for recordings. test_backup_command.py does it for Redis
and SQLite."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import redis

from scripts.machine.programs import ROOT
from state.archive.opening import Archive
from state.archive.search import read_call
from state.calls.departures import Departures
from state.calls.retention import Retention
from state.recording import catalogue
from state.recording.sounds import Named, Sounds
from state.recording.spool import Spool
from tests.harness.line import Line
from tests.harness.postgres import Postgres
from tests.harness.recorded import RATE, finish, noise, recorded, samples, settings
from tests.harness.servers import Server
from workers.jobs.archive import move
from workers.jobs.assembly import assemble
from workers.sentiment.assessor import Assessor


def ended(store: redis.Redis, assessor: Assessor, call_id: str) -> str:
    """End a call of one utterance, with its summary. Returns its id."""
    line = Line(store, assessor, ["customer"], call_id)
    line.say("customer", 1, f"this is {call_id}")
    line.end()
    store.hset("{earshot}:call:" + call_id, "summary", '{"text": "told"}')
    return call_id


def test_a_lost_postgresql_costs_nothing_that_redis_still_has(
    valkey: Server, store: redis.Redis, postgres: Postgres, assessor: Assessor, tmp_path: Path
) -> None:
    url, dump = postgres.new_database("drill"), tmp_path / "dump"
    where = ("-h", str(postgres.folder), "-U", "earshot", "-d", "drill")
    archive = Archive(url)
    assert move(store, archive, ended(store, assessor, "before"), redact=True) == "OK"
    postgres.tool("pg_dump", "-Fc", *where, "-f", dump)
    assert move(store, archive, ended(store, assessor, "since"), redact=True) == "OK"

    postgres.drop_database("drill")
    assert move(store, archive, ended(store, assessor, "meanwhile"), redact=True) == "AWAY"
    postgres.new_database("drill")
    postgres.tool("pg_restore", *where, dump)
    assert read_call(archive, "before") is not None, "processes connect again by themselves"
    assert read_call(archive, "since") is None
    command = [str(ROOT / "scripts/backup"), "archive-again"]
    told = subprocess.run(
        command, env=os.environ | {"REDIS_URL": valkey.url}, capture_output=True, text=True, check=True
    )
    assert told.stdout == "3 calls will be archived again\n"
    for call_id in Departures(store).outstanding():
        assert move(store, archive, call_id, redact=True) == "OK"
    assert {"before", "since", "meanwhile"} == {c for c in ("before", "since", "meanwhile") if read_call(archive, c)}
    assert Departures(store).outstanding() == []
    archive.close()


def test_recordings_come_back_with_their_calls_and_others_are_listed(
    valkey: Server, store: redis.Redis, assessor: Assessor, tmp_path: Path
) -> None:
    database, copy, folder = tmp_path / "archive.db", tmp_path / "copy.db", tmp_path / "recordings"
    archive, sounds = Archive(f"sqlite:///{database}"), Sounds(str(folder))
    recorded(store, archive, sounds, assessor, "before")
    archive.close()
    shutil.copy(database, copy)
    archive = Archive(f"sqlite:///{database}")
    since, gone = (recorded(store, archive, sounds, assessor, call_id) for call_id in ("since", "gone"))
    had = catalogue.find(archive, "since")
    archive.close()

    shutil.copy(copy, database)
    archive = Archive(f"sqlite:///{database}")
    assert Retention(store, settings(folder)).erase("gone"), "it leaves Redis, as at its age"
    assert strays(valkey, database, folder) == ["gone"], "the call since is still in Redis"
    Departures(store).again()
    for call_id in Departures(store).outstanding():
        assert move(store, archive, call_id, redact=True) == "OK"
        assert assemble(store, archive, sounds, call_id) == ("AGAIN" if call_id == "before" else "OK")
    assert catalogue.find(archive, "since") == had and sounds.open(since) is not None
    assert strays(valkey, database, folder) == ["gone"]
    erasing(valkey, database, folder, "call", "gone")
    assert strays(valkey, database, folder) == [] and sounds.open(gone) is None
    archive.close()


def erasing(server: Server, database: Path, folder: Path, *words: str) -> str:
    """What scripts/erase prints."""
    environ = {"REDIS_URL": server.url, "DATABASE_URL": f"sqlite:///{database}"}
    environ |= {"RECORDINGS": str(folder), "SOUND_DAYS": "*=30"}
    command = [str(ROOT / "scripts/erase"), *words]
    return subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, check=True).stdout


def strays(server: Server, database: Path, folder: Path) -> list[str]:
    """Calls whose recordings `scripts/erase strays` lists."""
    return [line.split()[-1] for line in erasing(server, database, folder, "strays").splitlines()[1:]]


def test_a_lost_store_of_recordings_costs_the_sound_and_no_word(
    store: redis.Redis, archive: Archive, assessor: Assessor, tmp_path: Path
) -> None:
    folder, copy = tmp_path / "recordings", tmp_path / "copy"
    sounds = Sounds(str(folder))
    before = recorded(store, archive, sounds, assessor, "before")
    heard = samples(sounds, before, tmp_path)
    shutil.copytree(folder, copy)
    line = Line(store, assessor, ["customer"], "live", settings=settings(folder))
    for n in range(2):
        line.say("customer", n, "hello", chunk=noise(n))
    Spool(store, sounds).take("live")

    shutil.rmtree(folder)
    assert sounds.open(before) is None
    line.say("customer", 2, "still there", chunk=noise(2))
    finish(store, archive, line)
    assert assemble(store, archive, sounds, "live") == "OK"
    left = samples(sounds, Named("live", int(store.hget("{earshot}:call:live", "started_at_ms") or 0)), tmp_path)
    assert left.shape[0] == 3 * RATE and not left[: 2 * RATE].any() and left[2 * RATE :].any(), (
        "what was lost is silence"
    )
    call = read_call(archive, "live")
    assert call is not None and [said.text for said in call.utterances] == ["hello", "hello", "still there"]

    shutil.copytree(copy, folder, dirs_exist_ok=True)
    assert np.array_equal(samples(sounds, before, tmp_path), heard)
