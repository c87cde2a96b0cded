"""A collector of traces for tests: a real OTLP receiver over HTTP. It keeps every span that it gets."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """A span as it came. about: its attributes and those of its resource."""

    trace: str
    id: str
    parent: str
    name: str
    about: dict[str, str | int]
    links: tuple[str, ...]


class Collector(ThreadingHTTPServer):
    """hanging: it takes requests and never answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Span] = []
        self.asked = 0
        self.hanging = False
        self.going = threading.Event()

    def __enter__(self) -> Collector:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.going.set()
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def of(self, trace: str, name: str) -> list[Span]:
        """The spans of this trace whose name begins so."""
        return [span for span in list(self.spans) if span.trace == trace and span.name.startswith(name)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        collector = self.server
        assert isinstance(collector, Collector)
        collector.asked += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if collector.hanging:
            collector.going.wait()
        assert self.path == "/v1/traces"
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            common = {one.key: one.value.string_value for one in group.resource.attributes}
            for scope in group.scope_spans:
                for span in scope.spans:
                    own = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
                    links = tuple(link.trace_id.hex() for link in span.links)
                    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                    collector.spans.append(Span(*ids, span.name, common | own, links))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
