"""The store as the web may show it: reading here hides the words that redaction has not settled yet.

Rows do not need it: partials, the last words and the feed are stored as people may see them.
"""

from __future__ import annotations

import msgspec

from state.calls.reads import Reads
from state.calls.streams import Heard, Streams
from state.types import INSIDE, ScoredUtterance, Sender
from state.views import CallRow, CallView
from workers.insight.redaction.masking import hide, shown, view


class Shown(Reads):
    """Reads for a web process with REDACT=1."""

    def call(self, call_id: str) -> CallView | None:
        """A whole call as it may be shown, or None."""
        call = super().call(call_id)
        return None if call is None else shown(call)

    def said(self, rows: list[CallRow]) -> list[list[ScoredUtterance]]:
        """The transcripts as they may be shown."""
        transcripts = zip(rows, super().said(rows), strict=True)
        return [view(said, ended=row.state == "ended") for row, said in transcripts]


class ShownStreams(Streams):
    """Streams in the same way. A socket hears of one track as it is spoken: words that could be secret stay hidden."""

    def heard(self, call_id: str, track: str, from_index: int, sender: Sender = INSIDE) -> Heard:
        """The track's finals and its open utterance's text, as they may be shown."""
        heard = super().heard(call_id, track, from_index, sender)
        return msgspec.structs.replace(heard, finals=[hide(final) for final in heard.finals])
