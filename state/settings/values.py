"""How to declare a setting, and how to read texts that are more than a number or a word."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Meta


class SettingsError(ValueError):
    """A setting is missing or out of range. The message is one line that names the variable."""


def about(text: str, **limits: Any) -> Any:
    """A setting's line in .env.example, and the limits of its value (those of msgspec.Meta)."""
    return Meta(description=text, **limits)


def words_days(given: str) -> dict[str, int]:
    """WORDS_DAYS as queue -> days; "*" stands for all others. Raises SettingsError for a queue that stands twice."""
    return _by_queue("WORDS_DAYS", given)


def sound_days(given: str) -> dict[str, int]:
    """SOUND_DAYS in the same form."""
    return _by_queue("SOUND_DAYS", given)


def is_recorded(days: Mapping[str, int], queue: str | None) -> bool:
    """Whether a call of this queue (None: it names none) is recorded. days: from `sound_days`."""
    return days.get(queue or "*", days.get("*", 0)) > 0


def _by_queue(name: str, given: str) -> dict[str, int]:
    pairs = [pair.rpartition("=") for pair in given.split(",") if pair]
    found = {queue: int(days) for queue, _, days in pairs}
    if len(found) != len(pairs):
        raise SettingsError(f"{name}: a queue stands twice")
    return found


def networks(given: str) -> list[str]:
    """WEBHOOK_ALLOW as a list of networks. Raises SettingsError."""
    found = [part.strip() for part in given.split(",") if part.strip()]
    for part in found:
        try:
            ipaddress.ip_network(part)
        except ValueError:
            raise SettingsError(f"WEBHOOK_ALLOW: {part} is no address and no network") from None
    return found


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches the address. Also True for the empty one, which means 127.0.0.1 here."""
    try:
        return address in ("", "localhost") or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_address(url: str) -> bool:
    """Whether redis-py can connect to it. redis-py itself finds out only when it connects, with a traceback."""
    from redis.connection import parse_url  # late: the audiosocket process mostly waits, and needs no Redis to wait

    try:
        parts = urlsplit(url)
        parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError:
        return False
    return parts.scheme in ("redis", "rediss") and parts.port != 0 and re.fullmatch(r"(/\d*)?", parts.path) is not None


def in_words(what: str, meaning: str) -> str:
    """msgspec's complaint in words for the person who set the variable: a list of choices, or the setting's meaning
    (from `about`), no regular expression."""
    choice = re.fullmatch(r"Expected `str` matching regex '\^\(([a-z|]+)\)\$'", what)
    if choice:
        *others, last = choice[1].split("|")
        return f"must be {', '.join(others)} or {last}"
    if what.startswith("Expected `str` matching regex"):
        return f"has the wrong form. It means: {meaning}"
    kinds = {"bool": "1 or 0", "int": "a whole number", "float": "a number"}
    kind = re.fullmatch(r"Expected `(bool|int|float)`, got `str`", what)
    return f"must be {kinds[kind[1]]}" if kind else what
