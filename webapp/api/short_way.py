"""The short way of a chunk, which each line posts once a second: without Flask's work around a view.

It takes a numbered chunk (PUT .../tracks/{track}/chunks/{seq}) from a sender with an API key, if nothing about the
request is unusual. All others go the long way, through the view in posting.py; so do those of a process that traces, or
logs each request. Both ways have the same steps and answers. The error handlers of the application answer
for both.
"""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from flask import Flask, request

from state import metrics
from state.types import CALL_ID, TRACK, Sender
from webapp.access import identity, origins
from webapp.api import posting
from webapp.http import audio_forms, headers
from webapp.http.answers import JSON
from webapp.schemas.values import MAX_SEQ
from webapp.store import Store

RULE = "/v1/calls/<call_id>/tracks/<track>/chunks/<seq>"
"""The route, as the metrics name it."""

FAILED = "earshot.failed"
"""Key in a request's environ: the error with which the short way ended."""

_PATH = re.compile(rf"/v1/calls/({CALL_ID[1:-1]})/tracks/({TRACK[1:-1]})/chunks/([1-9][0-9]{{0,15}})")
_KEY = re.compile(r"Bearer ([A-Za-z0-9_-]+)")
_UNUSUAL = ("HTTP_CONTENT_ENCODING", "HTTP_COOKIE", "HTTP_ORIGIN", "HTTP_TRANSFER_ENCODING", "HTTP_UPGRADE")
_STATUS = {True: "202 ACCEPTED", False: "200 OK"}
_encode = msgspec.json.Encoder().encode


class ShortWay:
    """WSGI middleware. `inner` is the long way."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], here: Store) -> None:
        self._inner = inner
        self._here = here
        self._open = here.settings.auth == "off"
        self._traced = bool(here.settings.otel_exporter_otlp_endpoint)
        self._measure = metrics.REQUEST_SECONDS.labels(RULE, "2xx").observe
        self._headers = [*headers.SECURITY.items(), ("Cache-Control", "no-store"), ("Vary", "Cookie")]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = time.perf_counter()
        path = self._path(environ)
        if path is None:
            return self._inner(environ, start_response)
        try:
            asks = self._sender(environ)
            if asks is None or (body := _body(environ)) is None:
                return self._inner(environ, start_response)
            call_id, track, seq = path
            chunk = audio_forms.parse(environ.get("CONTENT_TYPE"), body)
            new, receipt = posting.take(self._here, asks, call_id, track, int(seq), chunk)
        except Exception as error:
            environ[FAILED] = error
            return self._inner(environ, start_response)
        said = _encode(receipt)
        fields = [("Content-Type", JSON), ("Content-Length", str(len(said))), *self._headers]
        fields += headers.of_request(environ)
        self._measure(time.perf_counter() - began)
        start_response(_STATUS[new], fields)
        return [said]

    def _path(self, environ: dict[str, Any]) -> tuple[str, ...] | None:
        """Call, track and number of a request that may go the short way."""
        if environ["REQUEST_METHOD"] != "PUT" or environ.get("QUERY_STRING") or self._traced:
            return None
        found = _PATH.fullmatch(environ["PATH_INFO"])
        if found is None or int(found[3]) > MAX_SEQ or any(name in environ for name in _UNUSUAL):
            return None
        return None if headers.log.isEnabledFor(logging.DEBUG) else found.groups()

    def _sender(self, environ: dict[str, Any]) -> Sender | None:
        """Who sends; None if only the long way can tell, or refuse. Raises Problem 429 and redis.RedisError."""
        if self._open:
            local = origins.is_loopback(environ.get("HTTP_HOST", ""))
            return identity.sender_of("anyone", "anyone", identity.ALL) if local else None
        shown = _KEY.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        found = self._here.access.api_keys.find(shown[1]) if shown else None
        if found is None or "ingest" not in found.scopes:
            return None
        identity.count_key(self._here, found)
        return identity.sender_of("key", found.name, found.scopes)


def install(app: Flask) -> None:
    """Let the application answer for what failed on the short way. Call it before the guard is installed."""

    @app.before_request
    def tell() -> None:
        if (error := request.environ.get(FAILED)) is not None:
            raise error


def _body(environ: dict[str, Any]) -> bytes | None:
    """The whole body. None if the long way must refuse it; that one then finds the bytes that came."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdecimal() or int(length) > audio_forms.MAX_CHUNK_BYTES:
        return None
    try:
        body: bytes = environ["wsgi.input"].read(int(length))
    except OSError:
        body = b""
    if len(body) == int(length):
        return body
    environ["wsgi.input"] = io.BytesIO(body)
    return None
