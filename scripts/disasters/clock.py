"""A clock for the server that we can set. libfaketime, preloaded, reads its offset from a file.

Only the server's clock matters. Heartbeats, grace and idle times follow it, and no other process compares times.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path


class Clock:
    """The clock of one server. `environ` is for its process. `set` takes effect within two seconds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0.0)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # as on a real machine: nobody sets its monotonic clock
        }

    def set(self, ahead_seconds: float) -> None:
        """Set the clock so many seconds ahead of the true time (negative: behind)."""
        part = self._file.with_suffix(".part")
        part.write_text(f"{ahead_seconds or 0.001:+.3f}\n")  # libfaketime ignores +0
        part.replace(self._file)


def _library() -> Path:
    spec = importlib.util.find_spec("libfaketime")
    if spec is None or spec.origin is None:
        raise SystemExit("chaos: libfaketime is not installed: scripts/setup --dev")
    return next(Path(spec.origin).parent.rglob("libfaketime.so.1"))
