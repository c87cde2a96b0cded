"""The events of the feed: seven kinds. Each is idempotent and carries the new value, not a difference.

A page starts from a snapshot (rows and the feed's last id, read before them) and applies every event after
that id. Applying an event twice, or to a snapshot that already holds it, leaves the same table. As JSON:

    {"kind": "call",    "call_id", "state", "started_at_ms", "ended_at_ms", "metadata", "end_reason"}
    {"kind": "partial", "call_id", "track", "partial", "lag_seconds", "decoded_seq", "wordless"}
    {"kind": "final",   "call_id", "utterance": types.Utterance}
    {"kind": "score",   "call_id", "utterance_id", "sentiment": types.Sentiment, "standing": types.Standing}
    {"kind": "handling", "call_id", "handling": types.Handling}
    {"kind": "line", "call_id", "events": list of types.Happening}
    {"kind": "quiet"}   (for the feed itself, see QuietEvent)

`partial` is "" when no utterance is open. `wordless`: voice is heard, and gives no words. A `call` event comes when a
call begins, is described, ends or gets its summary. A `handling` event comes when a supervisor takes the call, writes
on it and so on. A `line` event comes when telephony tells of a hold, a transfer and the like. The browser gets events
in batches over Socket.IO (webapp/page/live.py says how).
"""

from __future__ import annotations

import msgspec

from state.types import CallState, EndReason, Handling, Happening, Sentiment, Standing, Utterance


class CallEvent(msgspec.Struct, frozen=True, tag="call", tag_field="kind"):
    call_id: str
    state: CallState
    started_at_ms: int
    ended_at_ms: int | None
    metadata: dict[str, str]
    end_reason: EndReason | None = None


class PartialEvent(msgspec.Struct, frozen=True, tag="partial", tag_field="kind"):
    call_id: str
    track: str
    partial: str
    lag_seconds: float
    decoded_seq: int
    wordless: bool = False


class FinalEvent(msgspec.Struct, frozen=True, tag="final", tag_field="kind"):
    call_id: str
    utterance: Utterance


class ScoreEvent(msgspec.Struct, frozen=True, tag="score", tag_field="kind"):
    call_id: str
    utterance_id: str
    sentiment: Sentiment
    standing: Standing


class HandlingEvent(msgspec.Struct, frozen=True, tag="handling", tag_field="kind"):
    call_id: str
    handling: Handling


class LineEvent(msgspec.Struct, frozen=True, tag="line", tag_field="kind"):
    """Something happened on the line; events: all of the call."""

    call_id: str
    events: list[Happening]


class QuietEvent(msgspec.Struct, frozen=True, tag="quiet", tag_field="kind"):
    """Nothing has happened for long. It keeps the feed's end when all else is cut off. No page gets it."""


Event = CallEvent | PartialEvent | FinalEvent | ScoreEvent | HandlingEvent | LineEvent
encode = msgspec.json.Encoder().encode
QUIET = encode(QuietEvent())


FEED_EVENTS = 20_000
"""At most so many events in the feed. With 100 calls (about 200 events a second) a page may be away 100 s and needs no
new snapshot."""
