"""If more connections come than a process may have descriptors, nobody loses a call."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from state.server.connection import connect
from state.settings import Settings
from tests.harness.audiosocket import audiosocket_process, packet
from tests.harness.calls.wires import WebSocket
from tests.harness.servers import Server
from tests.harness.web import Process, streams_process, wait_until, web_process
from tests.integration.streams.conftest import samples

MORE_FILES = 60
"""Descriptors that a process may have beyond those that it has. It keeps half of all for itself."""

CROWD = 100
SCARCE = "connections wait to be accepted"
HALF_SECOND = 8000
"""Bytes of linear audio; a chunk."""


def taken(store: redis.Redis, call_id: str) -> int:
    """Bytes of the call's audio in the journal."""
    return 2 * samples(store, call_id)


@contextlib.contextmanager
def crowd(port: int, pid: int, log: Path) -> Iterator[list[socket.socket]]:
    """Open silent connections until the process accepts no more and says so once. They close at the end."""
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (psutil.Process(pid).num_fds() + MORE_FILES, most))
    with contextlib.ExitStack() as leaving:
        there = [leaving.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(CROWD)]
        wait_until(lambda: SCARCE in log.read_text(), "descriptors are scarce")
        yield there
        assert log.read_text().count(SCARCE) == 1


def asterisk(port: int, call_id: uuid.UUID) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), 10)
    connection.sendall(packet(0x01, call_id.bytes))
    return connection


def test_callers_of_audiosocket_talk_on_in_a_crowd_and_after_it(
    valkey: Server, store: redis.Redis, tmp_path: Path
) -> None:
    before, among, after = (uuid.uuid4() for _ in range(3))
    half_second = packet(0x10, bytes(HALF_SECOND))
    with audiosocket_process(os.environ | {"REDIS_URL": valkey.url}, tmp_path) as (port, process):
        first = asterisk(port, before)
        with crowd(port, process.pid, tmp_path / "audiosocket.log") as there:
            for n in range(1, 4):
                first.sendall(half_second)
                wait_until(lambda n=n: taken(store, str(before)) == n * HALF_SECOND, "the caller from before is heard")
            there[0].sendall(packet(0x01, among.bytes) + half_second)
            wait_until(lambda: taken(store, str(among)) == HALF_SECOND, "a caller of the crowd is heard")
        last = asterisk(port, after)
        last.sendall(half_second)
        wait_until(lambda: taken(store, str(after)) == HALF_SECOND, "a caller right after the crowd is heard")
        first.sendall(packet(0x00))
        assert len(first.recv(1 << 16, socket.MSG_WAITALL)) == 3 * len(half_second)
        for connection in (first, last):
            connection.close()


@pytest.mark.parametrize("process", [streams_process, web_process])
def test_websockets_talk_on_in_a_crowd_and_after_it(
    valkey: Server, store: redis.Redis, tmp_path: Path, process: Process
) -> None:
    with process(valkey.url, tmp_path / "log") as web:
        address = f"ws://127.0.0.1:{web.port}/v1/streams/audio?call_id="
        first, worker = WebSocket(address + "before"), web.worker_pid
        with crowd(web.port, worker, tmp_path / "log"):
            for n in range(1, 4):
                first.binary(bytes(HALF_SECOND))
                wait_until(lambda n=n: taken(store, "before") == n * HALF_SECOND, "the caller from before is heard")
        last = WebSocket(address + "after")
        last.binary(bytes(HALF_SECOND))
        for line in (first, last):
            line.text({"event": "stop"})
            assert line.close_code() == 1000
        assert (taken(store, "after"), web.worker_pid) == (HALF_SECOND, worker)


def test_a_connection_that_finds_no_descriptor_costs_no_place_in_the_pool(valkey: Server) -> None:
    client = connect(Settings(redis_url=valkey.url, redis_connections=1), "web")
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, most))
    try:
        for _ in range(2):
            with pytest.raises(redis.ConnectionError):
                client.ping()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    assert client.ping()
