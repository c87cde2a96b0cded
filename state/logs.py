"""Logs of every process: logfmt on stdout, one line a record.

logs.configure("info")
log = logging.getLogger("earshot.web")
log.warning("redis is away", extra={"retry_seconds": 2})

at=2026-01-31T09:15:02.113Z level=warning logger=earshot.web pid=7 msg="redis is away" retry_seconds=2
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

where: Callable[[], dict[str, str]] = dict
"""What each line says about its thread's step (state/tracing.py); nothing unless traces are asked for."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET = re.compile(
    r"esk_[A-Za-z0-9_-]{6,}|(?<=access_token=)[^&\s\"']+|(?<=authorization=)(Bearer(%20|[ +]))?[^&\s\"']+"
)
"""API keys. Nobody logs one on purpose, but exceptions and libraries quote their input."""

_BARE = re.compile(r"[A-Za-z0-9_.,:;/@%+*#!?()<>\[\]{}$&'~^|-]+")


def _value(value: Any) -> str:
    """One value as logfmt: bare where that is unambiguous, else quoted as JSON does it (never a line break)."""
    text = value if isinstance(value, str) else str(value)
    return text if _BARE.fullmatch(text) else json.dumps(text)


class Logfmt(logging.Formatter):
    """`at level logger pid msg`, then all of `extra`, then `exception` with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        fields: dict[str, Any] = {
            "at": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "msg": record.getMessage(),
        }
        fields |= where()
        fields |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return _SECRET.sub("***", " ".join(f"{key}={_value(value)}" for key, value in fields.items()))


def configure(level: str) -> None:
    """Send the whole process's log records of `level` ("debug" ... "error") and above to stdout as logfmt."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Logfmt())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
