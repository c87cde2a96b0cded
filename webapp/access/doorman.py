"""Lets in only those who may read, and only so many that threads remain for uploads: an open socket occupies one.

It refuses a stranger before the socket opens. Later a stranger could keep a thread as long as they answer pings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from flask import Response
from flask_socketio import SocketIO

from webapp.http.upgrade import is_upgrade

UPLOAD_SHARE = 0.25
"""Share of the threads that pages must leave free. 100 lines post about 100 chunks a second, of 2 ms
each."""

PATH = "/socket.io/"

WEBSOCKET_ONLY = "Only websockets are served here: connect with transports=['websocket'] (docs/LIVE.md has an example)."
"""Answer to Socket.IO clients that begin with polling, as most do by default."""


class Doorman:
    """WSGI middleware around the application with its sockets."""

    def __init__(
        self,
        inner: Callable[..., Iterable[bytes]],
        socketio: SocketIO,
        threads: int,
        refusal: Callable[[dict[str, Any]], Response | None],
    ) -> None:
        self._inner = inner
        self._socketio = socketio
        self._refusal = refusal
        self.most = max(1, int(threads * (1 - UPLOAD_SHARE)))
        """Most pages at once."""

    @property
    def pages(self) -> int:
        """Open pages."""
        return len(self._socketio.server.eio.sockets)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(PATH):
            refused = self._refusal(environ)
            if refused is not None:
                return refused(environ, start_response)
            if "transport=polling" in environ.get("QUERY_STRING", "") and "HTTP_UPGRADE" not in environ:
                said = json.dumps({"code": 0, "message": WEBSOCKET_ONLY}).encode()
                head = [("Content-Type", "application/json"), ("Content-Length", str(len(said)))]
                start_response("400 Bad Request", head)
                return [said]
            if self.pages >= self.most:
                start_response("503 Service Unavailable", [("Retry-After", "5"), ("Content-Length", "0")])
                return []
            if "HTTP_UPGRADE" in environ and not is_upgrade(environ):
                start_response("426 Upgrade Required", [("Upgrade", "websocket"), ("Content-Length", "0")])
                return []
        return self._inner(environ, start_response)
