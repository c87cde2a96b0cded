"""The fleet under access control lists: every process has its own user, which may do what it needs and no more."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from scripts.machine.programs import free_port
from state import keys
from state.server import acl
from tests.harness.broken.poisoned_decoder import POISON
from tests.harness.calls.wires import Refused, WebSocket
from tests.harness.fleet import Fleet
from tests.harness.page import Page
from tests.harness.servers import KINDS, Kind, Server, start_server
from tests.harness.signing_in import PASSWORD, bearer, csrf_of
from tests.harness.web import ROOT, streams_process, wait_until, web_process

SECOND = bytes(range(250)) * 32
"""A second of mu-law at 8000 Hz, which the stub engine turns into words."""


class Guarded:
    """A server with the users of state/server/acl.py."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.owner = server.client()
        self._passwords: dict[str, str] = {}
        for line in acl.aclfile().splitlines():
            _, user, *rules = line.split()
            if user != "default":
                self._passwords[user] = rules[0][1:]
                self.owner.execute_command("ACL", "SETUSER", user, *rules)

    def url(self, user: str) -> str:
        return f"redis://{user}:{self._passwords[user]}@127.0.0.1:{self.server.port}/0"

    def client(self, user: str) -> redis.Redis:
        return redis.Redis.from_url(self.url(user), protocol=2)

    def denied(self) -> list[Any]:
        """What was refused so far: user, kind and name of the command, key or channel."""
        log: Any = self.owner.execute_command("ACL", "LOG", "1000")
        entries = [
            entry if isinstance(entry, dict) else dict(zip(entry[::2], entry[1::2], strict=True)) for entry in log
        ]
        plain = [{_text(name): _text(value) for name, value in entry.items()} for entry in entries]
        return [(entry["username"], entry["context"], entry["reason"], entry["object"]) for entry in plain]


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    server = start_server("valkey9", dir=tmp_path / "server")
    yield Guarded(server)
    server.kill()


def command(guarded: Guarded, *arguments: str, stdin: str = "") -> str:
    """Run a command as the operator. Returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=dict(os.environ, REDIS_URL=guarded.url("operator")),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done
    return done.stdout.strip()


def test_a_whole_call_goes_through_a_fleet_whose_processes_have_users_of_their_own(
    guarded: Guarded, tmp_path: Path
) -> None:
    fleet = Fleet(guarded.server, tmp_path, EARSHOT_ENGINE="stub", DECODER_LOOPS="2", STREAM_GRACE_SECONDS="1")
    audiosocket_port = free_port()

    def start(what: str, program: list[str] | None = None) -> subprocess.Popen[bytes]:
        more: dict[str, Any] = {"AUDIOSOCKET_PORT": str(audiosocket_port)} if what == "audiosocket" else {}
        return fleet.start(what, program, REDIS_URL=guarded.url(what), **more)

    with (
        web_process(guarded.url("web"), tmp_path / "web.log", AUTH="on", WEB_THREADS="64") as web,
        streams_process(guarded.url("streams"), tmp_path / "streams.log", AUTH="on") as streams,
    ):
        key = command(guarded, "scripts.operating.api_keys", "add", "pbx", "--scopes", "ingest+read")
        command(guarded, "scripts.operating.users", "add", "dana", "--password-stdin", stdin=f"{PASSWORD}\n")
        decoders = [start("decoder"), start("decoder")]
        start("sentiment")
        start("jobs")
        start("audiosocket", ["-m", "webapp.audiosocket"])

        def ask(method: str, path: str, **more: Any) -> Any:
            headers = bearer(key) | more.pop("headers", {})
            answer = requests.request(method, web.url + path, headers=headers, timeout=30, **more)
            assert answer.ok, answer.text
            return answer

        with Page(web.url, bearer(key)) as page:
            ask("POST", "/v1/calls", json={"call_id": "whole", "tracks": ["agent", "customer"]})
            for seq in range(1, 9):
                for track in ("agent", "customer"):
                    path = f"/v1/calls/whole/tracks/{track}/chunks/{seq}"
                    ask("PUT", path, data=SECOND, headers={"Content-Type": "audio/PCMU"})
                if seq == 4:
                    fleet.wait(lambda: fleet.decoded("whole", "agent", 2), why="a decoder is at work")
                    os.killpg(decoders[0].pid, signal.SIGKILL)  # the other one buries it
            act(web.url)
            ask("POST", "/v1/calls/whole/end", json={"last_seq": {"agent": 8, "customer": 8}})
            fleet.wait_ended(["whole"])
            fleet.wait(lambda: guarded.owner.hexists(keys.call("whole"), "summary"), why="the summary is written")
            wait_until(lambda: "whole" in page.calls and page.fleets, "the page shows it")

        call = ask("GET", "/v1/calls/whole").json()
        assert call["state"] == "ended" and any(one["text"] for one in call["utterances"])
        for path in ("/v1/calls?text=w", "/v1/calls/whole/transcript.vtt", "/v1/agents", "/v1/rules", "/readyz"):
            ask("GET", path)
        assert "earshot_" in ask("GET", "/metrics").text

        by_socket, by_stream = speak(audiosocket_port), stream(streams.url, key)
        fleet.wait_ended([by_socket, by_stream])
        assert requests.get(f"{streams.url}/readyz", timeout=10).ok
        guarded.owner.xadd(
            keys.DEAD, {"c": "whole", "t": "agent", "seq": 3, "r": 8000, "reason": "why", "e": "mulaw", "a": POISON}
        )
        [letter] = [line.split()[0] for line in command(guarded, "scripts.operating.dead", "list").splitlines()]
        assert command(guarded, "scripts.operating.dead", "redrive", letter).startswith("w")
        command(guarded, "scripts.operating.dead", "drop", letter)
        assert "dana" in command(guarded, "scripts.operating.users", "sessions")
        command(guarded, "scripts.operating.users", "sign-out", "dana")
        assert "command" in command(guarded, "scripts.operating.audit")

    fleet.processes.remove(decoders[0])
    decoders[0].wait(10)
    assert set(fleet.stop()) == {0}
    assert guarded.denied() == []


def act(url: str) -> None:
    """Do what a supervisor does with a live call."""
    dana = requests.Session()
    form = {"csrf_token": csrf_of(dana.get(f"{url}/sign-in", timeout=10).text), "name": "dana", "password": PASSWORD}
    assert dana.post(f"{url}/sign-in", data=form, timeout=10).url == f"{url}/"
    token = {"X-CSRF-Token": csrf_of(dana.get(url, timeout=10).text)}
    assert dana.get(f"{url}/v1/calls/whole/audio?from=0", timeout=10).status_code == 200
    taken = dana.put(f"{url}/v1/calls/whole/handling", json={"state": "taken"}, headers=token, timeout=10)
    noted = dana.post(f"{url}/v1/calls/whole/notes", json={"text": "ring back"}, headers=token, timeout=10)
    rules = dana.get(f"{url}/v1/rules", timeout=10)
    yaml = {"Content-Type": "application/yaml"}
    tried = dana.post(f"{url}/v1/rules/dry-run", data=rules.text, headers=token | yaml, timeout=30)
    saved = dana.put(f"{url}/v1/rules", data=rules.text + "\n", headers=token | yaml, timeout=30)
    assert [answer.status_code for answer in (taken, noted, tried, saved)] == [200] * 4, (tried.text, saved.text)


def speak(port: int) -> str:
    """A call of two seconds over AudioSocket; returns its id."""
    call_id = uuid.uuid4()
    wait_until(lambda: _listens(port), "the audiosocket process listens")
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(bytes([1, 0, 16]) + call_id.bytes)
        for _ in range(100):
            connection.sendall(bytes([0x10, 1, 64]) + bytes(range(160)) * 2)
            connection.recv(323, socket.MSG_WAITALL)
        connection.sendall(bytes(3))
        connection.recv(1)
    return str(call_id)


def stream(url: str, key: str) -> str:
    """A call of two seconds over a websocket; returns its id."""
    address = url.replace("http", "ws") + "/v1/streams/audio?call_id=streamed&encoding=ulaw"
    with pytest.raises(Refused) as refused:
        WebSocket(address, bearer("esk_none"))
    assert refused.value.status == 401
    line = WebSocket(address, bearer(key))
    line.binary(SECOND * 2)
    line.text({"event": "stop"})
    assert line.close_code() == 1000
    return "streamed"


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


REFUSED = {
    "web": [("LPUSH", "rq:queue:earshot", "x"), ("HSET", "rq:job:x", "data", "x"), ("PUBLISH", "rq:pubsub:x", "{}")],
    "streams": [("HGETALL", keys.USERS), ("GET", keys.SECRET), ("LPUSH", "rq:queue:earshot", "x")],
    "decoder": [
        *[("HGETALL", keys.USERS), ("GET", keys.SECRET), ("HSET", keys.API_KEYS, "x", "{}"), ("DEL", keys.AUDIT)],
        *[("SET", keys.session("x"), "{}"), ("LPUSH", "rq:queue:earshot", "x")],
        ("EVAL", "return redis.call('GET', KEYS[1])", "1", keys.SECRET),
    ],
    "sentiment": [("HGETALL", keys.USERS), ("GET", keys.SECRET), ("XTRIM", keys.AUDIT, "MAXLEN", "0")],
    "jobs": [("HSET", keys.USERS, "x", "{}"), ("GET", keys.SECRET), ("HGETALL", keys.API_KEYS)],
    "recorder": [("HGETALL", keys.USERS), ("GET", keys.SECRET), ("LPUSH", "rq:queue:earshot", "x")],
    "webhooks": [("HGETALL", keys.USERS), ("GET", keys.SECRET), ("LPUSH", "rq:queue:earshot", "x")],
    "audiosocket": [("HGETALL", keys.API_KEYS), ("GET", keys.SECRET), ("LPUSH", "rq:queue:earshot", "x")],
    "operator": [("SET", "elsewhere", "x")],
}
FOR_NOBODY = [
    *[("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "GET", "*"), ("SHUTDOWN",), ("ACL", "LIST")],
    *[("REPLICAOF", "NO", "ONE"), ("CLIENT", "LIST"), ("GET", "elsewhere"), ("MONITOR",), ("SCRIPT", "FLUSH")],
]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_process_does_not_need_is_refused_on_every_supported_server(kind: Kind, tmp_path: Path) -> None:
    server = start_server(kind, dir=tmp_path)
    try:
        guarded = Guarded(server)
        for user in acl.USERS:
            with guarded.client(user) as client:
                assert client.ping() and client.exists(keys.call("x")) == 0
                for words in [*REFUSED[user], *FOR_NOBODY]:
                    if user == acl.LISTS_CLIENTS and words == ("CLIENT", "LIST"):
                        continue
                    with pytest.raises(redis.exceptions.NoPermissionError):
                        client.execute_command(*words)
        stranger = redis.Redis(port=server.port, username="web", password="wrong")
        with stranger, pytest.raises(redis.exceptions.AuthenticationError):
            stranger.ping()
    finally:
        server.kill()
