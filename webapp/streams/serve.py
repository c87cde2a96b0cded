"""From a request to a socket on the loop: the handshake."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from typing import Any

import redis
from flask import Flask, Response, current_app, g, request

from webapp.access.identity import still_in
from webapp.http import upgrade
from webapp.http.problems import Problem, invalid
from webapp.streams.events import Parser
from webapp.streams.loop import Line, Loop
from webapp.streams.talking import Talk
from webapp.streams.wire import handshake

SUBPROTOCOLS = ("audio.drachtio.org", "audio.jambonz.org", "media")
"""Subprotocols of mod_audio_fork, jambonz and Asterisk. They close the socket if they do not get theirs."""


class Served(Response):
    """A view's answer when its socket is on the loop: there is nothing left to send."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        raise StopIteration  # to gunicorn this means: close the connection; it holds none any more


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


def serve(loop: Loop, parser: Parser, talk: Talk, prompt: bool = False) -> Response:
    """Put a socket on the loop; prompt: its sender waits for answers.

    Raises Problem before the handshake, nothing after it.
    """
    key = upgrade_checked()
    held: socket.socket | None = request.environ.get("gunicorn.socket")
    if held is None or isinstance(held, ssl.SSLSocket):
        raise Problem(501, "no_socket", "This server cannot open websockets.")
    if not loop.enter():
        raise Problem(503, "busy", "This process has no room for another socket.", retry=True)
    asked = [word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    granted = next((word for word in asked if word in SUBPROTOCOLS), None)
    connection = socket.socket(fileno=held.detach())
    try:
        wire = handshake(connection, key, granted)
    except OSError:
        connection.close()
        loop.leave()
        return Served()
    app, who = current_app._get_current_object(), g.get("identity")  # type: ignore[attr-defined]
    loop.adopt(Line(wire, parser, talk, prompt, lambda: who is None or _is_welcome(app, who)))
    return Served()


def _is_welcome(app: Flask, who: Any) -> bool:
    """Whether a sender may still send. A signature is good as long as its socket."""
    try:
        return still_in(app, who)
    except redis.RedisError:
        return True  # the call says so itself if that goes on
