"""Wall-clock moments as text (ISO 8601) and in milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime

DAY_MS = 86_400_000
"""Milliseconds of a day."""


def moment(at_ms: int) -> str:
    """UTC with milliseconds: 2026-01-31T09:15:02.113Z. at_ms: milliseconds since 1970."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def moment_ms(given: str) -> int:
    """Milliseconds since 1970 of a date or a moment, which is UTC unless it says otherwise.

    Raises ValueError, or OverflowError for a moment far from our time.
    """
    found = datetime.fromisoformat(given)
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
