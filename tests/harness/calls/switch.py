"""A telephone switch for tests. It writes down requests over HTTP, as Asterisk's ARI or a webhook gets them."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Switch(ThreadingHTTPServer):
    """Writes down each request and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.asked: list[dict[str, Any]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Asked(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        switch = self.server
        assert isinstance(switch, Switch)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        switch.asked.append(
            {"method": self.command, "path": parts.path, "query": query, "body": body, "headers": headers}
        )
        self.send_response(switch.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_DELETE = do_POST  # noqa: N815 (http.server's names)

    def log_message(self, *_: object) -> None:
        pass
