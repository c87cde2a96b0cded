"""A stream's socket gives each message as it was sent, and keeps a bounded amount of frames."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator

import pytest
from websockets.frames import Frame, Opcode

import webapp.streams.wire
from webapp.streams.wire import TcpWire, WebSocketWire


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, WebSocketWire]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield theirs, WebSocketWire(ours)


def frame(opcode: Opcode, data: bytes, fin: bool) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def test_a_message_in_many_frames_is_one_message(ends: tuple[socket.socket, WebSocketWire]) -> None:
    theirs, wire = ends
    parts = [frame(Opcode.TEXT, b"", False), frame(Opcode.CONT, b"what ", False), frame(Opcode.PING, b"", True)]
    theirs.sendall(b"".join([*parts, frame(Opcode.CONT, b"", False), frame(Opcode.CONT, b"is it", True)]))
    assert wire.read() == ["what is it"]
    theirs.sendall(frame(Opcode.BINARY, b"\0\1", True))
    assert wire.read() == [b"\0\1"]


def test_frames_of_nothing_without_end_are_not_kept(ends: tuple[socket.socket, WebSocketWire]) -> None:
    theirs, wire = ends
    theirs.sendall(frame(Opcode.BINARY, b"\0", False))
    many = frame(Opcode.CONT, b"", False) * 1000
    for _ in range(10):
        theirs.sendall(many)
        assert wire.read() == []
    assert sum(sys.getsizeof(kept) for kept in vars(wire).values()) < 4096


def test_a_peer_that_takes_nothing_is_not_read_and_then_given_up(
    ends: tuple[socket.socket, WebSocketWire], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, wire = ends
    while not wire.full:
        wire.send(bytes(1 << 16))
    theirs.sendall(frame(Opcode.BINARY, b"asked", True))
    assert wire.read() == [] and wire.gone is None
    while wire.full:
        theirs.recv(1 << 20)
        wire.flush()
    assert wire.read() == [b"asked"], "the peer takes again, so the wire reads again"
    while not wire.full:
        wire.send(bytes(1 << 16))
    monkeypatch.setattr(webapp.streams.wire, "SEND_SECONDS", 0.0)
    wire.flush()
    assert (wire.gone, wire.full) == (1006, False)


def test_a_silent_peer_is_asked_and_dead_if_it_does_not_answer(
    ends: tuple[socket.socket, WebSocketWire], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, wire = ends
    monkeypatch.setattr(webapp.streams.wire, "PING_SECONDS", 0.0)
    ping = Frame(Opcode.PING, b"").serialize(mask=False)
    for _ in range(2):
        wire.read()
        wire.read()
        assert theirs.recv(100) == ping, "once"
        theirs.sendall(frame(Opcode.PONG, b"", True))
        assert wire.read() == [] and wire.gone is None
    monkeypatch.setattr(webapp.streams.wire, "ANSWER_SECONDS", 0.0)
    wire.read()
    wire.read()
    assert wire.gone == 1006


def test_the_last_words_reach_a_peer_that_was_slow(
    ends: tuple[socket.socket, WebSocketWire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webapp.streams.wire, "GOODBYE_SECONDS", 60.0)
    theirs, wire = ends
    sent = 0
    while not wire.full:
        wire.send(bytes(1 << 16))
        sent += 1
    wire.close(1012, "come back")
    got = b""
    while not wire.finished():
        theirs.settimeout(1.0)
        if not (data := theirs.recv(1 << 20)):
            theirs.close()
        got += data
    assert len(got) > sent << 16 and got.endswith(b"come back")


def test_a_plain_connection_that_is_closed_in_order_is_told_from_one_that_breaks() -> None:
    for how, code in ((b"", 1000), (struct.pack("ii", 1, 0), 1006)):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            theirs = socket.create_connection(listener.getsockname())
            ours, _ = listener.accept()
        wire = TcpWire(ours)
        theirs.sendall(b"audio")
        if how:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)  # closing resets the connection
        assert wire.read() == [b"audio"]
        theirs.close()
        while wire.gone is None:
            wire.read()
        assert wire.gone == code
        wire.lose()
        while not wire.finished():
            pass
