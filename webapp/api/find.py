"""Which calls hold the words somebody looks for: in what was said, as far as it may be shown, and in what is known."""

from __future__ import annotations

from collections.abc import Iterable

from state.types import CallRow
from webapp.api.transcripts import Transcripts


def words(text: str) -> list[str]:
    """What is looked for, in small letters."""
    return text.lower().split()


def holding(transcripts: Transcripts, rows: list[CallRow], wanted: list[str]) -> list[CallRow]:
    """Those of `rows` in which all words occur, anywhere in the call and as parts of words too."""
    sought = [word.encode(errors="replace") for word in wanted]
    found = []
    for row, said in zip(rows, transcripts.of(rows), strict=True):
        texts = [*said, "\n".join(_known(row)).lower().encode(errors="replace")]
        if all(any(word in text for text in texts) for word in sought):
            found.append(row)
    return found


def _known(row: CallRow) -> Iterable[str]:
    yield from row.metadata.values()
    yield from (alert.reason for alert in row.standing.alerts)
    yield from row.handling.tags
    yield from (note.text for note in row.handling.notes)
    yield row.handling.by
