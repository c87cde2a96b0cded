"""A websocket, and a TCP connection in its place, for the loop: neither ever waits.

The websockets library makes the frames, without its input and output. Nobody reads before a message can be handled, so
a sender that is too fast waits in TCP.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Protocol as Interface

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol, State
from websockets.utils import accept_key

from webapp.streams.events import Message

MAX_MESSAGE_BYTES = 1 << 20
"""Most bytes of a message, as of a chunk over HTTP."""

READ_BYTES = 1 << 16

SEND_SECONDS = 5.0
"""Seconds without taking anything after which a peer is gone."""

PING_SECONDS = 20.0
"""Seconds of silence after which we ping the peer. It also keeps proxies from closing (55 to 60 s)."""

ANSWER_SECONDS = 25.0
"""Seconds without a byte after that, until the peer is dead."""

QUIET_SECONDS = 60.0
"""Seconds without a byte after which a TCP connection is dead. Asterisk sends a frame every 20 ms."""

GOODBYE_SECONDS = 1.0
"""Most seconds for a peer to take the last words and to close."""

IN_ORDER = (1000, 1005)
"""Close codes of a sender that has finished: with 1000, or without any. One that goes away (1001) may come back."""


class Wire(Interface):
    """The server's end of a connection. Used by one thread; nothing raises. `gone`: the close code once nothing more
    comes, 1006 if the peer said none."""

    gone: int | None

    @property
    def full(self) -> bool:
        """Whether the peer has not taken all sent bytes. Until it has, nobody reads more from it."""
        ...

    def fileno(self) -> int: ...

    def read(self) -> list[Message]:
        """The messages that have come. Call it ten times a second until `gone`: it also notices a dead peer."""
        ...

    def send(self, message: Message) -> None:
        """Send it as soon as the peer takes it."""
        ...

    def flush(self) -> None:
        """Send the bytes that the peer did not take before."""
        ...

    def lose(self) -> None:
        """Give the peer up."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Say goodbye."""
        ...

    def finished(self) -> bool:
        """Whether the goodbye has ended. Call it until it has."""
        ...


class _Connection:
    """A socket that never waits, and the bytes that its peer has not taken yet."""

    _end = 1006  # the code of an end without a word

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._unsent = bytearray()
        self._taken_at = 0.0
        self._heard_at = time.monotonic()
        self._close_by: float | None = None
        self.gone: int | None = None

    @property
    def full(self) -> bool:
        """See Wire.full."""
        return bool(self._unsent)

    def fileno(self) -> int:
        return self._socket.fileno()

    def flush(self) -> None:
        """See Wire.flush."""
        if self._unsent:
            self._push(b"")

    def lose(self) -> None:
        """See Wire.lose."""
        self.gone = self.gone or 1006
        self._unsent.clear()

    def finished(self) -> bool:
        """See Wire.finished. It reads the peer's last bytes and throws them away."""
        now = time.monotonic()
        if self._close_by is None:
            self._close_by = now + GOODBYE_SECONDS
        self.flush()
        try:
            if not self._unsent:
                self._socket.shutdown(socket.SHUT_WR)
            at_end = not self._socket.recv(READ_BYTES)
        except BlockingIOError:
            at_end = False
        except OSError:
            at_end = True
        if at_end or now >= self._close_by:
            self._socket.close()
            return True
        return False

    def _receive(self) -> bytes:
        """The bytes that came; empty if none did."""
        if self._unsent:
            return b""
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            self._wait(time.monotonic())
            return b""
        except OSError:
            self.lose()
            return b""
        self._heard_at = time.monotonic()
        if not data:
            self.gone = self._end
        return data

    def _wait(self, now: float) -> None:
        """Nothing has come."""

    def _push(self, data: bytes) -> None:
        """Send, or keep the bytes that the peer does not take yet."""
        now = time.monotonic()
        if not self._unsent:
            self._taken_at = now
        self._unsent += data
        try:
            del self._unsent[: self._socket.send(self._unsent)]
            self._taken_at = now
        except BlockingIOError:
            if now - self._taken_at > SEND_SECONDS:
                self.lose()
        except OSError:
            self.lose()


class WebSocketWire(_Connection):
    """A websocket after its handshake."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self._protocol = Protocol(SERVER, state=State.OPEN, max_size=MAX_MESSAGE_BYTES)
        self._begun: bytearray | None = None  # of a message of which more frames come
        self._text = False
        self._asked_at = 0.0

    def read(self) -> list[Message]:
        """See Wire.read."""
        data = self._receive()
        if not data:
            return []
        self._protocol.receive_data(data)
        ready: list[Message] = []
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._handle(event, ready)
        self._say()  # answers to pings and closes
        if self._protocol.state is not State.OPEN:  # it closed, or does not speak websocket: answered already
            told = self._protocol.close_rcvd
            self.gone = (told.code if told else None) or self._protocol.close_code or 1006
        return ready

    def send(self, message: Message) -> None:
        """See Wire.send."""
        with contextlib.suppress(InvalidState):  # it is closing: the next read says so
            if isinstance(message, str):
                self._protocol.send_text(message.encode())
            else:
                self._protocol.send_binary(message)
        self._say()

    def close(self, code: int, reason: str) -> None:
        """See Wire.close."""
        if self.gone is None and self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))
            self._say()

    def _wait(self, now: float) -> None:
        if self._asked_at > self._heard_at:
            if now - self._asked_at > ANSWER_SECONDS:
                self.lose()
        elif now - self._heard_at > PING_SECONDS:
            self._asked_at = now
            self._protocol.send_ping(b"")
            self._say()

    def _handle(self, frame: Frame, ready: list[Message]) -> None:
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
            ready.append(data)
            return
        try:
            ready.append(data.decode())
        except UnicodeDecodeError:
            self._protocol.fail(1007, "text that is not UTF-8")

    def _say(self) -> None:
        """Send the protocol's own frames."""
        if data := b"".join(self._protocol.data_to_send()):
            self._push(data)


class TcpWire(_Connection):
    """A plain connection: pieces of bytes are its messages. There is no message for closing: closed properly, it has
    code 1000."""

    _end = 1000

    def read(self) -> list[Message]:
        """See Wire.read."""
        data = self._receive()
        return [data] if data else []

    def send(self, message: Message) -> None:
        """See Wire.send."""
        self._push(message.encode() if isinstance(message, str) else message)

    def close(self, code: int, reason: str) -> None:
        """See Wire.close."""

    def _wait(self, now: float) -> None:
        if now - self._heard_at > QUIET_SECONDS:
            self.lose()


def handshake(connection: socket.socket, key: str, subprotocol: str | None) -> WebSocketWire:
    """Answer 101 to a checked upgrade request. Raises OSError."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key)}",
        *([f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol else []),
    ]
    connection.settimeout(SEND_SECONDS)
    connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    return WebSocketWire(connection)
