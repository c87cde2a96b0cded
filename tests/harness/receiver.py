"""A receiver of webhooks for tests: a real HTTP server that fails, hangs, redirects or is gone, as a test says."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


class Receiver(ThreadingHTTPServer):
    """statuses: its answers to the next requests; after them 204. location: where a redirect leads. hanging: it takes
    requests and does not answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.location = ""
        self.hanging = False
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self._going = threading.Event()

    def __enter__(self) -> Receiver:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going.set()
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def wait(self) -> None:
        """Wait until the test is over."""
        self._going.wait()

    def got(self, secret: str) -> list[tuple[str, Any]]:
        """Id and body of every message. Fails if the library refuses a signature."""
        return [(headers["webhook-id"], Webhook(secret).verify(body, headers)) for _, headers, body in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        if receiver.hanging:
            receiver.wait()
        self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
        if receiver.location:
            self.send_header("Location", receiver.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815 (http.server's name)

    def log_message(self, *_: object) -> None:
        pass
