"""A web process refuses too many slow requests at once, and answers all others in time."""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
import redis
import requests

from scripts.machine.programs import cpu_seconds
from state.calls.fleet import FleetMember
from state.people.access import Access
from state.server.shards import shards_of
from state.settings import Settings
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, csrf_of, try_sign_in
from tests.harness.web import PATIENCE_SECONDS, Web, web_process
from webapp.app import create_app
from webapp.http.crowds import DECODE_SHARE
from webapp.http.limits import FAILURES_OF_ADDRESS

PROMPT_SECONDS = 1.0
"""At most, of processor time that the web process spends while a health check or a chunk waits. Other programs make the
wait longer, but not this."""

THREADS = 160
"""Fewer than the clients of a flood: if each of those got a thread, nobody else would."""

SECOND = b"\xff" * 8000


@pytest.fixture
def web(valkey: Server, store: redis.Redis, tmp_path: Path) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path / "web.log", AUTH="on", WEB_THREADS=str(THREADS)) as web:
        yield web


class Flood:
    """Sends requests from `at_once` clients, each on its own connection, until all have their answer."""

    def __init__(self, web: Web, requests_: list[bytes], at_once: int = 200) -> None:
        self._where = ("127.0.0.1", web.port)
        self._selector = selectors.DefaultSelector()
        self._to_be_sent = requests_
        self._outstanding = 0
        self.statuses: Counter[int] = Counter()
        for _ in range(at_once):
            self._send()

    def done(self) -> bool:
        """Take the answers that are there, and send as many new requests. True when all are answered."""
        for key, _ in self._selector.select(0):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            head = sock.recv(4096)
            self._selector.unregister(sock)
            sock.close()
            self.statuses[int(head.split()[1])] += 1
            self._outstanding -= 1
            if self._to_be_sent:
                self._send()
        return not self._outstanding

    def _send(self) -> None:
        sock = socket.create_connection(self._where, timeout=30)
        sock.sendall(self._to_be_sent.pop())
        self._selector.register(sock, selectors.EVENT_READ)
        self._outstanding += 1


def post(path: str, body: bytes, kind: str, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


PIECE = {"audio": [0] * 8000 * 3, "sample_rate": 8000}


def pieces(count: int, key: dict[str, str]) -> list[bytes]:
    """Requests to /decode, each with three seconds of its own conversation. Answers wait for words of so much audio."""
    bodies = [json.dumps({**PIECE, "id": f"line-{n}"}).encode() for n in range(count)]
    return [post("/decode", body, "application/json", **key) for body in bodies]


@dataclass
class Survived:
    """What a flood cost the others.

    work_seconds: the most processor time that the web process spent while one of them waited.
    before_a_wait_ended: how many got their answer before any request of the flood was answered with words.
    statuses: what the flood was answered.
    """

    work_seconds: float
    before_a_wait_ended: int
    statuses: Counter[int]


def survive(web: Web, key: dict[str, str], requests_: list[bytes]) -> Survived:
    """Ask for health and post chunks until the flood is over."""
    seq = 0
    asks: list[Callable[[], requests.Response]] = [
        lambda: requests.get(f"{web.url}/healthz", timeout=60),
        lambda: requests.put(
            f"{web.url}/v1/calls/steady-{seq}/tracks/customer/chunks/1",
            SECOND,
            headers={**key, "Content-Type": "audio/PCMU"},
            timeout=60,
        ),
    ]
    warm = Flood(web, [b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"] * 200)
    while not warm.done():  # the first requests start the threads
        time.sleep(0.01)
    worker = web.worker_pid
    flood, work, before = Flood(web, requests_), [], 0
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not flood.done():
        assert time.monotonic() < deadline, flood.statuses
        seq += 1
        for ask in asks:
            spent = cpu_seconds(worker)
            assert ask().status_code in (200, 202)
            work.append(cpu_seconds(worker) - spent)
        if not flood.statuses[200]:
            before += len(asks)
    return Survived(max(work), before, flood.statuses)


def test_a_flood_of_sign_ins_holds_up_neither_health_checks_nor_chunks(web: Web, store: redis.Redis) -> None:
    access = Access(store)
    access.users.add("dana", "supervisor", PASSWORD)
    key = bearer(access.api_keys.add("pbx", ("ingest",)))
    browser = requests.Session()
    token = csrf_of(browser.get(f"{web.url}/sign-in", timeout=10).text)
    cookie = f"earshot={browser.cookies['earshot']}"
    forms = [urlencode({"csrf_token": token, "name": f"user{n}", "password": "guess"}).encode() for n in range(900)]
    tries = [post("/sign-in", form, "application/x-www-form-urlencoded", Cookie=cookie) for form in forms]
    flood = survive(web, key, tries)
    assert flood.work_seconds < PROMPT_SECONDS, flood
    assert set(flood.statuses) <= {403, 429}
    assert 0 < flood.statuses[403] <= FAILURES_OF_ADDRESS, "the server checked too many guesses, or none"
    elsewhere = create_app(Settings(redis_url=web.redis_url)).test_client()
    assert try_sign_in(elsewhere, "dana", address="203.0.113.9").status_code == 303, "others still sign in"


def test_a_flood_of_decode_requests_holds_up_neither_health_checks_nor_chunks(web: Web, store: redis.Redis) -> None:
    key = bearer(Access(store).api_keys.add("pbx", ("ingest",)))
    flood = survive(web, key, pieces(900, key))
    assert flood.work_seconds < PROMPT_SECONDS, flood
    assert set(flood.statuses) <= {429, 503}, "no decoder is alive, or too many ask"
    assert not store.exists(shards_of(store)[0].keys.call("line-0")), "a refusal changes nothing"
    asked = {**PIECE, "id": "line-0"}
    assert requests.post(f"{web.url}/decode", json=asked, headers=key, timeout=10).json()["reason"] == "no_decoder"


def test_who_waits_for_words_holds_up_neither_health_checks_nor_chunks(web: Web, store: redis.Redis) -> None:
    """A decoder lives and does nothing. So somebody waits ten seconds at every place."""
    access = Access(store)
    key, pbx = bearer(access.api_keys.add("lines", ("ingest",))), bearer(access.api_keys.add("pbx", ("ingest",)))
    FleetMember(shards_of(store)[0], "busy", Settings(heartbeat_seconds=60)).join()
    flood = survive(web, pbx, pieces(600, key))
    assert flood.work_seconds < PROMPT_SECONDS, flood
    assert flood.before_a_wait_ended > 20, f"they queued behind those who wait: {flood}"
    assert set(flood.statuses) == {200, 429}
    assert flood.statuses[200] >= int(THREADS * DECODE_SHARE), "as many are served as there are places"


def test_connections_on_which_nothing_comes_keep_no_thread(web: Web) -> None:
    idle = [socket.create_connection(("127.0.0.1", web.port), timeout=30) for _ in range(450)]
    assert requests.get(f"{web.url}/healthz", timeout=60).status_code == 200
    closed = selectors.DefaultSelector()
    for connection in idle:
        closed.register(connection, selectors.EVENT_READ)
    assert not closed.select(0), "the health check waited until the process gave some up"
    closed.close()
    idle[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert idle[0].recv(4096).startswith(b"HTTP/1.1 200 "), "a connection may send its request later"
    for connection in idle:
        connection.close()
