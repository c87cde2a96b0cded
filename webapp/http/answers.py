"""Answers in JSON."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from flask import Response

JSON = "application/json"


def as_json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The answer with `body`, which msgspec can write."""
    return Response(msgspec.json.encode(body), status, headers, content_type=JSON)
