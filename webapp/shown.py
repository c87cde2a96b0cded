"""The store as the web may show it: what redaction has not settled yet is hidden here, when it is read.

Rows need nothing of it: partials, the last words and the feed are written as they may be shown.
"""

from __future__ import annotations

import msgspec

from state.reads import Reads
from state.types import CallView
from workers.insight.masking import view


class Shown(Reads):
    """Reads for a web process with REDACT=1."""

    def call(self, call_id: str) -> CallView | None:
        """A whole call as it may be shown, or None."""
        call = super().call(call_id)
        if call is None:
            return None
        return msgspec.structs.replace(call, utterances=view(call.utterances, ended=call.state == "ended"))
