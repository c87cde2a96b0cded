"""The streams process: telephony's websockets, and nothing else."""

from __future__ import annotations

import base64
import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
import requests

from scripts.machine.gauges import gauge
from scripts.machine.programs import ROOT, STREAMS, free_port, start
from state.people.access import Access
from state.settings import EXIT_CONFIG, Settings
from tests.harness.calls.wires import Refused, WebSocket
from tests.harness.servers import Server
from tests.harness.signing_in import bearer
from tests.harness.web import streams_process, wait_until
from tests.integration.streams.conftest import samples
from webapp.app import create_streams_app
from webapp.streams.routes import LOOP

PATH = "/v1/streams/audio?encoding=ulaw&call_id="
STOP_SECONDS = 10
MANY = 150


def test_it_takes_sockets_says_how_it_is_and_serves_nothing_else(
    valkey: Server, store: redis.Redis, tmp_path: Path
) -> None:
    port = free_port()
    with streams_process(valkey.url, tmp_path / "log", METRICS_PORT=str(port)) as streams:
        line = WebSocket(f"ws://127.0.0.1:{streams.port}{PATH}one")
        line.binary(bytes(6000))
        wait_until(lambda: samples(store, "one") == 4000, "a chunk of half a second is taken")
        assert gauge(port, "streams") == 1.0
        assert requests.get(f"{streams.url}/readyz", timeout=10).json()["reasons"] == ["No decoder is alive."]
        for path in ("/", "/calls", "/v1/calls", "/v1/openapi.json", "/metrics", "/socket.io/", "/sign-in"):
            assert requests.get(streams.url + path, timeout=10).status_code == 404, path
        put = requests.put(f"{streams.url}/v1/calls/a/tracks/b/chunks/1", b"a", timeout=10)
        assert put.status_code == 404
        line.text({"event": "stop"})
        assert line.close_code() == 1000 and samples(store, "one") == 6000
        wait_until(lambda: gauge(port, "streams") == 0.0, "the socket is gone")


def test_a_revoked_key_closes_its_open_sockets(valkey: Server, store: redis.Redis, tmp_path: Path) -> None:
    keys_of = Access(store).api_keys
    with streams_process(valkey.url, tmp_path / "log", AUTH="on") as streams:
        url = f"ws://127.0.0.1:{streams.port}{PATH}"
        lines = {name: WebSocket(url + name, bearer(keys_of.add(name, ("ingest",)))) for name in ("a", "b")}
        for line in lines.values():
            line.binary(bytes(400))
        keys_of.revoke("a")
        assert lines["a"].close_code() == 1008 and samples(store, "a") == 400
        lines["b"].text({"event": "stop"})
        assert lines["b"].close_code() == 1000


def test_sigterm_takes_the_last_audio_of_many_calls_and_tells_each_to_come_back(
    valkey: Server, store: redis.Redis, tmp_path: Path
) -> None:
    with streams_process(valkey.url, tmp_path / "log") as streams, ExitStack() as open_lines:
        lines = [WebSocket(f"ws://127.0.0.1:{streams.port}{PATH}{n}") for n in range(MANY)]
        for line in lines:
            open_lines.callback(line.sock.close)
            line.binary(bytes(5000))
        wait_until(lambda: all(samples(store, str(n)) == 4000 for n in range(MANY)), "whole chunks are taken")
        for line in lines:
            line.binary(bytes(1000))  # it may still be under way when the process hears that it should stop
        assert streams.process is not None
        streams.process.terminate()
        assert {line.close_code() for line in lines} == {1012}
        for line in lines:
            line.sock.close()
        assert streams.terminate(STOP_SECONDS) == 0
        assert {samples(store, str(n)) for n in range(MANY)} == {6000}


def test_it_has_room_for_more_files_than_a_system_gives_at_first(
    valkey: Server, store: redis.Redis, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(64, len(list(Path("/proc/self/fd").iterdir())) + 8), hard))
    try:
        process = streams_process(valkey.url, tmp_path / "log")
        streams = process.__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        lines = [WebSocket(f"ws://127.0.0.1:{streams.port}{PATH}{n}") for n in range(MANY)]
        for line in lines:
            line.binary(bytes(400))
            line.text({"event": "stop"})
        assert {line.close_code() for line in lines} == {1000}
    finally:
        process.__exit__(None, None, None)


def test_a_process_without_a_place_refuses_before_the_handshake(valkey: Server) -> None:
    app = create_streams_app(Settings(redis_url=valkey.url, auth="off"))
    app.extensions[LOOP].most = 0
    upgrade = {
        "Host": "localhost",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
    }
    ours, theirs = socket.socketpair()
    with ours, theirs:
        answer = app.test_client().get(PATH + "a", headers=upgrade, environ_overrides={"gunicorn.socket": ours})
    assert answer.status_code == 503 and "Retry-After" in answer.headers


def test_without_a_port_it_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    idle = start([sys.executable, *STREAMS], log, leash=True)
    wait_until(lambda: "nothing to do" in log.read_text(), "it says so")
    idle.send_signal(signal.SIGTERM)
    assert idle.wait(STOP_SECONDS) == 0


def test_a_port_that_is_taken_is_named_at_once(valkey: Server, tmp_path: Path) -> None:
    environ = os.environ | {"REDIS_URL": valkey.url, "STREAMS_PORT": "8000"}
    ended = subprocess.run(
        [sys.executable, *STREAMS], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (
        EXIT_CONFIG,
        "earshot streams: STREAMS_PORT: it is PORT, too; the web process listens there\n",
    )
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        environ |= {"STREAMS_PORT": str(free_port()), "METRICS_PORT": port}
        ended = subprocess.run(
            [sys.executable, *STREAMS], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode == 1
    assert f"earshot streams: METRICS_PORT: 127.0.0.1:{port}: Address already in use" in ended.stderr


def test_a_stranger_gets_no_socket(valkey: Server, tmp_path: Path) -> None:
    with streams_process(valkey.url, tmp_path / "log", AUTH="on") as streams:
        for path in ("twilio", "audio", "vosk", "audiohook"):
            with pytest.raises(Refused) as refused:
                WebSocket(f"ws://127.0.0.1:{streams.port}/v1/streams/{path}")
            assert refused.value.status == 401
