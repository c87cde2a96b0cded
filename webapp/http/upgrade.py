"""Requests that ask for a websocket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
"""Sec-WebSocket-Key: 16 bytes in base64."""


def is_upgrade(environ: Mapping[str, Any]) -> bool:
    """Whether a request asks for a websocket that we can open."""
    a_get = environ.get("REQUEST_METHOD") == "GET"
    return a_get and asks(environ) and is_known(environ) and KEY.fullmatch(key_of(environ)) is not None


def asks(environ: Mapping[str, Any]) -> bool:
    """Whether it asks for a websocket at all."""
    words = {word.strip().lower() for word in environ.get("HTTP_CONNECTION", "").split(",")}
    return "upgrade" in words and environ.get("HTTP_UPGRADE", "").lower() == "websocket"


def is_known(environ: Mapping[str, Any]) -> bool:
    """Whether it speaks the one version that there is (RFC 6455)."""
    return environ.get("HTTP_SEC_WEBSOCKET_VERSION") == "13"


def key_of(environ: Mapping[str, Any]) -> str:
    """Its key, unchecked."""
    return str(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""))
