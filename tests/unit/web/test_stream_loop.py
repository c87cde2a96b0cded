"""The loop serves each socket as if there were no other."""

from __future__ import annotations

import logging
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from websockets.frames import Frame, Opcode

from scripts.machine.programs import free_port
from state.settings import Settings
from webapp.http.problems import Problem
from webapp.streams import serve, tcp
from webapp.streams.events import Event, Message
from webapp.streams.loop import Line, Loop
from webapp.streams.wire import WebSocketWire

PATIENCE_SECONDS = 30.0


class Parser:
    close_ends = True

    def feed(self, message: Message) -> list[Event]:
        raise AssertionError(message)

    def farewell(self) -> list[Message]:
        return ["farewell"]


class Talk:
    """Answers each message with the same message, after `wait`."""

    stopped = False
    call_id = "call"
    due_seconds = 0.0

    def __init__(self, wait: Callable[[], object] = lambda: None) -> None:
        self.wait = wait
        self.ended: list[str] = []

    def take(self, message: Message) -> list[Message]:
        self.wait()
        return [message]

    def tick(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        self.ended.append("stopped")

    def drop(self) -> None:
        self.ended.append("dropped")


class Caller:
    """The other end of a socket on a loop."""

    def __init__(self, loop: Loop, talk: Talk, prompt: bool = False) -> None:
        ours, self.socket = socket.socketpair()
        self.socket.settimeout(PATIENCE_SECONDS)
        assert loop.enter()
        self.line = Line(WebSocketWire(ours), Parser(), talk, prompt)
        loop.adopt(self.line)

    def say(self, data: bytes) -> None:
        self.socket.sendall(Frame(Opcode.BINARY, data).serialize(mask=True))

    def hears(self, text: bytes) -> None:
        """Wait until it hears this text."""
        got = b""
        while text not in got:
            got += (came := self.socket.recv(1 << 16))
            assert came, got


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop(200)
    yield loop
    loop.stop()
    loop.join(PATIENCE_SECONDS)
    assert loop.open == 0


def test_calls_that_wait_for_the_store_hold_up_no_other(loop: Loop) -> None:
    waiting, go_on = threading.Semaphore(0), threading.Event()

    def ask_the_store() -> None:
        waiting.release()
        go_on.wait()

    slow = [Caller(loop, Talk(ask_the_store), prompt=n % 2 == 0) for n in range(150)]
    try:
        for caller in slow:
            caller.say(b"slow")
        assert all(waiting.acquire(timeout=PATIENCE_SECONDS) for _ in slow), "all of them wait at once"
        quick = [Caller(loop, Talk()), Caller(loop, Talk(), prompt=True)]
        for text in (b"one", b"two"):
            for caller in quick:
                caller.say(text)
            for caller in quick:
                caller.hears(text)
    finally:
        go_on.set()
    for caller in slow:
        caller.hears(b"slow")


def test_a_socket_that_goes_wrong_ends_alone(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    talks = [Talk(), Talk(), Talk()]
    broken, other, prompt = (Caller(loop, talk, prompt=n == 2) for n, talk in enumerate(talks))

    def fail() -> list[Message]:
        raise LookupError("broken")

    with caplog.at_level(logging.CRITICAL, "earshot.web.streams"):
        for caller in (broken, prompt):
            monkeypatch.setattr(caller.line.wire, "read", fail)
            caller.say(b"x")
            while caller.socket.recv(1 << 16):
                pass
            caller.socket.close()
    assert [talk.ended for talk in talks] == [["dropped"], [], ["dropped"]]
    other.say(b"on")
    other.hears(b"on")


def test_a_loop_that_stops_takes_what_came_says_farewell_and_takes_nobody_new(loop: Loop) -> None:
    talks = [Talk(), Talk()]
    callers = [Caller(loop, talk, prompt) for talk, prompt in zip(talks, (False, True), strict=True)]
    for caller in callers:
        caller.say(b"last")
    loop.stop()
    assert not loop.enter()
    for caller in callers:
        caller.hears(b"last")
    for caller in callers:
        while caller.socket.recv(1 << 16):
            pass
        caller.socket.close()
    loop.join(PATIENCE_SECONDS)
    assert (loop.open, [talk.ended for talk in talks]) == (0, [["dropped"]] * 2)


def full() -> Loop:
    loop = Loop(1)
    assert loop.enter()
    return loop


def test_a_websocket_gets_503_where_the_loop_is_full() -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    asked = {**upgrade, "Sec-WebSocket-Key": b64encode(bytes(16)).decode()}
    loop = full()
    ours, theirs = socket.socketpair()
    context = Flask("test").test_request_context(headers=asked, environ_overrides={"gunicorn.socket": ours})
    with ours, theirs, context, pytest.raises(Problem) as refused:
        serve.serve(loop, Parser(), Talk())
    loop.leave()
    loop.stop()
    assert refused.value.status == 503 and refused.value.headers["Retry-After"]


def test_a_tcp_connection_is_closed_where_the_loop_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, loop = Settings(audiosocket_port=free_port()), full()
    monkeypatch.setattr(tcp, "check_store_if_there", lambda _settings: None)
    monkeypatch.setattr(tcp, "Loop", lambda: loop)
    stopping = threading.Event()
    server = threading.Thread(target=tcp.serve, args=(settings, stopping))
    server.start()
    try:
        with _reached(settings.audiosocket_port) as caller:
            assert caller.recv(1) == b""
    finally:
        loop.leave()
        stopping.set()
        server.join()


def _reached(port: int) -> socket.socket:
    """A connection to a port that opens soon."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_full_loop_takes_nobody_until_somebody_goes() -> None:
    loop = Loop(2)
    first, _ = Caller(loop, Talk()), Caller(loop, Talk())
    assert not loop.enter()
    first.socket.close()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not loop.enter():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    loop.leave()
    loop.stop()
    loop.join(PATIENCE_SECONDS)
    assert loop.open == 0
