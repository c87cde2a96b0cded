"""The websocket under a page's Socket.IO: one thread reads, one writes, and no message is ever cut short.

Engine.IO's usual socket sends what the system takes and drops the rest; the next frame then begins in the middle of the
last. It also compresses the same message again for every page. This one sends a message whole or closes the socket. No
message depends on an earlier one's compression, so one frame serves all pages. The websockets library makes the frames,
as in streams/wire.py.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from flask_socketio import SocketIO
from websockets.exceptions import InvalidHeader, NegotiationError
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.headers import build_extension, parse_extension
from websockets.protocol import SERVER, Protocol, State
from websockets.utils import accept_key

log = logging.getLogger("earshot.web")

WIRE = "earshot.wire"
"""Name of a page's PageWire in the WSGI environment of its socket."""

STALLED_SECONDS = 10
"""Seconds without taking anything after which a page counts as gone (a closed laptop). Others need its thread."""

MESSAGE_SECONDS = 60
"""At most so many seconds for one message; then the socket closes. The largest have some 50 kB compressed: less than
1 kB/s."""

SILENT_SECONDS = 45
"""Seconds of silence after which a page counts as gone. It answers a ping every 20 s."""

INTRODUCTION_SECONDS = 15
"""Seconds a socket has to say whose page it is. After that its next message closes it: nobody could ask it to leave."""

SEND_BUFFER_BYTES = 1 << 16
"""Bytes that the system holds for a slow page (Linux takes twice as much). More bytes would only make its news
older."""

PIECE_BYTES = 1 << 16
READ_BYTES = 1 << 12

MAX_MESSAGE_BYTES = 4096
"""At most so many bytes in a page's message. A page only sends `follow` with a cursor, and answers pings."""

FRAMES_A_MINUTE = 60
"""At most so many messages of a page in a minute; then the socket closes. A page sends about four, a few more on a bad
link."""

WORTH_DEFLATING = 512
"""Characters below which a message goes uncompressed: compressing would cost more than it saves."""

KEPT_FRAMES = 16


def install(socketio: SocketIO) -> None:
    """Make Socket.IO use this websocket. Engine.IO has no public place for it; its version is pinned."""
    engine: Any = socketio.server.eio
    engine._async = {**engine._async, "websocket": PageWire}


class _Over:
    """What the socket's request returns at its end: nothing is left to answer."""

    def __iter__(self) -> Iterator[bytes]:
        raise StopIteration  # to gunicorn this means: close the connection


class PageWire:
    """The server's end of one page's websocket, as Engine.IO wants it."""

    def __init__(self, handler: Callable[[PageWire], object], _server: object) -> None:
        self._handler = handler
        self._lock = threading.Lock()
        self._ready: deque[str] = deque()
        self._minute, self._frames = time.monotonic(), 0
        self._open = False
        self._began = time.monotonic()
        self.introduced = False
        """Whether Socket.IO knows who is at the other end (live.py says so)."""
        self.sending = False
        """Whether the page has not yet taken the last message."""

    def __call__(self, environ: dict[str, Any], _start_response: object) -> _Over:
        self._socket: socket.socket = environ.get("gunicorn.socket") or environ["werkzeug.socket"]
        self._protocol = Protocol(SERVER, state=State.OPEN, max_size=MAX_MESSAGE_BYTES)
        environ[WIRE] = self
        try:
            self._shake_hands(environ)
        except OSError as error:
            log.info("a page went before its socket was open", extra={"error": repr(error)})
        try:
            self._handler(self)
        except Exception as error:  # Engine.IO reads some messages outside its own safeguards
            log.info("a page's socket is closed", extra={"error": repr(error)})
        self.close()
        engine_socket: Any = getattr(self._handler, "__self__", None)
        if engine_socket is not None:
            engine_socket.close(wait=False, abort=True)
        return _Over()

    def wait(self) -> str | None:
        """The page's next message. None when no more come."""
        while not self._ready:
            if not self._open:
                return None
            try:
                data = self._socket.recv(READ_BYTES)
            except OSError:
                data = b""
            late = not self.introduced and time.monotonic() > self._began + INTRODUCTION_SECONDS
            if not data or late:
                self.cut()
                return None
            self._receive(data)
        return self._ready.popleft()

    def send(self, message: str | bytes) -> None:
        """Send all of a message. Raises OSError, and then the socket is closed."""
        if isinstance(message, bytes):
            raise OSError("nothing binary is told to pages")
        self._put(framed(message, self._deflates))

    def close(self) -> None:
        """Say goodbye if no message is on its way, and end both directions."""
        if self._open and not self.sending:
            with contextlib.suppress(OSError):
                self._put(Frame(Opcode.CLOSE, Close(CloseCode.NORMAL_CLOSURE, "").serialize()).serialize(mask=False))
        self.cut()

    def cut(self) -> None:
        """End both directions at once. That wakes the reader and the writer."""
        self._open = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _shake_hands(self, environ: Mapping[str, Any]) -> None:
        self._deflates = False
        extension, agreed = _negotiated(environ.get("HTTP_SEC_WEBSOCKET_EXTENSIONS", ""))
        if extension is not None:
            self._deflates = True
            self._protocol.extensions = [extension]
        for option, value in (
            (socket.SO_RCVTIMEO, struct.pack("ll", SILENT_SECONDS, 0)),
            (socket.SO_SNDBUF, SEND_BUFFER_BYTES),
        ):
            self._socket.setsockopt(socket.SOL_SOCKET, option, value)
        if hasattr(socket, "TCP_USER_TIMEOUT") and self._socket.family in (socket.AF_INET, socket.AF_INET6):  # Linux
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 3 * STALLED_SECONDS * 1000)
        lines = [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {accept_key(environ['HTTP_SEC_WEBSOCKET_KEY'])}",
            *([f"Sec-WebSocket-Extensions: {agreed}"] if agreed else []),
        ]
        self._writable = select.poll()
        self._writable.register(self._socket, select.POLLOUT)
        self._open = True
        self._put("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def _receive(self, data: bytes) -> None:
        with self._lock:
            self._protocol.receive_data(data)
            for event in self._protocol.events_received():
                if not self._may_say_more():
                    break
                if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                    self._take(event)
            answer = self._said()
            over = self._protocol.state is not State.OPEN
        with contextlib.suppress(OSError):
            self._put(answer)
        if over:
            self.cut()

    def _take(self, frame: Frame) -> None:
        if not frame.fin or frame.opcode is not Opcode.TEXT:
            self._protocol.fail(1003, "a page says short texts only")
            return
        try:
            self._ready.append(bytes(frame.data).decode())
        except UnicodeDecodeError:
            self._protocol.fail(1007, "text that is not UTF-8")

    def _may_say_more(self) -> bool:
        now = time.monotonic()
        if now - self._minute > 60:
            self._minute, self._frames = now, 0
        self._frames += 1
        if self._frames <= FRAMES_A_MINUTE:
            return True
        log.warning("a page says too much; its socket is closed")
        self._protocol.fail(1008, "too many messages")
        return False

    def _said(self) -> bytes:
        return b"".join(self._protocol.data_to_send())

    def _put(self, data: bytes) -> None:
        """Send all of it, or close the socket: after half a frame the next one would be nonsense."""
        if not data:
            return
        with self._lock:
            if not self._open:
                raise OSError("the socket is closed")
            self.sending = True
            try:
                deadline = time.monotonic() + MESSAGE_SECONDS
                left = memoryview(data)
                while left:
                    try:
                        left = left[self._socket.send(left[:PIECE_BYTES], socket.MSG_DONTWAIT) :]
                    except BlockingIOError:
                        patience = min(STALLED_SECONDS, deadline - time.monotonic())
                        if patience <= 0 or not self._writable.poll(1000 * patience):
                            raise TimeoutError("the page takes nothing, or too little") from None
            except OSError as error:
                log.info("a page takes nothing any more; its socket is closed", extra={"error": repr(error)})
                self.cut()
                raise
            finally:
                self.sending = False


def _negotiated(offered: str) -> tuple[PerMessageDeflate | None, str]:
    """The compression that a page offers, if all pages can share its frames, and the answer that accepts it."""
    factory = ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)
    with contextlib.suppress(InvalidHeader, NegotiationError):
        for name, parameters in parse_extension(offered) if offered else []:
            if name == PerMessageDeflate.name:
                agreed, extension = factory.process_request_params(parameters, [])
                if extension.local_max_window_bits == 15:
                    return extension, build_extension([(name, agreed)])
    return None, ""


_framing = threading.Lock()


def framed(message: str, deflates: bool) -> bytes:
    """A message as a frame. One thread at a time: if a hundred want the same frame, they wait for the first."""
    if len(message) < WORTH_DEFLATING:
        return _frame(message, deflates=False)
    with _framing:
        return _kept_frame(message, deflates)


def forget_frames() -> None:
    """Drop the kept frames: nobody needs them, and they hold words."""
    _kept_frame.cache_clear()


def _frame(message: str, deflates: bool) -> bytes:
    extensions = [PerMessageDeflate(True, True, 15, 15, {"level": 3})] if deflates else []
    return Frame(Opcode.TEXT, message.encode()).serialize(mask=False, extensions=extensions)


_kept_frame = lru_cache(KEPT_FRAMES)(_frame)
