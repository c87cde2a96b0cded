"""Lets only those in who may read, and only so many that threads remain for uploads: an open socket keeps one.

A stranger is refused before the socket opens; behind it he could keep a thread as long as he answers pings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Response
from flask_socketio import SocketIO

from webapp.page_wire import is_upgrade

UPLOAD_SHARE = 0.25
"""Share of the threads that pages and audio streams may not take. 100 lines post about 100 chunks a
second of 2 ms each."""

PATH = "/socket.io/"


class Doorman:
    """WSGI middleware around the application with its sockets."""

    def __init__(
        self,
        inner: Callable[..., Iterable[bytes]],
        socketio: SocketIO,
        threads: int,
        refusal: Callable[[dict[str, Any]], Response | None],
        streams: Callable[[], int],
    ) -> None:
        self._inner = inner
        self._socketio = socketio
        self._refusal = refusal
        self._streams = streams
        self.most = max(1, int(threads * (1 - UPLOAD_SHARE)))
        """Pages and audio streams at once."""

    @property
    def pages(self) -> int:
        """Open pages."""
        return len(self._socketio.server.eio.sockets)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(PATH):
            refused = self._refusal(environ)
            if refused is not None:
                return refused(environ, start_response)
            if self.pages + self._streams() >= self.most:
                start_response("503 Service Unavailable", [("Retry-After", "5"), ("Content-Length", "0")])
                return []
            if "HTTP_UPGRADE" in environ and not is_upgrade(environ):
                start_response("426 Upgrade Required", [("Upgrade", "websocket"), ("Content-Length", "0")])
                return []
        return self._inner(environ, start_response)
