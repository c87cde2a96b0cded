"""A websocket on the thread that serves it.

The frames are wsproto's; the loop is ours, because the usual wrapper reads each socket in a thread of its own into
a list without a limit. Here nothing is read before it can be handled: a sender that is too fast waits in TCP.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque
from collections.abc import Sequence

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError, generate_accept_token

from webapp.streams.events import Message

MAX_MESSAGE_BYTES = 1 << 20
"""As a chunk over HTTP."""

READ_BYTES = 1 << 16

REST_SECONDS = 0.1
"""Least time between two reads where nobody waits for an answer. Waking a thread costs more than handling a frame of
20 ms, and half a second is joined to a chunk anyway. (Measured: a third of the processor time.)"""

BULK_BYTES = 1 << 14
"""With so much in one read more is waiting: a sender that is faster than speech is not slowed down."""

SEND_SECONDS = 5.0
"""A peer that takes nothing for so long is gone."""

PING_SECONDS = 20.0
"""After so long without a word the peer is asked whether it lives; also keeps proxies from closing (55 to 60 s)."""

DEAD_SECONDS = 45.0
"""After so long without a word, or an answer to that, it is dead."""


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
        f"Sec-WebSocket-Accept: {generate_accept_token(key.encode('latin-1')).decode('ascii')}",
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
        self._protocol = Connection(ConnectionType.SERVER)
        self._ready: deque[Message] = deque()
        self._parts: list[Message] = []
        self._size = 0
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
        event = TextMessage(message) if isinstance(message, str) else BytesMessage(message)
        self._send(event)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye, and wait a moment for the peer to have read it."""
        with contextlib.suppress(Gone, OSError):
            self._send(CloseConnection(code, reason.encode()[:120].decode(errors="ignore")))
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
            self._socket.settimeout(max(seconds, 0.001))
            data = self._socket.recv(READ_BYTES)
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
        try:
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                self._handle(event)
        except (RemoteProtocolError, LocalProtocolError):
            self._gone = self._gone or 1002

    def _handle(self, event: object) -> None:
        if self._gone is not None:
            return
        if isinstance(event, TextMessage | BytesMessage):
            self._size += len(event.data)
            if self._size > MAX_MESSAGE_BYTES:
                self.close(1009, "message too big")
                self._gone = 1009
                return
            data = event.data if isinstance(event, TextMessage) else bytes(event.data)
            if event.message_finished and not self._parts:
                self._ready.append(data)
            else:
                self._parts.append(data)
                if not event.message_finished:
                    return
                self._ready.append(_joined(self._parts))
                self._parts = []
            self._size = 0
        elif isinstance(event, Ping):
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            with contextlib.suppress(Gone):
                self._send(event.response())
            self._gone = int(event.code)

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._heard_at > DEAD_SECONDS:
            self._gone = 1006
        elif now - max(self._heard_at, self._asked_at) > PING_SECONDS:
            self._asked_at = now
            self._send(Ping())

    def _send(self, event: TextMessage | BytesMessage | Ping | Pong | CloseConnection) -> None:
        try:
            self._socket.settimeout(SEND_SECONDS)
            self._socket.sendall(self._protocol.send(event))
        except (OSError, LocalProtocolError):
            self._gone = self._gone or 1006
            raise Gone(self._gone) from None


def _joined(parts: Sequence[Message]) -> Message:
    if isinstance(parts[0], str):
        return "".join(part for part in parts if isinstance(part, str))
    return b"".join(part for part in parts if isinstance(part, bytes))
