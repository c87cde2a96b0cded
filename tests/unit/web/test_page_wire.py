"""A page's websocket sends a whole message or nothing more, and takes no more messages than a page sends."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, Protocol, State

from webapp.http.upgrade import is_upgrade
from webapp.page import page_wire
from webapp.page.page_wire import PageWire, framed

UPGRADE = {
    "REQUEST_METHOD": "GET",
    "HTTP_CONNECTION": "keep-alive, Upgrade",
    "HTTP_UPGRADE": "websocket",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
    "HTTP_SEC_WEBSOCKET_KEY": "AAAAAAAAAAAAAAAAAAAAAA==",
}
PATIENCE_SECONDS = 30


@contextmanager
def wired(handler: Callable[[PageWire], object], **environ: str) -> Iterator[socket.socket]:
    """The page's end of a TCP connection with small buffers, after the handshake. `handler` gets the other end."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as page:
        page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        page.settimeout(PATIENCE_SECONDS)
        page.connect(listening.getsockname())
        server, _ = listening.accept()
        wire = PageWire(handler, None)
        thread = threading.Thread(target=wire, args=({**UPGRADE, **environ, "gunicorn.socket": server}, None))
        thread.start()
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += page.recv(1)
        assert answer.startswith(b"HTTP/1.1 101")
        try:
            yield page
        finally:
            page.close()
            thread.join(PATIENCE_SECONDS)
            server.close()
        assert not thread.is_alive()


class Reader:
    """What a page reads from the bytes that it gets."""

    def __init__(self, deflated: bool = False) -> None:
        self._protocol = Protocol(CLIENT, state=State.OPEN, max_size=None)
        if deflated:
            self._protocol.extensions = [PerMessageDeflate(True, True, 15, 15)]
        self.messages: list[str] = []

    def take(self, data: bytes) -> None:
        """Raises the library's error for bytes that are no frames."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self.messages.append(bytes(event.data).decode())
        if self._protocol.parser_exc is not None:
            raise self._protocol.parser_exc


def noise(length: int) -> str:
    """A text that compression hardly shortens."""
    return "".join(random.Random(length).choices("0123456789abcdefghijklmnopqrstuvwxyz", k=length))


def read_slowly(page: socket.socket, piece: int, pause_s: float) -> Reader:
    reader = Reader()
    while data := page.recv(piece):
        reader.take(data)
        time.sleep(pause_s)
    return reader


def test_a_slow_page_gets_every_message_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message takes longer than the time after which a page without progress counts as gone."""
    monkeypatch.setattr(page_wire, "STALLED_SECONDS", 1)
    said = [noise(1_500_000), noise(3), noise(1_500_000)]

    def handler(wire: PageWire) -> None:
        for message in said:
            wire.send(message)

    with wired(handler) as page:
        assert read_slowly(page, 4096, 0.004).messages == said


def test_after_half_a_message_comes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_wire, "STALLED_SECONDS", 1)
    refused: list[OSError] = []

    def handler(wire: PageWire) -> None:
        for message in (noise(3_000_000), "the next one"):
            try:
                wire.send(message)
            except OSError as error:
                refused.append(error)

    with wired(handler) as page:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(refused) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(refused) == 2
        assert read_slowly(page, 1 << 16, 0.0).messages == []


def test_a_message_that_is_never_taken_whole_ends_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """This holds even while the page takes a little all the time."""
    monkeypatch.setattr(page_wire, "MESSAGE_SECONDS", 1)
    refused: list[OSError] = []

    def handler(wire: PageWire) -> None:
        try:
            wire.send(noise(5_000_000))
        except OSError as error:
            refused.append(error)

    with wired(handler) as page:
        assert read_slowly(page, 4096, 0.02).messages == []
    assert isinstance(refused[0], TimeoutError)


def client_frame(text: bytes, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    return Frame(opcode, text, fin=fin).serialize(mask=True)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (client_frame(b"2") * 2 * page_wire.FRAMES_A_MINUTE, 1008),
        (Frame(Opcode.PING, b"").serialize(mask=True) * 2 * page_wire.FRAMES_A_MINUTE, 1008),
        (client_frame(b"4", Opcode.BINARY), 1003),
        (client_frame(b"4", fin=False), 1003),
        (client_frame(b"\xff"), 1007),
        (client_frame(b"4" * 5000), 1009),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
    ids=["a flood", "a flood of pings", "binary", "fragments", "no UTF-8", "too long", "no frame"],
)
def test_who_does_not_speak_like_a_page_is_cut_off(sent: bytes, code: int) -> None:
    heard: list[str] = []

    def handler(wire: PageWire) -> None:
        while (message := wire.wait()) is not None:
            heard.append(message)

    with wired(handler) as page:
        page.sendall(sent)
        answer = b""
        while data := page.recv(4096):
            answer += data
    assert code.to_bytes(2, "big") in answer
    assert len(heard) <= page_wire.FRAMES_A_MINUTE


def test_a_socket_that_does_not_say_whose_it_is_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_wire, "INTRODUCTION_SECONDS", 0)
    said: list[str | None] = []
    with wired(lambda wire: said.append(wire.wait())) as page:
        page.sendall(client_frame(b"3"))
        while page.recv(100):
            pass
    assert said == [None]


def test_a_handler_that_fails_leaves_no_socket_behind() -> None:
    class EngineSocket:
        closed: Any = None

        def handle(self, _wire: PageWire) -> None:
            raise ValueError("the first letter is no number")

        def close(self, **how: bool) -> None:
            self.closed = how

    engine_socket = EngineSocket()
    with wired(engine_socket.handle) as page:
        while page.recv(100):
            pass
    assert engine_socket.closed == {"wait": False, "abort": True}


@pytest.mark.parametrize(
    ("offered", "deflated"),
    [
        ("permessage-deflate; client_max_window_bits", True),
        ("permessage-deflate", True),
        ("permessage-deflate; server_max_window_bits=10", False),
        ("x-unknown, permessage-deflate", True),
        ("permessage-deflate; nonsense=1", False),
        (";;;", False),
        ("", False),
    ],
)
def test_frames_are_compressed_for_those_who_can_read_them(offered: str, deflated: bool) -> None:
    said = ["short", "the same words again and again, " * 100]

    def handler(wire: PageWire) -> None:
        for message in said:
            wire.send(message)

    with wired(handler, HTTP_SEC_WEBSOCKET_EXTENSIONS=offered) as page:
        data = b""
        while more := page.recv(4096):
            data += more
    reader = Reader(deflated)
    reader.take(data)
    assert reader.messages == said
    assert (len(data) < 1000) == deflated


def test_the_same_frame_does_for_all_pages() -> None:
    message = noise(10_000)
    assert framed(message, True) is framed("".join(message), True)
    assert framed(message, True) != framed(message, False)


@pytest.mark.parametrize("name", list(UPGRADE))
def test_what_is_no_upgrade_is_known(name: str) -> None:
    assert is_upgrade(UPGRADE)
    assert not is_upgrade({**UPGRADE, name: "other"})
