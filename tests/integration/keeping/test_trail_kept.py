"""The audit trail reaches the database: nothing is lost, doubled or changed; on SQLite and on PostgreSQL."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
import redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scripts.machine.programs import ROOT
from scripts.operating.audit import main as command
from state import keys, trail
from state.archive.opening import Archive, ArchiveAway
from state.archive.trail import YEAR_MS, Sought, let_go
from state.people.audit import DAY_MICROS, PARTS, Audit, Deed, Entry
from tests.harness.api import app_client, problem
from tests.harness.servers import Server
from tests.integration.keeping.test_archive import rows
from workers.jobs.trail import keep


def lived(store: redis.Redis) -> Audit:
    """A trail with entries in all parts. They are of yesterday, so reads and attempts no longer change."""
    audit = Audit(store)
    for n in range(4):
        audit.record(Deed(f"lee{n}", "key-made", f"key-{n} \0", "203.0.113.7"))
        audit.record(Deed("dana", "rules", f"edition {n}"), "acts")
        audit.record_read(Deed("dana", "read", f"call-{n}"))
        audit.record_read(Deed("dana", "read", f"call-{n}"))
    audit.record_attempt(Deed("eve", "sign-in-failed", origin="stranger"))
    a_day_passes(store)
    return audit


def a_day_passes(store: redis.Redis) -> None:
    for part in ("reads", "attempts"):
        for name, micros in store.zrange(keys.audit_entries(part), 0, -1, withscores=True):
            store.zadd(keys.audit_entries(part), {name: micros - DAY_MICROS})


def everything(audit: Audit, archive: Archive | None) -> list[Entry]:
    """All entries of all parts."""
    return [entry for part in PARTS for entry in trail.entries(audit, archive, part, Sought())]


def test_what_redis_forgets_the_database_has(store: redis.Redis, archive: Archive) -> None:
    audit = lived(store)
    audit.record_read(Deed("kim", "read", "of today"))
    before = everything(audit, None)
    assert keep(store, archive, 7, 0) == "OK 13 -0"
    assert len(rows(archive, "trail")) == 13, "what was read today may still be read again"
    assert everything(audit, archive) == before
    store.flushall()
    assert everything(audit, archive) == [one for one in before if one.deed.about != "of today"]
    counts = {row.count for row in rows(archive, "trail") if row.part == "reads"}
    assert counts == {2}


def test_killed_at_any_step_nothing_is_lost_and_nothing_doubled(
    store: redis.Redis, valkey: Server, archive: Archive, database_url: str
) -> None:
    archive.prepare()
    audit = lived(store)
    before = everything(audit, None)
    environ = {**os.environ, "REDIS_URL": valkey.url, "DATABASE_URL": database_url}
    step = 0
    while True:
        step += 3  # not every step, as a start takes seconds; a start goes on from what the one before wrote
        command = [sys.executable, "-m", "tests.harness.broken.dying_copier", str(step)]
        died = subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
        assert everything(audit, archive) == before, f"step {step}"
        if died.returncode != -signal.SIGKILL:
            break
    assert died.returncode == 0 and step > 6, died.stderr
    assert len(rows(archive, "trail")) == len(before)
    store.flushall()
    assert everything(audit, archive) == before


def test_while_the_database_is_away_the_trail_waits(store: redis.Redis, archive: Archive) -> None:
    audit = lived(store)
    nowhere = Archive("postgresql://nobody@127.0.0.1:1/nothing")
    assert keep(store, nowhere, 7, 0) == "AWAY"
    with pytest.raises(ArchiveAway):
        list(trail.entries(audit, nowhere, "acts", Sought()))
    assert keep(store, archive, 7, 0) == "OK 13 -0"
    assert keep(store, archive, 7, 0).startswith("OK"), "a second copy changes nothing"
    assert len(rows(archive, "trail")) == 13


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE trail SET who = 'nobody'",
        "DELETE FROM trail",
        "DELETE FROM trail WHERE part = 'acts'",
        "INSERT OR REPLACE INTO trail SELECT part, name, 1, 1, 0, 1, 1, 'x', 'x', 'x', 'x', 'x', 1 FROM trail",
        "TRUNCATE trail",
    ],
)
def test_nobody_changes_an_entry(store: redis.Redis, archive: Archive, change: str) -> None:
    lived(store)
    keep(store, archive, 7, 0)
    before = rows(archive, "trail")
    try:
        with archive.writing() as connection:
            connection.execute(text(change))
    except (DBAPIError, ArchiveAway) as error:
        refused = "only added to" in str(error) or "syntax" in str(error)
        assert refused, error
    assert rows(archive, "trail") == before


def test_entries_go_when_their_years_are_over(store: redis.Redis, archive: Archive) -> None:
    lived(store)
    store.delete(keys.AUDIT_ACTS)
    store.xadd(keys.AUDIT_ACTS, {"j": b'{"who":"old","what":"rules"}'}, id="1000-1")
    store.xadd(keys.AUDIT_ACTS, {"j": b'{"who":"new","what":"rules"}'})
    keep(store, archive, 7, 0)
    assert let_go(archive, 1000 + 7 * YEAR_MS - 1) == 0
    assert let_go(archive, 1000 + 7 * YEAR_MS) == 1
    assert [row.who for row in rows(archive, "trail") if row.part == "acts"] == ["new"]


def test_entries_are_sought_in_redis_and_in_the_database_alike(store: redis.Redis, archive: Archive) -> None:
    audit = lived(store)
    keep(store, archive, 7, 0)
    audit.record(Deed("lee9", "key-made", "key-9"))
    all_of_them = list(trail.entries(audit, archive, "security", Sought()))
    assert [one.deed.who for one in all_of_them] == ["lee9", "lee3", "lee2", "lee1", "lee0"]

    def names(**sought: Any) -> list[str]:
        return [one.deed.who for one in trail.entries(audit, archive, "security", Sought(**sought))]

    assert names(who="lee2") == ["lee2"] and names(about="key-9") == ["lee9"] and names(what="nothing") == []
    middle = all_of_them[2].at_ms
    assert names(from_ms=middle)[-1] in ("lee2", "lee1", "lee0") and "lee9" not in names(to_ms=middle)
    before = all_of_them[1].id
    assert [one.deed.who for one in trail.entries(audit, archive, "security", Sought(), before)] == [
        "lee2",
        "lee1",
        "lee0",
    ]
    store.flushall()
    assert names(who="lee2") == ["lee2"]


def test_admins_filter_and_export_all_of_it(
    valkey: Server,
    store: redis.Redis,
    archive: Archive,
    database_url: str,
    command_line: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    lived(store)
    keep(store, archive, 7, 0)
    store.delete(keys.AUDIT_ACTS)  # only the database has them
    Audit(store).record(Deed("=cmd", "rules", "edition 9"), "acts")
    http = app_client(valkey, database_url=database_url)
    first = http.get("/v1/audit?part=acts&limit=2").get_json()
    assert [one["about"] for one in first["entries"]] == ["edition 9", "edition 3"]
    second = http.get(f"/v1/audit?part=acts&limit=9&cursor={first['next_cursor']}").get_json()
    assert [one["about"] for one in second["entries"]] == ["edition 2", "edition 1", "edition 0"]
    found = http.get("/v1/audit?part=acts&who=dana&about=edition+2").get_json()["entries"]
    assert [one["about"] for one in found] == ["edition 2"]
    assert http.get("/v1/audit?part=acts&to=2001-01-01").get_json()["entries"] == []
    problem(http.get("/v1/audit?from=yesterday"), 400, "invalid")
    problem(http.get("/v1/audit.pdf"), 404, "unknown_form")
    table = list(csv.DictReader(http.get("/v1/audit.csv?part=acts").text.splitlines()))
    assert [row["who"] for row in table] == ["'=cmd", "dana", "dana", "dana", "dana"]
    lines = http.get("/v1/audit.jsonl?part=reads").text.splitlines()
    assert [json.loads(line)["count"] for line in lines] == [2, 2, 2, 2]
    told = http.get("/v1/audit?what=audit-export").get_json()["entries"]
    assert [one["about"] for one in told] == ["part=reads", "part=acts"]

    assert command(["--all", "--part", "acts", "--from", "2001-01-01"]) == 0
    assert [json.loads(line)["about"] for line in capsys.readouterr().out.splitlines()][-1] == "edition 0"
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert command(["--all", "--part", "acts"]) == 1 and capsys.readouterr().err.startswith("audit: ")
    http = app_client(valkey, database_url="postgresql://nobody@127.0.0.1:1/nothing")
    problem(http.get("/v1/audit.csv"), 503, "archive_away")
