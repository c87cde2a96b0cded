"""Steps as OpenTelemetry's spans. Only tracing.py imports this, and only where traces are asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

LAST_SECONDS = 2.0
"""At most so many seconds for sending the last steps when a process ends. The whole end must take less than 10."""

_HEADER = "traceparent"
_w3c = TraceContextTextMapPropagator()


class Spans:
    """One process's tracer. Sampler, exporter and resource read the OTEL_ variables of the environment."""

    def __init__(self, service: str) -> None:
        resource = Resource.create({SERVICE_NAME: service})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("earshot")

    def flush(self) -> None:
        """Send what is there. A collector that does not answer holds up nobody: a thread waits for it."""
        sending = threading.Thread(target=self._provider.force_flush, daemon=True)
        sending.start()
        sending.join(LAST_SECONDS)

    def step(
        self, name: str, ways: Iterable[str] | None, about: Mapping[str, str | int]
    ) -> AbstractContextManager[object]:
        """As tracing.step says."""
        attributes = {f"earshot.{key}": value for key, value in about.items()}
        if ways is None:
            return self._tracer.start_as_current_span(name, attributes=attributes)
        contexts = [_context(way) for way in ways if way]
        if not contexts:
            return nullcontext()
        links = [Link(get_current_span(other).get_span_context()) for other in contexts[1:]]
        return self._tracer.start_as_current_span(name, contexts[0], attributes=attributes, links=links)

    def steps(self, name: str, ways: Iterable[str]) -> AbstractContextManager[object]:
        """As tracing.steps says."""
        at_once = ExitStack()
        for way in dict.fromkeys(filter(None, ways)):
            at_once.enter_context(self.step(name, [way], {}))
        return at_once

    def note(self, about: Mapping[str, str | int]) -> None:
        """As tracing.note says."""
        get_current_span().set_attributes({f"earshot.{key}": value for key, value in about.items()})

    def carried(self) -> dict[str, str]:
        """As tracing.carried says. What the sampler left out is carried no further."""
        if not get_current_span().get_span_context().trace_flags.sampled:
            return {}
        headers: dict[str, str] = {}
        _w3c.inject(headers)
        return {"way": headers[_HEADER]}

    def trace_id(self) -> dict[str, str]:
        """What a log line says of the step it is written in."""
        found = get_current_span().get_span_context()
        return {"trace_id": trace.format_trace_id(found.trace_id)} if found.is_valid else {}


def _context(way: str) -> Context:
    return _w3c.extract({_HEADER: way})
