"""The store as the web may show it: what redaction has not settled yet is hidden here, when it is read.

Rows need nothing of it: partials, the last words and the feed are written as they may be shown.
"""

from __future__ import annotations

import msgspec

from state.calls.reads import Reads
from state.calls.streams import Heard, Streams
from state.types import INSIDE, CallRow, CallView, ScoredUtterance, Sender
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
    """Streams likewise. A socket is told of one track as it is spoken: there, what could be secret stays hidden."""

    def heard(self, call_id: str, track: str, from_index: int, sender: Sender = INSIDE) -> Heard:
        """The track's finals and its open utterance's text, as they may be shown."""
        heard = super().heard(call_id, track, from_index, sender)
        return msgspec.structs.replace(heard, finals=[hide(final) for final in heard.finals])
