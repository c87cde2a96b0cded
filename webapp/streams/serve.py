"""From a request to a socket and through its life: handshake, loop, and how it ends."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import redis
from flask import Response, current_app, g, request

from state import metrics
from state.calls.streams import OtherSender
from webapp.access.identity import still_in
from webapp.http import upgrade
from webapp.http.problems import Problem, invalid
from webapp.streams.events import Message, Parser, ProtocolError
from webapp.streams.streamed_call import TryLater
from webapp.streams.wire import Gone, handshake
from webapp.streams.writer import CallEnded, Superseded

log = logging.getLogger("earshot.web.streams")

TURN_SECONDS = 1.0
"""Most seconds to wait for a message. Then the thread looks whether the process stops."""

IN_ORDER = (1000, 1005)
"""Close codes of a sender that has finished: with 1000, or without any. One that goes away (1001) may come back."""

WELCOME_SECONDS = 5.0
"""Seconds between two looks whether a socket's key is still good."""

SUBPROTOCOLS = ("audio.drachtio.org", "audio.jambonz.org", "media")
"""Subprotocols of mod_audio_fork, jambonz and Asterisk. They close the socket if they do not get theirs."""


class Talk(Protocol):
    """What happens on a socket: a StreamedCall, or one that answers with what the fleet has heard."""

    @property
    def stopped(self) -> bool: ...

    @property
    def call_id(self) -> str | None: ...

    def take(self, message: Message) -> list[Message]: ...

    def tick(self) -> None: ...

    def stop(self) -> None: ...

    def drop(self) -> None: ...


class AnyWire(Protocol):
    """A websocket, or a TCP connection."""

    def receive(self, seconds: float) -> Message | None: ...

    def send(self, message: Message) -> None: ...

    def close(self, code: int = 1000, reason: str = "") -> None: ...


class Sockets:
    """The open sockets of this process. It counts them, because each keeps a thread, and tells them when it stops."""

    def __init__(self) -> None:
        self.open = 0
        self.most = 0
        self.others: Callable[[], int] = lambda: 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Every socket closes within a second or two. Safe in a signal handler."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def enter(self) -> bool:
        """Take a place. Returns False if none is free or this process stops."""
        with self._lock:
            if self.stopping or self.open + self.others() >= self.most:
                return False
            self.open += 1
            metrics.STREAMS.inc()
            return True

    def leave(self) -> None:
        with self._lock:
            self.open -= 1
            metrics.STREAMS.dec()


class Served(Response):
    """What a view returns after its socket's end: there is nothing left to answer."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        raise StopIteration  # gunicorn takes it for: close the connection


def upgrade_checked() -> str:
    """The key of a websocket upgrade. Raises Problem 400 or 426 if the request is none."""
    if not upgrade.asks(request.environ):
        raise Problem(
            426, "upgrade", "This is a websocket's address.", headers={"Upgrade": "websocket", "Connection": "Upgrade"}
        )
    if not upgrade.is_known(request.environ):
        raise Problem(426, "upgrade", "Only websocket version 13 is known.", headers={"Sec-WebSocket-Version": "13"})
    key = upgrade.key_of(request.environ)
    if not upgrade.KEY.fullmatch(key):
        raise invalid("Sec-WebSocket-Key", "is not 16 bytes in base64")
    return key


def serve(sockets: Sockets, parser: Parser, talk: Talk, prompt: bool = False) -> Response:
    """Serve one socket to its end; prompt: its sender waits for answers.

    Raises Problem before the handshake, nothing after it.
    """
    key = upgrade_checked()
    environ = request.environ
    connection: socket.socket | None = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is None:
        raise Problem(501, "no_socket", "This server cannot open websockets.")
    if not sockets.enter():
        raise Problem(503, "busy", "This process has no room for another socket.", retry=True)
    try:
        asked = [word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        granted = next((word for word in asked if word in SUBPROTOCOLS), None)
        with contextlib.suppress(OSError):
            wire = handshake(connection, key, granted, prompt)
            converse(wire, parser, talk, lambda: sockets.stopping, _is_welcome)
    finally:
        sockets.leave()
    return Served()


def _is_welcome() -> bool:
    """Whether the sender of this request may still send. A signature is good as long as its socket."""
    who = g.get("identity")
    try:
        return who is None or still_in(current_app, who)
    except redis.RedisError:
        return True  # the call says so itself if that goes on


def hang_up(talk: Talk) -> None:
    """The sender has closed in order, which ends the call."""
    try:
        talk.stop()
    except (CallEnded, Superseded, OtherSender, ProtocolError, TryLater, redis.RedisError) as error:
        log.info("a closed socket's last audio was not taken", extra={"call_id": talk.call_id, "why": repr(error)})


def converse(
    wire: AnyWire, parser: Parser, talk: Talk, stopping: Callable[[], bool], welcome: Callable[[], bool] = lambda: True
) -> None:
    """Take messages until one of the two sides ends it."""
    code, reason = 1000, ""
    look_at = time.monotonic() + WELCOME_SECONDS
    try:
        while not talk.stopped:
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + WELCOME_SECONDS
                if not welcome():
                    code, reason = 1008, "the key was revoked"
                    break
            if stopping():
                for message in parser.farewell():
                    wire.send(message)
                code, reason = 1012, "restarting: come back"
                break
            message_in = wire.receive(TURN_SECONDS)
            if message_in is not None:
                for message in talk.take(message_in):
                    wire.send(message)
            talk.tick()
    except Gone as gone:
        code, reason = gone.code, "the sender closed"
        if parser.close_ends and code in IN_ORDER:
            hang_up(talk)
    except ProtocolError as error:
        code, reason = 1007, str(error)
    except CallEnded:
        code, reason = 1000, "the call has ended"
    except Superseded:
        code, reason = 1008, "another socket sends this track now"
    except OtherSender:
        code, reason = 1008, "the call is another sender's"
    except (TryLater, redis.RedisError):
        code, reason = 1013, "try again later"
    except Exception:
        log.exception("a socket failed")
        code, reason = 1011, "the server failed"
    log.info("stream ends", extra={"call_id": talk.call_id, "stopped": talk.stopped, "code": code, "reason": reason})
    talk.drop()
    wire.close(code, reason)
