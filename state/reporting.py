"""When the weekly report is due, and where it goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import msgspec

DUE_HOUR = 6
"""Hour of Monday, in REPORT_ZONE, from which last week's report is due: the database has the night's calls by then."""


class MailServer(msgspec.Struct, frozen=True):
    """SMTP_URL in its parts. tls: from the first byte (smtps); otherwise STARTTLS where the server offers it."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = ""


def mail_server(url: str) -> MailServer:
    """The parts of smtp://user:password@host:port or smtps://... Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError("no SMTP address")
    tls = parts.scheme == "smtps"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.hostname, parts.port or (465 if tls else 587), tls, user, password)


def addresses(given: str) -> list[str]:
    """REPORT_MAIL_TO as a list."""
    return [one.strip() for one in given.split(",") if one.strip()]


def week_due(zone: ZoneInfo, now_ms: int) -> str:
    """The Monday of the latest week that is due. Until Monday morning that is the week before the one that has just
    ended."""
    now = datetime.fromtimestamp(now_ms / 1000, zone) - timedelta(hours=DUE_HOUR)
    monday = now.date() - timedelta(days=now.weekday() + 7)
    return monday.isoformat()
