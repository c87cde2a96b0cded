"""A request counts only when all of it came, and under one path, however a sender spells it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from state.calls.fleet import FleetMember
from state.people.access import Access
from state.server.shards import shards_of
from state.settings import Settings
from tests.harness.servers import Server
from tests.harness.signing_in import bearer
from tests.harness.web import Web, web_process
from webapp.http.crowds import DECODE_SHARE

THREADS = 16
SECOND = b"\xff" * 8000


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    log: Path = tmp_path_factory.mktemp("web") / "web.log"
    with web_process(valkey.url, log, AUTH="on", WEB_THREADS=str(THREADS)) as web:
        yield web


@pytest.fixture
def key(store: redis.Redis) -> dict[str, str]:
    return bearer(Access(store).api_keys.add("pbx", ("ingest",)))


def said(web: Web, method: str, path: str, headers: dict[str, str], body: bytes) -> socket.socket:
    """A connection that has sent this part of a request, and sends nothing more."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    sock = socket.create_connection(("127.0.0.1", web.port), timeout=30)
    sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    sock.shutdown(socket.SHUT_WR)
    return sock


def status(sock: socket.socket) -> int:
    with sock:
        return int(sock.recv(4096).split()[1])


@pytest.mark.parametrize(
    "path", ["tracks/customer/chunks/1", "tracks/customer/chunks", "chunks/1?tracks=agent,customer"]
)
def test_half_of_a_chunk_is_no_chunk(web: Web, store: redis.Redis, key: dict[str, str], path: str) -> None:
    """A sender that dies, or loses its link, in the middle of a chunk may send the chunk again."""
    channels = 2 if "tracks=" in path else 1
    headers = {**key, "Content-Type": f"audio/PCMU;channels={channels}"}
    method = "POST" if path.endswith("chunks") else "PUT"
    whole = SECOND * channels
    half = said(web, method, f"/v1/calls/cut/{path}", {**headers, "Content-Length": str(len(whole))}, whole[:4000])
    assert status(half) == 400
    assert not store.exists(shards_of(store)[0].keys.call("cut"))
    again = requests.request(method, f"{web.url}/v1/calls/cut/{path}", data=whole, headers=headers, timeout=30)
    assert again.status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\nabcd\r\n0\r\n\r\n",
        b"5\r\nabcd\r\n0\r\n\r\n",
        b"4\r\nabcd\r\n0\r\n",
        b"4\r\nabcd\r\n",
        b"100\r\nabcd",
        b"4\r\nabcd\r\n0\r\nbad header\r\n\r\n",
    ],
)
def test_chunks_that_are_none_are_the_senders_fault(
    web: Web, store: redis.Redis, key: dict[str, str], body: bytes
) -> None:
    headers = {**key, "Content-Type": "audio/PCMU", "Transfer-Encoding": "chunked"}
    sock = said(web, "PUT", "/v1/calls/torn/tracks/customer/chunks/1", headers, body + b"GET /healthz HTTP/1.1\r\n\r\n")
    answer = b""
    while data := sock.recv(4096):
        answer += data
    sock.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1, "nobody can know where the next request begins"
    assert not store.exists(shards_of(store)[0].keys.call("torn"))


def test_places_are_counted_however_a_path_is_spelled(web: Web, store: redis.Redis, key: dict[str, str]) -> None:
    """A decoder lives and does nothing. Two requests wait for words, as many as may, and the third is refused."""
    FleetMember(shards_of(store)[0], "busy", Settings(heartbeat_seconds=60)).join()
    bodies = [json.dumps({"audio": [0] * 8000 * 3, "sample_rate": 8000, "id": f"line-{n}"}).encode() for n in range(3)]
    headers = {**key, "Content-Type": "application/json"}
    asked = []
    for path, body in zip(("/decode", "//decode", "/%2Fdecode"), bodies, strict=True):
        asked.append(said(web, "POST", path, {**headers, "Content-Length": str(len(body))}, body))
    assert int(THREADS * DECODE_SHARE) == 2
    assert sorted(status(sock) for sock in asked) == [200, 200, 429]
