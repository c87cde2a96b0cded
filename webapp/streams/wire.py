"""A websocket on the thread that serves it.

The frames are the websockets library's, without its input and output: its loops and Flask's usual wrapper read each
socket in a second thread, the latter into a list without a limit. Here nothing is read before it can be handled: a
sender that is too fast waits in TCP. (simple-websocket's frames, by wsproto, take three times the processor time.)
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol, State
from websockets.utils import accept_key

from webapp.streams.events import Message

MAX_MESSAGE_BYTES = 1 << 20
"""As a chunk over HTTP."""

READ_BYTES = 1 << 16

REST_SECONDS = 0.1
"""Least time between two reads where nobody waits for an answer. Waking a thread costs more than handling a frame of
20 ms, and half a second is joined to a chunk anyway. (Measured with 60 streams: two fifths of the time.)"""

BULK_BYTES = 1 << 14
"""Bytes in one read from which more is waiting. A sender that is faster than speech then need not wait."""

SEND_SECONDS = 5.0
"""Seconds after which a peer that takes nothing is gone."""

PING_SECONDS = 20.0
"""Seconds of silence after which we ping the peer. It also keeps proxies from closing (55 to 60 s)."""

DEAD_SECONDS = 45.0
"""Seconds of silence, without an answer to that, after which the peer is dead."""


class Gone(Exception):
    """The peer closed or died. `code`: of its close frame, or 1006."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with code {code}")
        self.code = code


def handshake(connection: socket.socket, key: str, subprotocol: str | None, prompt: bool) -> Wire:
    """Answer 101 to a checked upgrade request. prompt: somebody waits for answers. Raises OSError."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key)}",
        *([f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol else []),
    ]
    connection.settimeout(SEND_SECONDS)
    connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    return Wire(connection, 0.0 if prompt else REST_SECONDS)


class Wire:
    """The server's end. Used by one thread."""

    def __init__(self, connection: socket.socket, rest_seconds: float) -> None:
        self._socket = connection
        self._rest_seconds = rest_seconds
        self._rest_until = 0.0
        self._protocol = Protocol(SERVER, state=State.OPEN, max_size=MAX_MESSAGE_BYTES)
        self._ready: deque[Message] = deque()
        self._begun: bytearray | None = None  # of a message of which more frames come
        self._text = False
        self._gone: int | None = None
        self._heard_at = self._asked_at = time.monotonic()

    def receive(self, seconds: float) -> Message | None:
        """The next message; None if there is none within so many seconds. Raises Gone."""
        if self._ready:
            return self._ready.popleft()
        if self._gone is None:
            self._read(seconds)
        if self._ready:
            return self._ready.popleft()
        if self._gone is not None:
            raise Gone(self._gone)
        return None

    def send(self, message: Message) -> None:
        """Raises Gone."""
        with contextlib.suppress(InvalidState):  # it is closing: the next receive says so
            if isinstance(message, str):
                self._protocol.send_text(message.encode())
            else:
                self._protocol.send_binary(message)
        self._write()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye, and wait a moment for the peer to have read it."""
        with contextlib.suppress(Gone, OSError, InvalidState):
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))
            self._write()
            self._gone = self._gone or code
            self._socket.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + 1.0
            while (left := deadline - time.monotonic()) > 0:
                self._socket.settimeout(left)
                if not self._socket.recv(READ_BYTES):
                    break

    def _read(self, seconds: float) -> None:
        rest = self._rest_until - time.monotonic()
        if rest > 0:
            time.sleep(rest)
        try:
            data = self._socket_data(seconds)
        except TimeoutError:
            self._ask()
            return
        except OSError:
            data = b""
        self._heard_at = time.monotonic()
        if len(data) < BULK_BYTES:
            self._rest_until = self._heard_at + self._rest_seconds
        if not data:
            self._gone = self._gone or 1006
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._handle(event)
        if self._protocol.state is not State.OPEN:  # it closed, or does not speak websocket: answered already
            told = self._protocol.close_rcvd
            self._gone = self._gone or (told.code if told else None) or self._protocol.close_code or 1006
        with contextlib.suppress(Gone):  # what came before is handled first
            self._write()

    def _socket_data(self, seconds: float) -> bytes:
        try:  # after a rest there is nearly always something: one call of the system less, and one turn of the lock
            self._socket.settimeout(0.0)
            return self._socket.recv(READ_BYTES)
        except BlockingIOError:
            self._socket.settimeout(max(seconds, 0.001))
            return self._socket.recv(READ_BYTES)

    def _handle(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._text = frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            return
        data = bytes(frame.data)
        if self._begun is not None or not frame.fin:
            self._begun = self._begun if self._begun is not None else bytearray()
            self._begun += data  # frames of nothing, without end, add nothing
            if not frame.fin:
                return
            data, self._begun = bytes(self._begun), None
        if not self._text:
            self._ready.append(data)
            return
        try:
            self._ready.append(data.decode())
        except UnicodeDecodeError:
            self._protocol.fail(1007, "text that is not UTF-8")

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._heard_at > DEAD_SECONDS:
            self._gone = 1006
        elif now - max(self._heard_at, self._asked_at) > PING_SECONDS:
            self._asked_at = now
            self._protocol.send_ping(b"")
            self._write()

    def _write(self) -> None:
        """Send what the protocol has to say, answers to pings and closes among it. Raises Gone."""
        try:
            for data in self._protocol.data_to_send():
                if data:
                    self._socket.settimeout(SEND_SECONDS)
                    self._socket.sendall(data)
        except OSError:
            self._gone = self._gone or 1006
            raise Gone(self._gone) from None
