"""Which servers are fit, and how processes reach them."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
import requests

from scripts.demo.processes import read_procfile
from scripts.machine.programs import free_port, start
from scripts.machine.server import EmbeddedServer, memory_bytes
from state import keys
from state.server.connection import Role, ServerUnfit, check_server, connect, server_risks
from state.settings import EXIT_CONFIG, Settings
from tests.harness.link import Link
from tests.harness.servers import KINDS, Kind, start_server
from tests.harness.web import wait_until, web_process

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_server_is_known_for_what_it_is(kind: Kind, tmp_path: Path) -> None:
    server = start_server(kind, dir=tmp_path)
    try:
        found = check_server(connect(Settings(redis_url=server.url), "worker"))
        assert found["server"] == ("valkey" if kind == "valkey9" else "redis")
        assert found["version"].startswith({"valkey9": "9.", "redis6": "6.2.", "redis7": "7."}[kind])
    finally:
        server.kill()


def test_many_threads_of_a_web_process_wait_for_one_another(tmp_path: Path) -> None:
    server = start_server("valkey9", dir=tmp_path)
    try:
        settings = Settings(redis_url=server.url)
        client = connect(settings, "web")
        with ThreadPoolExecutor(300) as threads:
            busy = [threads.submit(client.blpop, ["nothing"], 0.5) for _ in range(300)]
            assert [one.result() for one in busy] == [None] * 300
        assert 0 < len(client.client_list()) <= settings.redis_connections
    finally:
        server.kill()


PROCESSES = read_procfile(ROOT / "Procfile")


def process(name: str, redis_url: str, output: Path, **environ: str) -> subprocess.Popen[bytes]:
    """A process of the Procfile, set up so that it has something to do; what it says goes to `output`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {"PATH": path, "REDIS_URL": redis_url, "EARSHOT_ENGINE": "stub", "DECODER_LOOPS": "1", "AUTH": "off"}
    ports = {setting: str(free_port()) for setting in ("PORT", "STREAMS_PORT", "AUDIOSOCKET_PORT")}
    kept = {
        "DATABASE_URL": f"sqlite:///{output.parent}/archive.db",
        "RECORDINGS": str(output.parent),
        "SOUND_DAYS": "*=1",
    }
    command = shlex.split(PROCESSES[name])
    return start(command, output, given | ports | kept | environ, leash=True)


@pytest.mark.parametrize("name", PROCESSES)
def test_every_process_warns_of_a_server_without_limit_or_append_only_file(name: str, tmp_path: Path) -> None:
    server = start_server("valkey9", dir=tmp_path)
    output = tmp_path / "out"
    started = process(name, server.url, output)
    try:
        for risk in ("the server has no maxmemory", "the server has neither an append-only file nor a replica"):
            wait_until(lambda risk=risk: risk in output.read_text(), f"{name} warns: {risk}; see {output}")
    finally:
        started.terminate()
        started.wait(30)
        server.kill()


def test_the_embedded_server_has_a_limit_and_an_append_only_file(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    try:
        info = connect(Settings(redis_url=server.url), "worker").info()
        assert 0 < info["maxmemory"] <= memory_bytes() / 2 and server_risks(info) == []
    finally:
        server.stop()


def test_a_server_that_begins_to_evict_gets_no_more_audio(tmp_path: Path) -> None:
    server = start_server("valkey9", dir=tmp_path)
    try:
        with web_process(server.url, tmp_path / "web.log") as web:
            url = f"{web.url}/v1/calls/a/tracks/customer/chunks/1"
            server.client().config_set("maxmemory-policy", "allkeys-lru")
            headers = {"Content-Type": "audio/PCMU"}
            assert requests.put(url, data=bytes(8000), headers=headers, timeout=10).status_code == 503
            reasons = requests.get(f"{web.url}/readyz", timeout=10).json()["reasons"]
            assert "Redis may drop calls: its maxmemory-policy is allkeys-lru." in reasons
            assert server.client().keys() == [keys.LAYOUT.encode()]
    finally:
        server.kill()


@pytest.mark.parametrize("name", PROCESSES)
def test_a_server_that_may_evict_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    server = start_server("valkey9", dir=tmp_path, args=["--maxmemory-policy", "allkeys-lru"])
    try:
        with pytest.raises(ServerUnfit, match="allkeys-lru"):
            check_server(connect(Settings(redis_url=server.url), "worker"))
        output = tmp_path / "out"
        assert process(name, server.url, output, LOG_LEVEL="error").wait(60) == EXIT_CONFIG
        [line] = [line for line in output.read_text().splitlines() if "logger=gunicorn" not in line]
        assert line.startswith(f"earshot {name}: the server's maxmemory-policy is allkeys-lru")
    finally:
        server.kill()


def test_a_server_of_a_cluster_is_refused(tmp_path: Path) -> None:
    args = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    server = start_server("valkey9", dir=tmp_path, args=args)
    try:
        with pytest.raises(ServerUnfit, match="cluster"):
            check_server(connect(Settings(redis_url=server.url), "worker"))
    finally:
        server.kill()


@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_server_that_became_a_replica_is_left_for_its_successor(role: Role, tmp_path: Path) -> None:
    """A planned fail-over closes no connection, so they still lead to the old server, which refuses every write."""
    old, new = (start_server("valkey9", dir=tmp_path / name) for name in ("old", "new"))
    link = Link(old.port)
    try:
        client = connect(Settings(redis_url=f"redis://127.0.0.1:{link.port}/0"), role)
        client.set("key", "before")
        old.client().replicaof("127.0.0.1", str(new.port))
        link.port_behind = new.port
        with contextlib.suppress(redis.exceptions.ReadOnlyError):  # a worker's own loop tries again
            client.set("key", "after")
        assert client.set("key", "after")
        assert new.client().get("key") == b"after"
    finally:
        link.close()
        old.kill()
        new.kill()


def test_tls_is_verified_unless_switched_off(tmp_path: Path) -> None:
    """Heroku's servers have certificates that nobody signed. Only a setting makes us accept them."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=elsewhere",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    tls = ["--tls-port", str(port), "--tls-cert-file", str(tmp_path / "cert.pem"), "--tls-auth-clients", "no"]
    server = start_server("redis7", dir=tmp_path, args=[*tls, "--tls-key-file", str(tmp_path / "key.pem")])
    try:
        url = f"rediss://127.0.0.1:{port}/0"
        with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
            connect(Settings(redis_url=url), "worker").ping()
        assert connect(Settings(redis_url=url, redis_tls_verify=False), "worker").ping()
    finally:
        server.kill()
