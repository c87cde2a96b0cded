"""Files in YAML as bodies of requests: reading one, the edition that it replaces, and telling its faults."""

from __future__ import annotations

import re

from flask import request

from webapp.http import inputs
from webapp.http.language import _
from webapp.http.problems import ErrorItem, Problem, invalid
from workers.insight.rules.yamlfile import FileError

YAML = "application/yaml"
YAML_TYPES = (YAML, "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain")
"""Media types of YAML. RFC 9512 names the first; curl and editors use the others."""

_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')


def text(most_bytes: int) -> str:
    """The body. Raises Problem."""
    body = inputs.raw_body()
    if len(body) > most_bytes:
        raise Problem(413, "too_large", _("The file has at most {n} bytes.", n=most_bytes))
    if request.mimetype not in YAML_TYPES:
        raise Problem(415, "unknown_form", "The body must be YAML.", known_types=list(YAML_TYPES))
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Problem(400, "invalid", f"The body is not UTF-8: {error}", errors=[ErrorItem("", str(error))]) from None


def edition_wanted(current: int) -> int:
    """The version in If-Match. The current one without it, and for *."""
    given = request.headers.get("If-Match", "*").strip()
    if given == "*":
        return current
    found = _ETAG.fullmatch(given)
    if found is None:
        raise invalid("If-Match", "must be one ETag of this file")
    return int(found[1])


def refusal(error: FileError, what: str) -> Problem:
    """400 that names the place. what: "The rules"."""
    detail = f"line {error.line}: {error.what}" if error.line else error.what
    return Problem(400, "invalid", f"{what} cannot be used: {error}", errors=[ErrorItem(_pointer(error.place), detail)])


def _pointer(place: str) -> str:
    """ "rules[3].severity" as a JSON Pointer."""
    return "".join(f"/{step}" for step in re.findall(r"[^.\[\]]+", place))
