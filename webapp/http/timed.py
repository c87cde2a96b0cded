"""Times of requests for /metrics: by route, never by path, because a path may name a call."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request

from state import metrics


def install(app: Flask) -> None:
    """Count every request that reaches a route."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if request.url_rule is not None and "began" in g:
            metrics.REQUEST_SECONDS.labels(request.url_rule.rule, f"{response.status_code // 100}xx").observe(
                time.perf_counter() - g.began
            )
        return response
