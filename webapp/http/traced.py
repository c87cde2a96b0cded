"""A request as the first step of a chunk's way, where traces are asked for (state/tracing.py).

A request with a W3C traceparent becomes part of its sender's trace. The guard has let the request in before, so a
stranger makes no trace.
"""

from __future__ import annotations

from flask import Flask, Response, g, request

from state import tracing
from state.settings import Settings

TRACED = "/v1/"
"""Paths of the API. A socket is no step: it lasts as long as its call, and each of its chunks begins a way."""


def install(app: Flask, settings: Settings) -> None:
    """Trace every request of the API. Call it after the guard is installed, which must come first."""
    if not settings.otel_exporter_otlp_endpoint:
        return

    @app.before_request
    def begin() -> None:
        rule = request.url_rule
        if rule is None or not rule.rule.startswith(TRACED) or "Upgrade" in request.headers:
            return
        about = {
            name: value for name, value in (request.view_args or {}).items() if name in ("call_id", "track", "seq")
        }
        came = request.headers.get("traceparent")
        g.step = tracing.step(f"{request.method} {rule.rule}", [came] if came else None, **about)
        g.step.__enter__()

    @app.after_request
    def tell(response: Response) -> Response:
        if "step" in g:
            tracing.note(status=response.status_code)
        return response

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        if "step" in g:
            g.pop("step").__exit__(None, None, None)
