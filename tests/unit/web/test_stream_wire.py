"""What a stream's socket keeps of frames is bounded, and says what was sent."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest
from websockets.frames import Frame, Opcode

from webapp.streams.wire import Wire


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Wire]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield theirs, Wire(ours, 0.0)


def frame(opcode: Opcode, data: bytes, fin: bool) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def test_a_message_in_many_frames_is_one_message(ends: tuple[socket.socket, Wire]) -> None:
    theirs, wire = ends
    parts = [frame(Opcode.TEXT, b"", False), frame(Opcode.CONT, b"what ", False), frame(Opcode.PING, b"", True)]
    theirs.sendall(b"".join([*parts, frame(Opcode.CONT, b"", False), frame(Opcode.CONT, b"is it", True)]))
    assert wire.receive(1.0) == "what is it"
    theirs.sendall(frame(Opcode.BINARY, b"\0\1", True))
    assert wire.receive(1.0) == b"\0\1"


def test_frames_of_nothing_without_end_are_not_kept(ends: tuple[socket.socket, Wire]) -> None:
    theirs, wire = ends
    theirs.sendall(frame(Opcode.BINARY, b"\0", False))
    many = frame(Opcode.CONT, b"", False) * 1000
    for _ in range(10):
        theirs.sendall(many)
        assert wire.receive(1.0) is None
    assert sum(sys.getsizeof(kept) for kept in vars(wire).values()) < 4096
