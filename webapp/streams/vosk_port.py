"""A separate port for vosk-server's clients: any path, no key. The protocol is that of vosk_server.py."""

from __future__ import annotations

import logging
import socket
import time
from urllib.parse import parse_qsl, urlsplit

from websockets.http11 import Request
from websockets.server import ServerProtocol

from state.types import Sender
from webapp.access.origins import is_loopback
from webapp.store import Store
from webapp.streams.events import ProtocolError
from webapp.streams.loop import Line
from webapp.streams.vosk_server import VoskParser, VoskTalk
from webapp.streams.wire import READ_BYTES, WebSocketWire

log = logging.getLogger("earshot.audiosocket")

SENDER = Sender("VOSK_PORT", reads=False)
"""The sender of every call here; nobody can know who it really is. So each client gets the words of its own audio
only."""

HANDSHAKE_SECONDS = 10.0
"""Most seconds that a client may take to ask for a websocket."""


def vosk_line(connection: socket.socket, store: Store) -> Line | None:
    """A client after its handshake; None if it was refused. Raises OSError."""
    request = _shake_hands(connection)
    if request is None:
        return None
    query = dict(parse_qsl(urlsplit(request.path).query))
    try:
        parser = VoskParser(query)
    except ProtocolError as error:
        wire = WebSocketWire(connection)
        wire.close(1007, str(error))
        while not wire.finished():
            time.sleep(0.05)
        return None
    return Line(WebSocketWire(connection), parser, VoskTalk(store, parser, SENDER), True)


def _shake_hands(connection: socket.socket) -> Request | None:
    """The client's request, once it is answered with 101; None if it was refused or never came."""
    protocol = ServerProtocol()
    deadline = time.monotonic() + HANDSHAKE_SECONDS
    request: Request | None = None
    while request is None:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = connection.recv(READ_BYTES)
        except TimeoutError:
            data = b""
        if not data:
            return None
        protocol.receive_data(data)
        if protocol.handshake_exc is not None:
            return None  # no HTTP
        request = next((event for event in protocol.events_received() if isinstance(event, Request)), None)
    origin = request.headers.get("Origin")
    if origin is not None and not is_loopback(urlsplit(origin).netloc):
        response = protocol.reject(403, "Pages of other hosts may not speak here.\n")
    else:
        response = protocol.accept(request)
    protocol.send_response(response)
    for sent in protocol.data_to_send():
        connection.sendall(sent)
    return request if response.status_code == 101 else None
