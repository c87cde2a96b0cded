"""The web process's threads: a resting connection has none, and each request gets the next free one."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.servers import Server
from tests.harness.web import Web, web_process

THREADS = 4
ASK = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def web(valkey: Server, tmp_path: Path) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path / "web.log", AUTH="on", WEB_THREADS=str(THREADS)) as web:
        yield web


def connected(web: Web) -> socket.socket:
    return socket.create_connection(("127.0.0.1", web.port), timeout=30)


def answers(sock: socket.socket, count: int) -> list[bytes]:
    """The status lines of the next answers."""
    said = b""
    while said.count(b"HTTP/1.1 ") < count or not said.endswith(b"}"):  # head and body may come apart
        more = sock.recv(65536)
        if not more:
            break
        said += more
    return [part.partition(b"\r\n")[0] for part in said.split(b"HTTP/1.1 ")[1:]]


def test_more_connections_than_threads_rest_and_are_answered_again_and_again(web: Web) -> None:
    socks = [connected(web) for _ in range(10 * THREADS)]
    for _ in range(3):
        for sock in socks:
            sock.sendall(ASK)
        assert all(answers(sock, 1) == [b"200 OK"] for sock in socks)


def test_requests_that_come_together_over_one_connection_are_answered_in_turn(web: Web) -> None:
    sock = connected(web)
    sock.sendall(ASK + ASK.replace(b"/healthz", b"/nowhere") + ASK)
    assert answers(sock, 3) == [b"200 OK", b"404 NOT FOUND", b"200 OK"]


def test_a_connection_that_comes_and_goes_without_a_word_harms_nobody(web: Web) -> None:
    for _ in range(5 * THREADS):
        connected(web).close()
    sock = connected(web)
    sock.sendall(ASK)
    assert answers(sock, 1) == [b"200 OK"]


def test_a_request_that_comes_while_the_process_stops_is_answered_and_told_to_go(web: Web) -> None:
    sock, resting = connected(web), connected(web)
    sock.sendall(ASK)
    assert answers(sock, 1) == [b"200 OK"]
    assert web.process is not None
    web.process.terminate()
    said = b"Connection: keep-alive"
    while b"Connection: keep-alive" in said:  # until the signal has arrived
        sock.sendall(ASK)
        said = b""
        while not said.endswith(b"}"):  # head and body may come apart
            said += sock.recv(65536) or pytest.fail("closed without an answer")
        time.sleep(0.02)
    assert said.startswith(b"HTTP/1.1 200 OK") and b"Connection: close" in said
    assert web.terminate(10) == 0
    assert resting.recv(1) == b""
