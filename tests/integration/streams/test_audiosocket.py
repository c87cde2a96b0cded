"""Asterisk's AudioSocket, spoken byte by byte."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from scripts.machine.programs import start
from state import g711
from tests.harness.audiosocket import audiosocket_process, packet
from tests.harness.servers import start_server
from tests.harness.web import wait_until
from tests.integration.streams.conftest import House


@pytest.fixture
def audiosocket(house: House, tmp_path: Path) -> Any:
    with audiosocket_process(house.fleet._environ, tmp_path) as (port, process):
        yield port, process


@pytest.mark.parametrize("how", ["hang-up", "close"])
def test_an_audiosocket_call_reads_as_over_http(house: House, audiosocket: Any, how: str) -> None:
    port, process = audiosocket
    call_id = uuid.uuid4()
    pcm = g711.decode_mulaw(house.parties["customer"])
    frames = [pcm[at : at + 320] for at in range(0, len(pcm), 320)]
    connection = socket.create_connection(("127.0.0.1", port), 10)
    stream = packet(0x01, call_id.bytes) + packet(0x03, b"5") + b"".join(packet(0x10, frame) for frame in frames)
    answered = b""
    for at in range(0, len(stream), 10_007):  # pieces that end anywhere in a packet
        connection.sendall(stream[at : at + 10_007])
        if select.select([connection], [], [], 0)[0]:
            answered += connection.recv(1 << 20)
    while len(answered) < len(frames) * 323 and (more := connection.recv(1 << 20)):
        answered += more
    assert answered == packet(0x10, bytes(320)) * len(frames)
    if how == "hang-up":
        connection.sendall(packet(0x00))
        assert connection.recv(1) == b""
    connection.close()
    customer = {name: said for name, said in house.transcript.items() if name.startswith(b"customer")}
    assert house.finished(str(call_id)) == customer
    process.terminate()
    assert process.wait(10) == 0


def test_it_stops_in_time_with_calls_that_the_store_does_not_take(house: House, tmp_path: Path) -> None:
    server = start_server("valkey9", dir=tmp_path)
    try:
        environ = {**house.fleet._environ, "REDIS_URL": server.url}
        with audiosocket_process(environ, tmp_path) as (port, process), contextlib.ExitStack() as calls:
            for _ in range(3):
                connection = calls.enter_context(socket.create_connection(("127.0.0.1", port), 10))
                connection.sendall(packet(0x01, uuid.uuid4().bytes) + packet(0x10, bytes(320)))
                assert connection.recv(323, socket.MSG_WAITALL) == packet(0x10, bytes(320))
            os.kill(server.pid, signal.SIGSTOP)
            process.terminate()
            assert process.wait(10) == 0
    finally:
        server.kill()


def test_it_does_nothing_without_a_port_and_stops_when_told(house: House, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start([sys.executable, "-m", "webapp.audiosocket"], log, house.fleet._environ, leash=True)
    wait_until(lambda: "nothing to do" in log.read_text(), "it says so")
    process.terminate()
    assert process.wait(10) == 0
