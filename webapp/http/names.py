"""A call's names, from a provider of telephony to our form."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

from state.types import CALL_ID
from webapp.schemas.values import MAX_METADATA, MAX_METADATA_CHARACTERS, MAX_METADATA_KEY, MAX_METADATA_VALUE

CUSTOMER, AGENT = "customer", "agent"
"""Tracks of a call whose provider names only its parties."""


def clean_call_id(given: object) -> str:
    """A call id of ours from a provider's: other characters become "-", a long one is cut and hashed."""
    text = str(given)
    cleaned = re.sub(r"[^A-Za-z0-9._~-]", "-", text)
    if not cleaned[:1].isalnum():
        cleaned = "c" + cleaned
    if len(cleaned) > 128:
        cleaned = f"{cleaned[:95]}-{blake2b(text.encode(errors='replace'), digest_size=16).hexdigest()}"
    assert re.fullmatch(CALL_ID, cleaned)
    return cleaned


def clean_metadata(given: dict[str, Any]) -> dict[str, str]:
    """Flat printable metadata from a provider's values, without empty ones; long ones are cut."""
    kept: dict[str, str] = {}
    left = MAX_METADATA_CHARACTERS
    for key, value in given.items():
        name = _printable(key, MAX_METADATA_KEY)
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, str | int | float):
            text = _printable(value, MAX_METADATA_VALUE)
        else:
            continue
        if name and text and len(kept) < MAX_METADATA and len(name) + len(text) <= left:
            left -= len(name) + len(text)
            kept[name] = text
    return kept


def _printable(given: object, most: int) -> str:
    return "".join(c if c.isprintable() else " " for c in str(given)).strip()[:most]
