"""Limits the slow requests at work and refuses the next at once, so health checks and chunks never queue behind them.

A sign-in costs a core some tens of milliseconds, and an answer of /decode waits for the fleet. Each occupies one of the
process's threads. A refusal here costs less than a tenth of the application's work for it.

A request takes its place when all of it has come. So a slow sender occupies a thread but no place.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from flask import Response

from webapp.http.problems import RETRY_AFTER_SECONDS, ProblemBody

SIGN_INS_AT_ONCE = 3
"""At most so many sign-ins at once. Two may compute a hash (credentials.HASHINGS_AT_ONCE) while the third is counted or
answered."""

DECODE_SHARE = 1 / 8
"""Share of the threads that /decode may take, most of them waiting for words."""

_HEADERS = {"Retry-After": str(RETRY_AFTER_SECONDS), "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Crowd:
    """The places of one kind of request. refusal: the answer to one too many. most_bytes: of its body."""

    def __init__(self, most: int, most_bytes: int, refusal: Response) -> None:
        self.most_bytes = most_bytes
        self.refusal = refusal
        self._places = threading.BoundedSemaphore(max(1, most))

    def enter(self) -> bool:
        """Take a place if one is free. Never waits."""
        return self._places.acquire(blocking=False)

    def leave(self) -> None:
        self._places.release()


def problem(path: str, detail: str) -> Response:
    """A refusal for programs."""
    body = ProblemBody(
        "urn:earshot:problem:crowded", "Too Many Requests", 429, detail=detail, instance=path, reason="crowded"
    )
    return Response(msgspec.json.encode(body), 429, _HEADERS, content_type="application/problem+json")


def page(detail: str) -> Response:
    """A refusal for people."""
    text = f'<!doctype html>\n<html lang="en">\n<title>Too many requests</title>\n<p>{detail}</p>\n</html>\n'
    return Response(text, 429, _HEADERS, content_type="text/html; charset=utf-8")


class Crowds:
    """WSGI middleware. `crowds` by path: of its POST requests."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], crowds: Mapping[str, Crowd]) -> None:
        self._inner = inner
        self._crowds = crowds

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        crowd = self._crowds.get(environ.get("PATH_INFO", ""))
        if crowd is None or environ.get("REQUEST_METHOD") != "POST":
            return self._inner(environ, start_response)
        _read_whole(environ, crowd.most_bytes)
        if not crowd.enter():
            return crowd.refusal(environ, start_response)
        try:
            return self._inner(environ, start_response)  # it returns when the view returns
        finally:
            crowd.leave()


def _read_whole(environ: dict[str, Any], most_bytes: int) -> None:
    """Wait for the body, unless its stated length is too long: then the application refuses it unread."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) > most_bytes:
        return
    try:
        body = environ["wsgi.input"].read(int(length) if length.isdecimal() else most_bytes + 1)
    except OSError:
        body = b""  # the sender is silent or gone: the application finds the body too short
    environ["wsgi.input"] = io.BytesIO(body)
