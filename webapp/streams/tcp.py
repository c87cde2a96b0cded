"""The TCP server behind AudioSocket: a thread a connection, each with a session of its own."""

from __future__ import annotations

import logging
import socket
import threading
import time

from state.server.opening import check_store_if_there, open_shards
from state.settings import Settings
from state.types import Sender
from webapp.store import Store, open_store
from webapp.streams.audiosocket import AudioSocketParser
from webapp.streams.events import Message
from webapp.streams.serve import converse
from webapp.streams.session import Session
from webapp.streams.wire import READ_BYTES, SEND_SECONDS, Gone

log = logging.getLogger("earshot.audiosocket")

QUIET_SECONDS = 60.0
"""A connection without a byte for so long is dead: Asterisk sends a frame every 20 ms."""

MOST = 1000
"""Connections at once; each keeps a thread."""

RETRY_SECONDS = 0.5
"""Between two tries to accept a connection after one has failed."""

SENDER = Sender("AudioSocket", reads=False)
"""Who sends here: it cannot be known. No call of somebody else is taken over."""

STOP_SECONDS = 8.0
"""How long all connections may take to put what they hold; SIGTERM is to be obeyed in under 10 s."""


def serve(settings: Settings, stopping: threading.Event) -> None:
    """Accept connections until told to stop, then let each put what it holds. Raises ServerUnfit, and OSError if it
    cannot listen there."""
    check_store_if_there(settings)
    store = open_store(settings, open_shards(settings, "web"))
    threads: set[threading.Thread] = set()
    with socket.create_server((settings.audiosocket_address, settings.audiosocket_port)) as listener:
        listener.settimeout(0.5)
        log.info("listening", extra={"address": settings.audiosocket_address, "port": settings.audiosocket_port})
        while not stopping.is_set():
            threads = {thread for thread in threads if thread.is_alive()}
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError as error:  # no file descriptor is left, or the caller has gone: those who are here talk on
                log.warning("a connection was not accepted", extra={"error": repr(error)})
                stopping.wait(RETRY_SECONDS)
                continue
            if len(threads) >= MOST:
                log.warning("no room for another connection")
                connection.close()
                continue
            thread = threading.Thread(target=_serve_one, args=(connection, store, stopping), daemon=True)
            thread.start()
            threads.add(thread)
    deadline = time.monotonic() + STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _serve_one(connection: socket.socket, store: Store, stopping: threading.Event) -> None:
    parser = AudioSocketParser()
    with connection:
        converse(TcpWire(connection), parser, Session(store, parser, SENDER), stopping.is_set)


class TcpWire:
    """A connection as serve.converse wants it: pieces of bytes are its messages; closed in order, it has code 1000."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._quiet = 0.0

    def receive(self, seconds: float) -> Message | None:
        """Whatever came; None if nothing did. Raises Gone."""
        self._socket.settimeout(seconds)
        try:
            data = self._socket.recv(READ_BYTES)
        except TimeoutError:
            self._quiet += seconds
            if self._quiet > QUIET_SECONDS:
                raise Gone(1006) from None
            return None
        except OSError:
            raise Gone(1006) from None
        if not data:
            raise Gone(1000)
        self._quiet = 0.0
        return data

    def send(self, message: Message) -> None:
        """Raises Gone."""
        try:
            self._socket.settimeout(SEND_SECONDS)
            self._socket.sendall(message.encode() if isinstance(message, str) else message)
        except OSError:
            raise Gone(1006) from None

    def close(self, code: int = 1000, reason: str = "") -> None:
        """There is no word for it; the caller closes the connection."""
