"""How a call is shown: as a row of the live table, or whole. Plain values, made of those in types.py."""

from __future__ import annotations

from typing import Any

import msgspec

from state.types import CallState, EndReason, Handling, Happening, ScoredUtterance, Standing


class TrackView(msgspec.Struct, frozen=True):
    """A track as the API shows it. Gaps are [first, last] chunk numbers that never came or could not be read. wordless:
    voice is heard, and has given no words for long (workers/decoder/track.py)."""

    next_seq: int
    decoded_seq: int
    lag_seconds: float
    partial: str
    gaps: list[tuple[int, int]]
    wordless: bool = False


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the live table: everything the page shows of a call that is not opened."""

    call_id: str
    state: CallState
    started_at_ms: int
    ended_at_ms: int | None
    end_reason: EndReason | None = None
    metadata: dict[str, str]
    standing: Standing
    handling: Handling = Handling()
    tracks: dict[str, TrackView]
    events: list[Happening] = []
    last: ScoredUtterance | None
    """The utterance that ended last on any track, without its words."""


class CallView(CallRow, frozen=True, kw_only=True):
    """A whole call: the row and its transcript, ordered by start, then track."""

    utterances: list[ScoredUtterance]
    summary: dict[str, Any] | None
    """What the jobs process wrote after the end; None before."""
