"""What is lost with the store or an SQLite database, and what a copy brings back. test_restore.py has PostgreSQL and
the recordings."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from scripts.machine.programs import ROOT
from state.archive.opening import Archive
from state.archive.search import read_call
from state.attention_models import AttentionModels
from state.people.access import Access
from state.queues import Queues
from state.rules import RulesStore
from state.settings import Settings
from tests.harness.api import contents
from tests.harness.fleet import Fleet
from tests.harness.servers import Server, start_server
from tests.harness.signing_in import PASSWORD, bearer
from tests.harness.web import wait_until, web_process

RULES = "version: 2\nrules: []\n"
SECOND = bytes(range(200)) * 40


def backup(server: Server, database: Path, *words: str) -> tuple[int, str]:
    """Run the command; returns its exit status and last line."""
    environ = os.environ | {"REDIS_URL": server.url, "DATABASE_URL": f"sqlite:///{database}"}
    done = subprocess.run(
        [ROOT / "scripts/backup", *words], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()[-1]


@contextmanager
def site(tmp_path: Path) -> Iterator[tuple[Server, str, Fleet, Path]]:
    """A server that keeps nothing when it ends, a web process, workers, and a database."""
    server, database = start_server("valkey9", dir=tmp_path / "redis"), tmp_path / "archive.db"
    environ = {"DATABASE_URL": f"sqlite:///{database}", "EARSHOT_ENGINE": "stub"}
    fleet = Fleet(server, tmp_path, **environ)
    try:
        with web_process(server.url, tmp_path / "web.log", AUTH="on", **environ) as web:
            fleet.start("decoder", DECODER_LOOPS="1")
            fleet.start("sentiment")
            fleet.start("jobs")
            yield server, web.url, fleet, database
    finally:
        fleet.kill_all()
        server.kill()


def test_a_lost_store_costs_the_live_words_and_a_lost_database_nothing(tmp_path: Path) -> None:
    copy = str(tmp_path / "copy")
    with site(tmp_path) as (server, url, fleet, database):
        with server.client() as client:
            access = Access(client)
            access.users.add("anna", "admin", PASSWORD)
            headers = bearer(access.api_keys.add("pbx", ("ingest", "read"))) | {"Content-Type": "audio/basic"}
            RulesStore(client).save(RULES, after=1, version=2)
            Queues(client, Settings()).say("billing", 30)
            AttentionModels(client).save(0, "learned", b"{}", b"{}")

        def put(call: str, seq: int, more: str = "") -> requests.Response:
            address = f"{url}/v1/calls/{call}/tracks/customer/chunks/{seq}{more}"
            return requests.put(address, data=SECOND, headers=headers, timeout=60)

        def ended(call: str) -> None:
            assert requests.post(f"{url}/v1/calls/{call}/end", headers=headers, timeout=60).status_code == 202
            wait_until(lambda: archived(database, call), "the call is in the database")

        assert put("before", 1).status_code == 202
        ended("before")
        assert all(put("live", seq).status_code == 202 for seq in range(1, 4))
        assert backup(server, database, "save", copy) == (0, f"{copy}/archive.db: {size(copy)} bytes")
        assert (Path(copy) / "store").stat().st_mode & 0o077 == 0, "the copy of the store has secrets in it"

        server.kill()  # and all its data is gone
        server.start()
        wait_until(lambda: put("live", 4).status_code == 401, "the key is lost too")
        status, said = backup(server, database, "restore-database", copy)
        assert (status, said) == (1, f"backup: {database} is there; move it away first")
        assert backup(server, database, "restore-store", copy) == (0, "restored")
        assert backup(server, database, "restore-store", copy)[0] == 1, "it does not overwrite a store that has data"
        again = put("live", 4)
        assert (again.status_code, again.json()["expected_seq"]) == (409, 1), (
            "a sender that kept all chunks begins again"
        )
        assert put("live", 4, "?on_gap=skip").status_code == 202, "a sender that kept nothing goes on"
        ended("live")
        call = requests.get(f"{url}/v1/calls/live", headers=headers, timeout=60).json()
        assert call["utterances"][0]["mark"] == "gap", "the transcript marks the gap"
        with server.client() as client:
            access = Access(client)
            user, rules = access.users.find("anna"), RulesStore(client).read()
            assert user is not None and user.role == "admin" and rules is not None and rules.text == RULES
            assert Queues(client, Settings()).said() == {"billing": 30}
            assert AttentionModels(client).version() == 1

        assert fleet.stop() == [0, 0, 0]
        for name in (database, database.with_name("archive.db-wal"), database.with_name("archive.db-shm")):
            name.unlink(missing_ok=True)
        assert backup(server, database, "restore-database", copy) == (0, "1 calls will be archived again")
        assert archived(database, "before") and not archived(database, "live"), (
            "the database is as it was at the time of the copy"
        )
        for kind in ("sentiment", "jobs"):
            fleet.start(kind)
        wait_until(lambda: archived(database, "live"), "a call that came after the copy is written again from Redis")


def size(folder: str) -> int:
    return (Path(folder) / "archive.db").stat().st_size


def archived(database: Path, call: str) -> bool:
    archive = Archive(f"sqlite:///{database}")
    try:
        return read_call(archive, call) is not None
    finally:
        archive.close()


def test_what_is_no_copy_is_refused_in_one_line(tmp_path: Path) -> None:
    server = start_server("valkey9", dir=tmp_path / "redis")
    try:
        (tmp_path / "store").write_bytes(b"no copy")
        status, said = backup(server, tmp_path / "archive.db", "restore-store", str(tmp_path))
        assert status == 1 and said.startswith(f"backup: {tmp_path}/store is no copy of a store")
        with server.client() as client:
            assert contents(client) == {}
    finally:
        server.kill()
