"""The Procfile under a Heroku-style platform's rules, as docs/DEPLOY.md lists them.

PORT and WEB_CONCURRENCY are given. Redis speaks TLS with a certificate that nobody signed. Redis and PostgreSQL take 20
connections each, and refuse more by themselves. The disk is gone after a restart, and SIGTERM comes to all processes at
once.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
import pytest
import redis
import requests

from scripts.demo.processes import read_procfile
from scripts.machine.programs import ROOT, free_port, start
from scripts.simulator import telephony
from scripts.simulator.recording import Track
from scripts.simulator.telephony import post_call
from state.process import read_client_name
from tests.harness.calls.wires import WebSocket
from tests.harness.page import Page
from tests.harness.postgres import Postgres
from tests.harness.servers import Server, start_server
from tests.harness.signing_in import bearer
from tests.harness.web import START_SECONDS, wait_until

PLAN_CONNECTIONS = 20
KILL_SECONDS = 30
"""Seconds that the platform waits after SIGTERM. test_shutdown.py holds every process to ten."""

ROUTER_SECONDS = 30
KEY = "esk_platform_0123456789abcdef0123456789"
POOLS = {"REDIS_CONNECTIONS": "4", "DATABASE_CONNECTIONS": "3", "DECODER_LOOPS": "2", "WEB_CONCURRENCY": "2"}
MOST_OF_REDIS = {"web": 2 * 4 + 1, "decoder": 2 + 1, "sentiment": 1, "jobs": 5, "recorder": 1, "webhooks": 1}
MOST_OF_POSTGRESQL = {"web": 2 * 3, "decoder": 0, "sentiment": 0, "jobs": 2, "recorder": 1, "webhooks": 3}
"""Connections that each process opens at most, as docs/OPERATING.md says: the sums stay below the plans."""


wait = partial(wait_until, seconds=START_SECONDS)
"""Waits longer than in other tests, because six processes start at once."""


class Dyno:
    """One process of each type, on a disk that lasts as long as they do."""

    def __init__(self, environ: dict[str, str], logs: Path) -> None:
        self._environ, self._logs = environ, logs
        self._disk = Path(tempfile.mkdtemp(prefix="earshot-dyno-", dir="/tmp"))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name, command in read_procfile(ROOT / "Procfile").items():
            if name in MOST_OF_REDIS:
                own = {"TMPDIR": str(self._disk), "HOME": str(self._disk), "PGAPPNAME": name}
                program, *arguments = shlex.split(command)
                path = str(Path(sys.executable).with_name(program))
                self.processes[name] = start([path, *arguments], logs / f"{name}.log", environ | own, leash=True)

    def ended(self) -> list[str]:
        """Processes that do not run."""
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def restart(self) -> Dyno:
        """Restart as the platform does: SIGTERM to all, then a new disk. Each must end before SIGKILL would come."""
        for process in self.processes.values():
            os.killpg(process.pid, signal.SIGTERM)  # to their children, too
        deadline = time.monotonic() + KILL_SECONDS
        for name, process in self.processes.items():
            assert process.wait(max(0.1, deadline - time.monotonic())) == 0, name
        shutil.rmtree(self._disk)
        return Dyno(self._environ, self._logs)

    def kill(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        shutil.rmtree(self._disk, ignore_errors=True)


def names(client: redis.Redis) -> list[str]:
    """Names of the server's clients."""
    return [one["name"] for one in client.client_list()]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    postgres = Postgres(PLAN_CONNECTIONS)
    yield postgres
    postgres.remove()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[tuple[Server, int]]:
    """The server, and the port where it speaks TLS."""
    key, certificate, port = tmp_path / "key.pem", tmp_path / "certificate.pem", free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=elsewhere",
         "-keyout", key, "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    tls = ["--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    plan = ["--maxclients", str(PLAN_CONNECTIONS), "--maxmemory", "50mb", "--appendonly", "yes"]
    server = start_server("redis7", dir=tmp_path / "redis", args=[*tls, "--tls-auth-clients", "no", *plan])
    yield server, port
    server.kill()


def test_calls_run_through_whole_over_a_restart_on_small_plans(
    redis_server: tuple[Server, int], postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telephony, "TIMEOUT_SECONDS", ROUTER_SECONDS)  # a first byte that late is too late
    server, tls_port = redis_server
    port = free_port()
    environ = {
        "PORT": str(port),
        "REDIS_URL": f"rediss://127.0.0.1:{tls_port}/0",
        "REDIS_TLS_VERIFY": "0",
        "DATABASE_URL": postgres.url,
        "SECRET_KEY": "s" * 64,
        "API_KEYS": f"platform:ingest+read:{KEY}",
        "TRUSTED_PROXIES": "1",
        "EARSHOT_ENGINE": "stub",
        **POOLS,
    }
    url = f"http://127.0.0.1:{port}"
    audio = [Track(name, bytes(range(250)) * 640, "mulaw", 8000) for name in ("agent", "customer")]
    calls = [f"call-{n}" for n in range(3)]
    failures: list[Exception] = []
    redis_most, postgres_most = dict.fromkeys(MOST_OF_REDIS, 0), dict.fromkeys(MOST_OF_POSTGRESQL, 0)
    client, database = server.client(), psycopg.connect(postgres.url, autocommit=True)

    def serves() -> bool:
        assert dyno.ended() == [], f"see {tmp_path}"
        try:
            return requests.get(f"{url}/readyz", timeout=ROUTER_SECONDS).ok
        except requests.RequestException:
            return False

    def count() -> bool:
        named = Counter(one.type for one in map(read_client_name, names(client)) if one)
        named["jobs"] += sum(bool(re.fullmatch("[0-9a-f]{32}", name)) for name in names(client))  # RQ names its own
        for name in redis_most:
            redis_most[name] = max(redis_most[name], named[name])
        asked = "SELECT application_name, count(*) FROM pg_stat_activity GROUP BY 1"
        for name, open_now in database.execute(asked).fetchall():
            if name in postgres_most:
                postgres_most[name] = max(postgres_most[name], open_now)
        return True

    def search(_: int) -> requests.Response:
        where = f"{url}/v1/calls?state=ended&text=a"
        return requests.get(where, headers=bearer(KEY), timeout=ROUTER_SECONDS)

    def play(call_id: str) -> None:
        try:
            post_call(url, KEY, call_id, audio, {"queue": "sales"}, 250, 4.0)
        except Exception as error:
            failures.append(error)

    dyno = Dyno(environ, tmp_path)
    try:
        wait(serves, f"the platform's web process serves; see {tmp_path}")
        threads = [threading.Thread(target=play, args=(call,)) for call in calls]
        with Page(url, bearer(KEY)) as page:
            for thread in threads:
                thread.start()
            stream = WebSocket(f"ws://127.0.0.1:{port}/v1/streams/audio?call_id=streamed&access_token={KEY}")
            stream.binary(audio[0].audio[:16000])
            stream.text({"event": "stop"})
            assert stream.close_code() == 1000, "the router reaches web alone, so web takes streams, too"
            wait(lambda: count() and {*calls, "streamed"} <= set(page.calls), "the page shows every call")
            dyno = dyno.restart()
            wait(serves, "it serves again")
            wait(lambda: count() and page.disconnections and page._client.connected, "the page comes back")
            while any(thread.is_alive() for thread in threads):
                count()
                with ThreadPoolExecutor(8) as many:  # they share the pools
                    assert {answer.status_code for answer in many.map(search, range(16))} == {200}
        assert failures == []

        def archived() -> int:
            count()
            [[kept]] = database.execute("SELECT count(*) FROM calls").fetchall()
            return int(kept)

        wait(lambda: archived() == len(calls) + 1, "every call is in the database")
        first, *others = [
            requests.get(f"{url}/v1/calls/{call}", headers=bearer(KEY), timeout=30).json() for call in calls
        ]
        assert first["utterances"] and all(not track["gaps"] for track in first["tracks"].values())
        for other in others:
            assert other["utterances"] == first["utterances"]

        stats = client.info("stats")
        assert stats["rejected_connections"] == 0
        assert redis_most == {name: min(most, MOST_OF_REDIS[name]) for name, most in redis_most.items()}
        assert postgres_most == {name: min(most, MOST_OF_POSTGRESQL[name]) for name, most in postgres_most.items()}
        assert sum(MOST_OF_REDIS.values()) <= PLAN_CONNECTIONS and sum(MOST_OF_POSTGRESQL.values()) < PLAN_CONNECTIONS
    finally:
        print(redis_most, postgres_most)
        client.close()
        database.close()
        dyno.kill()
