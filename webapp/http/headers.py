"""Headers of every answer, and one log line for every request that did not succeed."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping

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
"""A year. Only sent over TLS, where it counts."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def _begin() -> None:
    g.began = time.monotonic()


def _finish(response: Response) -> Response:
    said = {name.lower() for name in response.headers.keys()}  # `in` would look at each of them for each of ours
    for name, value in SECURITY.items():
        if name.lower() not in said:
            response.headers.add(name, value)
    if request.is_secure and "strict-transport-security" not in said:
        response.headers.add("Strict-Transport-Security", HSTS)
    if not request.path.startswith("/static/") and "cache-control" not in said:
        response.headers.add("Cache-Control", "no-store")
    given = request.environ.get("HTTP_X_REQUEST_ID", "")
    if _ID.fullmatch(given):
        response.headers["X-Request-Id"] = given
    status = response.status_code
    # A hundred lines post a hundred chunks a second: successes are logged only for debugging.
    level = logging.DEBUG if status < 400 else logging.WARNING if status >= 500 else logging.INFO
    if log.isEnabledFor(level):
        fields = {
            "method": request.method,
            "path": request.path,
            "status": status,
            "seconds": round(time.monotonic() - g.get("began", time.monotonic()), 4),
        }
        if _ID.fullmatch(given):
            fields["request_id"] = given
        log.log(level, "request", extra=fields)
    return response


def install(app: Flask) -> None:
    """Register with `app`."""
    app.before_request(_begin)
    app.after_request(_finish)
