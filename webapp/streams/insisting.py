"""Asking a store that may be away for a moment."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import redis

log = logging.getLogger("earshot.web.streams")

PAUSE_SECONDS = 0.3
"""Seconds between two tries."""

T = TypeVar("T")


class TryLater(Exception):
    """The store is full, away, or has too much to do for another call."""


def insist(ask: Callable[[], T], seconds: float, call_id: str) -> T:
    """What `ask` returns, as soon as the store answers. Raises TryLater if it does not within so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except redis.RedisError as error:
            if time.monotonic() > deadline:
                log.warning("redis refused", extra={"call_id": call_id, "error": repr(error)})
                raise TryLater from None
            time.sleep(PAUSE_SECONDS)
