"""Ended calls reach the database once, whole and masked, whatever dies meanwhile; on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from sqlalchemy import event, text

from scripts.machine.programs import ROOT
from state import keys
from state.archive.opening import Archive, ArchiveAway
from state.archive.search import read_call
from state.calls.departures import Departures
from state.calls.handling import Handler
from state.calls.reads import Reads
from state.calls.retention import Retention
from state.settings import Settings
from state.types import INSIDE
from tests.harness.fleet import Fleet
from tests.harness.line import Line
from tests.harness.postgres import Postgres
from tests.harness.servers import Server
from tests.harness.web import wait_until
from workers.insight.redaction.dictation import MASKED_NUMBER as MASK
from workers.jobs import summary
from workers.jobs.archive import move
from workers.jobs.queue import job_queue
from workers.sentiment.assessor import Assessor


def ended(store: redis.Redis, assessor: Assessor, call_id: str = "c", more: int = 0, **metadata: str) -> Line:
    """End a call that has a card number in it, and write its summary. more: words of small talk at its end."""
    line = Line(store, assessor, ["agent", "customer"], call_id, INSIDE, None, **metadata)
    line.say("agent", 1, "can you read me the card number")
    line.say("customer", 3, "four zero zero zero zero five six six five five six six five five five six")
    line.say("customer", 5, "this is terrible i want to speak to a manager")
    line.say("agent", 7, "well " * more)
    line.score()
    line.end()
    assert summary.write(store, call_id, Settings(database_url="sqlite:///elsewhere")) == "OK"
    return line


def rows(archive: Archive, table: str) -> list[Any]:
    with archive.reading() as connection:
        return list(connection.execute(text(f"SELECT * FROM {table}")))


def test_a_call_is_the_same_from_the_database(store: redis.Redis, assessor: Assessor, archive: Archive) -> None:
    ended(store, assessor, agent="Dana", queue="billing", caller="+15550100")
    Handler(store, "sam").set_state("c", "taken")
    Handler(store, "sam").add_tag("c", "vip")
    Handler(store, "sam").add_note("c", "rang back \0")
    before = Reads(store).call("c")
    assert before is not None and before.summary is not None
    assert move(store, archive, "c", redact=True) == "OK"
    assert msgspec.json.encode(read_call(archive, "c")) == msgspec.json.encode(before)
    [call] = rows(archive, "calls")
    assert (call.agent, call.queue, call.customer, call.handled_by) == ("Dana", "billing", "+15550100", "sam")
    assert Departures(store).outstanding() == []


def test_nothing_unmasked_reaches_the_database(store: redis.Redis, assessor: Assessor, archive: Archive) -> None:
    line = ended(store, assessor)
    assert MASK in "".join(line.stored())
    assert move(store, archive, "c", redact=True) == "OK"
    everything = "".join(
        str(tuple(row)) for table in ("calls", "alerts", "transcripts") for row in rows(archive, table)
    )
    assert MASK in everything and not any(word in everything for word in ("zero", " five", " six"))


def test_what_is_done_again_changes_nothing(store: redis.Redis, assessor: Assessor, archive: Archive) -> None:
    ended(store, assessor)
    assert move(store, archive, "c", redact=True) == "OK"
    first = [rows(archive, table) for table in ("calls", "tags", "alerts", "transcripts")]
    assert move(store, archive, "c", redact=True) == "OK"
    assert [rows(archive, table) for table in ("calls", "tags", "alerts", "transcripts")] == first


def test_what_supervisors_do_afterwards_follows(store: redis.Redis, assessor: Assessor, archive: Archive) -> None:
    ended(store, assessor)
    assert move(store, archive, "c", redact=True) == "OK"
    Handler(store, "sam").add_tag("c", "late")
    assert Departures(store).outstanding() == ["c"]
    leaving = Departures(store).read("c")
    assert leaving is not None
    Handler(store, "sam").add_tag("c", "later")
    assert Departures(store).settle("c", leaving.handling) == "CHANGED", "written before the last change"
    assert move(store, archive, "c", redact=True) == "OK"
    assert sorted(row.tag for row in rows(archive, "tags")) == ["late", "later"]
    assert Departures(store).outstanding() == []


def test_a_call_leaves_redis_only_when_the_database_has_it(
    store: redis.Redis, assessor: Assessor, archive: Archive
) -> None:
    ended(store, assessor)
    retention = Retention(store, Settings(database_url="sqlite:///anywhere"))
    later = store.time()[0] * 1000 + 10_000
    assert not retention.erase("c", later)
    store.srem(keys.STORE.unarchived, "c")  # as if the list were lost
    assert not retention.erase("c", later)
    assert Departures(store).outstanding() == ["c"], "the refusal puts it on the list again"
    assert move(store, archive, "c", redact=True) == "OK"
    Handler(store, "sam").add_tag("c", "vip")
    assert not retention.erase("c", later), "the database has it, but not as it stands"
    assert move(store, archive, "c", redact=True) == "OK"
    assert retention.erase("c", later)
    assert Reads(store).call("c") is None and read_call(archive, "c") is not None


def test_another_call_of_the_same_id_takes_no_place(store: redis.Redis, assessor: Assessor, archive: Archive) -> None:
    ended(store, assessor)
    assert move(store, archive, "c", redact=True) == "OK"
    assert Retention(store, Settings()).erase("c")
    ended(store, assessor, agent="Kim")
    assert move(store, archive, "c", redact=True) == "OK"
    assert len(rows(archive, "calls")) == 2
    found = read_call(archive, "c")
    assert found is not None and found.metadata == {"agent": "Kim"}, "the later one"


def test_killed_at_any_step_nothing_is_lost_and_nothing_doubled(
    store: redis.Redis, valkey: Server, assessor: Assessor, archive: Archive, database_url: str
) -> None:
    archive.prepare()
    environ = {**os.environ, "REDIS_URL": valkey.url, "DATABASE_URL": database_url}

    def die_at(step: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.harness.broken.dying_archiver", "c", str(step)]
        return subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)

    ended(store, assessor)
    Handler(store, "sam").add_tag("c", "vip")
    before = msgspec.json.encode(Reads(store).call("c"))
    step = 0
    while True:
        step += 1
        died = die_at(step)
        if died.returncode != -signal.SIGKILL:
            break
        kept, archived = Departures(store).outstanding(), read_call(archive, "c")
        assert kept == ["c"] or archived is not None, f"step {step}"
        assert archived is None or msgspec.json.encode(archived) == before, f"step {step}"
        assert msgspec.json.encode(Reads(store).call("c")) == before
    assert died.returncode == 0 and step > 8, died.stderr
    assert len(rows(archive, "calls")) == len(rows(archive, "tags")) == len(rows(archive, "transcripts")) == 1


def test_a_full_disk_keeps_calls_in_redis(store: redis.Redis, assessor: Assessor, tmp_path: Path) -> None:
    ended(store, assessor, more=5000)
    archive = Archive(f"sqlite:///{tmp_path / 'archive.db'}")
    archive.prepare()

    def fill(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")

    event.listen(archive._engine, "connect", fill)
    archive.close()  # the next connection finds the disk full
    with pytest.raises(ArchiveAway, match="full"), archive.writing() as connection:
        connection.execute(text("CREATE TABLE more (x)"))
        connection.execute(text("INSERT INTO more SELECT randomblob(100000)"))
    assert move(store, archive, "c", redact=True) == "AWAY"
    assert rows(archive, "calls") == [] and Departures(store).outstanding() == ["c"]
    event.remove(archive._engine, "connect", fill)
    archive.close()
    assert move(store, archive, "c", redact=True) == "OK"


def test_the_database_may_be_away_for_long(
    store: redis.Redis, valkey: Server, assessor: Assessor, tmp_path: Path, postgres: Postgres
) -> None:
    """Calls are scored and end while the database is away. They wait in Redis, and are written once it is back."""
    url = postgres.new_database("away")
    postgres.stop()
    fleet = Fleet(valkey, tmp_path, DATABASE_URL=url)
    try:
        fleet.start("sentiment")
        fleet.start("jobs")
        for n in range(3):
            line = Line(store, assessor, ["customer"], f"c{n}")
            line.say("customer", 1, "hello there", end=True)
            while (token := line.fleet.next_token(0)) is not None:
                line.commit(token, [])
        fleet.wait_ended([f"c{n}" for n in range(3)])
        departures, queue = Departures(store), job_queue(store)
        asked = [keys.STORE.archive_asked(f"c{n}") for n in range(3)]
        wait_until(lambda: store.exists(*asked) == 3, "a job is asked for each call")
        wait_until(lambda: queue.count + queue.started_job_registry.count == 0, "each job has tried")
        assert len(departures.outstanding()) == 3
        assert queue.failed_job_registry.count == 0
        postgres.start()
        store.delete(*asked)  # a minute passes
        wait_until(lambda: not departures.outstanding(), "the calls are written")
    finally:
        fleet.stop()
    assert len(rows(Archive(url), "calls")) == 3
