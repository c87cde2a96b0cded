"""Headers of every answer, and one log line for every request that did not succeed."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

import secure
from flask import Flask, Response, g, request
from secure.headers import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

log = logging.getLogger("earshot.web.access")

SECURITY: Mapping[str, str] = secure.Secure(
    csp=ContentSecurityPolicy()
    .default_src("'self'")
    .img_src("'self'", "data:")
    .connect_src("'self'")
    .object_src("'none'")
    .base_uri("'none'")
    .form_action("'self'")
    .frame_ancestors("'none'"),
    xcto=XContentTypeOptions(),
    xfo=XFrameOptions().deny(),
    referrer=ReferrerPolicy().same_origin(),
    coop=CrossOriginOpenerPolicy().same_origin(),
    corp=CrossOriginResourcePolicy().same_origin(),
    permissions=PermissionsPolicy().camera("()").microphone("()").geolocation("()"),
).headers
"""No inline script or style, nothing from elsewhere, no framing. Transcripts are untrusted text. Referrers go to this
host alone; with none at all browsers would send the forms of our own pages with the Origin null."""

HSTS = StrictTransportSecurity().max_age(31_536_000).header_value
"""A year. Earshot only sends it over TLS, where it counts."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def of_request(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Headers of an answer that depend on its request alone."""
    found = []
    if environ.get("wsgi.url_scheme") == "https":
        found.append(("Strict-Transport-Security", HSTS))
    given = environ.get("HTTP_X_REQUEST_ID", "")
    if _ID.fullmatch(given):
        found.append(("X-Request-Id", given))
    return found


def _finish(response: Response) -> Response:
    said = {name.lower() for name, _value in response.headers}  # `in` would look at each of them for each of ours
    ours = [*SECURITY.items(), *of_request(request.environ)]
    if not request.path.startswith("/static/"):
        ours.append(("Cache-Control", "no-store"))
    for name, value in ours:
        if name.lower() not in said:
            response.headers.add(name, value)
    status = response.status_code
    # A hundred lines post a hundred chunks a second: successes are logged only for debugging.
    level = logging.DEBUG if status < 400 else logging.WARNING if status >= 500 else logging.INFO
    if log.isEnabledFor(level):
        fields = {
            "method": request.method,
            "path": request.path,
            "status": status,
            "seconds": round(time.perf_counter() - g.get("began", time.perf_counter()), 4),  # began: see timed.py
        }
        given = request.environ.get("HTTP_X_REQUEST_ID", "")
        if _ID.fullmatch(given):
            fields["request_id"] = given
        log.log(level, "request", extra=fields)
    return response


def install(app: Flask) -> None:
    """Register with `app`."""
    app.after_request(_finish)
