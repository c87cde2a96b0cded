"""From which pages a socket may be opened: a browser sends its cookies along whatever page asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def is_ours(public_url: str, origin: str | None, environ: Mapping[str, Any]) -> bool:
    """Whether `origin` (the header) is the host that is asked, or that of PUBLIC_URL. Programs send none."""
    if origin is None:
        return True
    host = environ.get("HTTP_HOST", "")
    schemes = {environ.get("wsgi.url_scheme"), environ.get("HTTP_X_FORWARDED_PROTO")} & {"http", "https"}
    ours = {f"{scheme}://{host}".lower() for scheme in schemes}
    if public_url:
        parts = urlsplit(public_url)
        ours.add(f"{parts.scheme}://{parts.netloc}".lower())
    return origin.lower() in ours
