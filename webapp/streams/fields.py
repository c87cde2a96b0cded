"""Fields of a message, read without trust."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from state.types import TRACK
from webapp.streams.events import Message, ProtocolError

_WHOLE = re.compile(r"-?[0-9]{1,15}").fullmatch


def track_name(given: object) -> str:
    """A track's name as we allow it. Raises ProtocolError."""
    name = str(given).strip().lower()
    if not re.fullmatch(TRACK, name):
        raise ProtocolError(f"{name[:40]!r} is no track: small letters, digits, _ and -, at most 32")
    return name


def json_object(text: Message) -> dict[str, Any] | None:
    """The JSON object in a message, or None."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def mapping(value: object) -> dict[str, Any]:
    """`value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def integer(value: object) -> int | None:
    """A whole number up to 2^53 that JSON may bring as a number or as a string; None if it is none."""
    if isinstance(value, str):
        return int(value) if _WHOLE(value) else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= 2**53 else None
    return None
