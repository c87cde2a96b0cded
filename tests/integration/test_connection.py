"""Which servers are fit, and how they are reached."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from scripts.chaos_link import Link
from scripts.server import free_port
from state.connection import Role, ServerUnfit, check_server, connect
from state.settings import Settings
from tests.servers import KINDS, Kind, start_server

ROOT = Path(__file__).resolve().parents[2]


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
        client = connect(Settings(redis_url=server.url), "web")
        with ThreadPoolExecutor(300) as threads:
            busy = [threads.submit(client.blpop, ["nothing"], 0.5) for _ in range(300)]
            assert [one.result() for one in busy] == [None] * 300
        assert 0 < len(client.client_list()) <= 100
    finally:
        server.kill()


@pytest.mark.parametrize("process", ["decoder", "sentiment", "jobs"])
def test_a_server_that_may_evict_is_refused_in_one_line(process: str, tmp_path: Path) -> None:
    server = start_server("valkey9", dir=tmp_path, args=["--maxmemory-policy", "allkeys-lru"])
    try:
        with pytest.raises(ServerUnfit, match="allkeys-lru"):
            check_server(connect(Settings(redis_url=server.url), "worker"))
        worker = subprocess.run(
            [sys.executable, "-m", f"workers.{process}"],
            cwd=ROOT, env=os.environ | {"REDIS_URL": server.url, "EARSHOT_ENGINE": "stub", "DECODER_LOOPS": "1"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert worker.returncode == 78
        assert worker.stderr.strip().startswith(f"earshot {process}: the server's maxmemory-policy is allkeys-lru")
        assert len(worker.stderr.strip().splitlines()) == 1
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
    """A planned fail-over closes no connection: they go on to the old server, which refuses every write."""
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
    """Heroku's servers have certificates that nobody signed; accepting them must be said explicitly."""
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
