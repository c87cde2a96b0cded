"""Every error of the web process, as RFC 9457 problem details (application/problem+json).

A view refuses a request by raising `Problem`. This module turns everything else that can go wrong into one (Flask's own
404, 405, 413; Redis away; a fault of ours). A refused request has changed nothing. problem_pages.py makes a page of it
for a person's browser.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import msgspec
import redis
from flask import Flask, Response, request
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as BaseResponse

from state.archive.opening import ArchiveAway
from state.recording.sounds import SoundsAway
from state.server.connection import AWAY
from webapp.http.language import _

log = logging.getLogger("earshot.web")

PROBLEM_JSON = "application/problem+json"

RETRY_AFTER_SECONDS = 2
"""Seconds to wait after 429 and 503. In about that time a decoder frees a track's backlog, or Redis restarts."""

EXPECTED_REDIS_ERRORS = (*AWAY, OutOfMemoryError, ReadOnlyError)
"""Errors of a Redis that is away, loading, full or demoted (other errors of redis-py derive from these). They get no
traceback in the log."""


DISK_FULL = "MISCONF"
"""The server's word when it cannot write its append-only file. Then it accepts nothing."""


class ErrorItem(msgspec.Struct, frozen=True):
    """One thing that is wrong. `pointer` is a JSON Pointer into the body, or names a header or parameter."""

    pointer: str
    detail: str


class ProblemBody(msgspec.Struct, omit_defaults=True):
    """The body of every error. `reason` is one word for programs; see each operation for the words.

    expected_seq comes with a gap, known_types with an unknown form, reasons from /readyz.
    """

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    reason: str = ""
    errors: list[ErrorItem] = []
    expected_seq: int | None = None
    known_types: list[str] = []
    reasons: list[str] = []


class Problem(Exception):
    """A refusal: raise it from any view.

    status: HTTP status.  reason: one word for programs.  detail: one sentence for people.
    errors: (pointer, detail) of each thing wrong.  headers: added to the answer.  retry: adds Retry-After.
    expected_seq, known_types, reasons: see ProblemBody.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        errors: list[ErrorItem] | None = None,
        headers: dict[str, str] | None = None,
        retry: bool = False,
        expected_seq: int | None = None,
        known_types: list[str] | None = None,
        reasons: list[str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.errors = errors or []
        self.headers = dict(headers or {})
        if retry:
            self.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        self.expected_seq = expected_seq
        self.known_types = known_types or []
        self.reasons = reasons or []

    def response(self) -> Response:
        return problem_response(
            ProblemBody(
                type=f"urn:earshot:problem:{self.reason}",
                title=HTTPStatus(self.status).phrase,
                status=self.status,
                detail=self.detail,
                instance=request.path,
                reason=self.reason,
                errors=self.errors,
                expected_seq=self.expected_seq,
                known_types=self.known_types,
                reasons=self.reasons,
            ),
            self.headers,
        )


def problem_response(body: ProblemBody, headers: dict[str, str]) -> Response:
    encoded = msgspec.json.encode(body)
    return Response(encoded, body.status, headers, content_type=PROBLEM_JSON)


def invalid(pointer: str, detail: str) -> Problem:
    """400 for one wrong parameter, header or member of the body."""
    return Problem(400, "invalid", f"{pointer}: {detail}", errors=[ErrorItem(pointer, detail)])


def _from_http(error: HTTPException) -> BaseResponse:
    """Werkzeug's errors (routing, size limits): same status and headers (Allow), our body."""
    if isinstance(error, RequestRedirect) or error.response is not None or error.code is None:
        return error.get_response(request.environ)
    kept = {key: value for key, value in error.get_headers() if key.lower() not in ("content-type", "content-length")}
    body = ProblemBody(
        type="about:blank",
        title=error.name,
        status=error.code,
        detail=error.description or "",
        instance=request.path,
    )
    return problem_response(body, kept)


def _from_redis(error: redis.RedisError) -> Response:
    if isinstance(error, EXPECTED_REDIS_ERRORS) or str(error).startswith(DISK_FULL):
        log.warning("redis refused", extra={"error": repr(error), "path": request.path})
    else:
        log.error("redis answered with an error", exc_info=error, extra={"path": request.path})
    return Problem(503, "store_away", _("The store does not answer or is full."), retry=True).response()


def _from_archive(error: ArchiveAway) -> Response:
    log.warning("the database refused", extra={"error": str(error), "path": request.path})
    return Problem(503, "archive_away", _("The database of ended calls cannot be reached."), retry=True).response()


def _from_sounds(error: SoundsAway) -> Response:
    log.warning("the store of recordings refused", extra={"error": str(error), "path": request.path})
    return Problem(503, "recordings_away", _("The store of recordings cannot be reached."), retry=True).response()


def _from_fault(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error, extra={"path": request.path})
    return Problem(500, "fault", _("The server failed. Its log says why.")).response()


def install(app: Flask) -> None:
    """Register the handlers with `app`."""
    handlers: list[tuple[type[Exception], Any]] = [
        (Problem, Problem.response),
        (HTTPException, _from_http),
        (redis.RedisError, _from_redis),
        (ArchiveAway, _from_archive),
        (SoundsAway, _from_sounds),
        (Exception, _from_fault),
    ]
    for kind, handler in handlers:
        app.register_error_handler(kind, handler)
