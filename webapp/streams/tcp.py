"""TCP ports for AudioSocket and for vosk-server's clients. Each connection has a thread and a streamed call."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from state.server.opening import check_store_if_there, open_shards
from state.settings import Settings
from state.types import Sender
from webapp.store import Store, open_store
from webapp.streams.audiosocket import AudioSocketParser
from webapp.streams.events import Message
from webapp.streams.serve import converse
from webapp.streams.streamed_call import StreamedCall
from webapp.streams.vosk_port import serve_client
from webapp.streams.wire import READ_BYTES, SEND_SECONDS, Gone

log = logging.getLogger("earshot.audiosocket")

QUIET_SECONDS = 60.0
"""Seconds without a byte after which a connection is dead. Asterisk sends a frame every 20 ms."""

MOST = 1000
"""Most connections at once. Each keeps a thread."""

RETRY_SECONDS = 0.5
"""Seconds between two tries to accept a connection after one has failed."""

SENDER = Sender("AudioSocket", reads=False)
"""The sender of every call here; nobody can know who it really is. It takes over no call of somebody else."""

TURN_SECONDS = 0.5
"""Seconds between two looks whether the process stops."""

STOP_SECONDS = 8.0
"""Most seconds for all connections to put what they hold. A process ends within 10 s of SIGTERM."""


ServeOne = Callable[[socket.socket, Store, Callable[[], bool]], None]


class Door(NamedTuple):
    """A port and who serves a connection to it. names: the settings that say where it is."""

    names: str
    address: str
    port: int
    serve_one: ServeOne


def doors(settings: Settings) -> list[Door]:
    """The ports that are wanted."""
    all_doors = [
        Door(
            "AUDIOSOCKET_ADDRESS, AUDIOSOCKET_PORT",
            settings.audiosocket_address,
            settings.audiosocket_port,
            serve_audiosocket,
        ),
        Door("VOSK_ADDRESS, VOSK_PORT", settings.vosk_address, settings.vosk_port, serve_client),
    ]
    return [door for door in all_doors if door.port]


def serve(settings: Settings, stopping: threading.Event) -> None:
    """Accept connections until told to stop, then let each put what it holds. Raises ServerUnfit, and OSError with the
    settings' names as its filename if it cannot listen there."""
    check_store_if_there(settings)
    store = open_store(settings, open_shards(settings, "web"))
    threads: set[threading.Thread] = set()
    with ExitStack() as open_doors:
        selector = open_doors.enter_context(selectors.DefaultSelector())
        for door in doors(settings):
            selector.register(open_doors.enter_context(_listen(door)), selectors.EVENT_READ, door)
            log.info("listening", extra={"address": door.address, "port": door.port})
        while not stopping.is_set():
            threads = {thread for thread in threads if thread.is_alive()}
            for ready, _ in selector.select(TURN_SECONDS):
                listener, door = ready.fileobj, ready.data
                assert isinstance(listener, socket.socket)
                try:
                    connection, _ = listener.accept()
                except BlockingIOError:  # the caller has gone
                    continue
                except OSError as error:  # no file descriptor is left: those who are here talk on
                    log.warning("a connection was not accepted", extra={"error": repr(error)})
                    stopping.wait(RETRY_SECONDS)
                    continue
                if len(threads) >= MOST:
                    log.warning("no room for another connection")
                    connection.close()
                    continue
                what = (door.serve_one, connection, store, stopping)
                thread = threading.Thread(target=_serve_one, args=what, daemon=True)
                thread.start()
                threads.add(thread)
    deadline = time.monotonic() + STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _listen(door: Door) -> socket.socket:
    try:
        listener = socket.create_server((door.address, door.port))
    except OSError as error:
        raise OSError(error.errno, error.strerror, door.names) from None
    listener.setblocking(False)
    return listener


def _serve_one(serve_one: ServeOne, connection: socket.socket, store: Store, stopping: threading.Event) -> None:
    with connection, contextlib.suppress(OSError):
        serve_one(connection, store, stopping.is_set)


def serve_audiosocket(connection: socket.socket, store: Store, stopping: Callable[[], bool]) -> None:
    """Serve one connection of Asterisk to its end."""
    parser = AudioSocketParser()
    converse(TcpWire(connection), parser, StreamedCall(store, parser, SENDER), stopping)


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
