"""TCP ports for AudioSocket and for vosk-server's clients. Each connection is a line of the loop."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

from state.server.opening import check_store_if_there, open_shards
from state.settings import Settings
from state.types import Sender
from webapp.accepting import Entrance
from webapp.store import Store, open_store
from webapp.streams.audiosocket import AudioSocketParser
from webapp.streams.loop import Line, Loop
from webapp.streams.streamed_call import StreamedCall
from webapp.streams.vosk_port import vosk_line
from webapp.streams.wire import TcpWire

log = logging.getLogger("earshot.audiosocket")

SENDER = Sender("AudioSocket", reads=False)
"""The sender of every call here; nobody can know who it really is. It takes over no other sender's call."""

TURN_SECONDS = 0.5
"""Seconds between two looks whether the process stops."""

STOP_SECONDS = 8.0
"""Most seconds for all connections to put what they hold. A process ends within 10 s of SIGTERM."""


MakeLine = Callable[[socket.socket, Store], Line | None]
"""Makes a line of a connection; None if it was refused. It may wait for the client. Raises OSError."""


class Door(NamedTuple):
    """A port, and what makes a line of its connections. names: the settings that say where it is."""

    names: str
    address: str
    port: int
    line: MakeLine


def doors(settings: Settings) -> list[Door]:
    """The ports in the settings."""
    all_doors = [
        Door(
            "AUDIOSOCKET_ADDRESS, AUDIOSOCKET_PORT",
            settings.audiosocket_address,
            settings.audiosocket_port,
            audiosocket_line,
        ),
        Door("VOSK_ADDRESS, VOSK_PORT", settings.vosk_address, settings.vosk_port, vosk_line),
    ]
    return [door for door in all_doors if door.port]


def serve(settings: Settings, stopping: threading.Event) -> None:
    """Accept connections until told to stop, then let each put its audio. Raises ServerUnfit, and OSError with the
    settings' names as its filename if it cannot listen there."""
    check_store_if_there(settings)
    store = open_store(settings, open_shards(settings, "web"))
    loop = Loop()
    greeters = ThreadPoolExecutor(loop.most, "greeter")
    entrance = Entrance(stopping.wait)
    with ExitStack() as open_doors:
        selector = open_doors.enter_context(selectors.DefaultSelector())
        for door in doors(settings):
            selector.register(open_doors.enter_context(_listen(door)), selectors.EVENT_READ, door)
            log.info("listening", extra={"address": door.address, "port": door.port})
        while not stopping.is_set():
            for ready, _ in selector.select(TURN_SECONDS):
                listener, door = ready.fileobj, ready.data
                assert isinstance(listener, socket.socket)
                accepted = entrance.accept(listener)
                if accepted is None:
                    continue
                connection, _ = accepted
                if not loop.enter():
                    log.warning("no room for another connection")
                    connection.close()
                    continue
                greeters.submit(_greet, door.line, connection, store, loop)
    loop.stop()
    loop.join(STOP_SECONDS)


def _listen(door: Door) -> socket.socket:
    try:
        listener = socket.create_server((door.address, door.port))
    except OSError as error:
        raise OSError(error.errno, error.strerror, door.names) from None
    listener.setblocking(False)
    return listener


def _greet(make: MakeLine, connection: socket.socket, store: Store, loop: Loop) -> None:
    try:
        line = make(connection, store)
    except OSError:
        line = None
    except Exception:
        log.exception("a connection failed")
        line = None
    if line is None:
        connection.close()
        loop.leave()
    else:
        loop.adopt(line)


def audiosocket_line(connection: socket.socket, store: Store) -> Line:
    """A connection of Asterisk. It gets an answer to every frame at once."""
    parser = AudioSocketParser()
    return Line(TcpWire(connection), parser, StreamedCall(store, parser, SENDER), True)
