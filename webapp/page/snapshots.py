"""The whole table for pages whose cursor leads nowhere, read once however many of them ask. One thread uses it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import msgspec

from state.calls.reads import Reads
from webapp.page.recent import Recent
from webapp.schemas import shapes

SNAPSHOT_SECONDS = 2.0
"""Seconds a snapshot serves other pages. Newer changes follow as events."""

SNAPSHOT_ROWS = 100
"""Rows in one message: about 150 kB, 15 kB compressed."""


@dataclass(frozen=True)
class Snapshot:
    """The table at one moment (monotonic seconds), in the parts of its messages. lacks: the shards that were away."""

    at: float
    cursor: str
    lacks: tuple[int, ...]
    parts: list[dict[str, Any]]

    @property
    def old(self) -> bool:
        """Whether it is too old for another page."""
        return time.monotonic() >= self.at + SNAPSHOT_SECONDS


class Snapshots:
    """The last snapshot, while it is good."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._kept: Snapshot | None = None

    def get(self, recent: Recent) -> Snapshot:
        """A snapshot from which `recent` leads on."""
        kept = self._kept
        if kept is None or kept.old or kept.lacks or kept.cursor not in recent:
            kept = self._kept = self._take(recent.tip)
        return kept

    def forget(self) -> None:
        """Keep no words of calls."""
        self._kept = None

    def forget_old(self) -> None:
        """The same, if what is kept is too old."""
        if self._kept is not None and self._kept.old:
            self._kept = None

    def _take(self, cursor: str) -> Snapshot:
        """The table, read after the event of `cursor`."""
        at = time.monotonic()
        found, lacks = self._reads.table()
        rows = [msgspec.Raw(msgspec.json.encode(shapes.row(row))) for row in found]
        pieces = [rows[n : n + SNAPSHOT_ROWS] for n in range(0, len(rows) or 1, SNAPSHOT_ROWS)]
        every = {"of": len(pieces), "cursor": cursor, "away": lacks}
        parts = [{"part": n, "rows": piece} | every for n, piece in enumerate(pieces, 1)]
        return Snapshot(at, cursor, tuple(lacks), parts)
