"""The pages that may send requests, and the names under which they reach this server.

A browser sends its cookies for any page that asks, and a page from anywhere reaches the servers of the machine that
shows it. A foreign page cannot hide its Origin. Its own name may lead here (DNS rebinding), but then that name is the
Host.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def is_ours(public_url: str, origin: str | None, environ: Mapping[str, Any]) -> bool:
    """Whether `origin` (the header) is the request's host or that of PUBLIC_URL. Programs send none."""
    if origin is None:
        return True
    host = environ.get("HTTP_HOST", "")
    schemes = {environ.get("wsgi.url_scheme"), environ.get("HTTP_X_FORWARDED_PROTO")} & {"http", "https"}
    ours = {f"{scheme}://{host}".lower() for scheme in schemes}
    if public_url:
        parts = urlsplit(public_url)
        ours.add(f"{parts.scheme}://{parts.netloc}".lower())
    return origin.lower() in ours


def is_loopback(host: str) -> bool:
    """Whether a Host header names the machine itself: localhost, 127.0.0.0/8 or [::1], with or without a port."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
