"""Finds the calls that hold given words, in their transcripts (as far as people may see them) and their metadata."""

from __future__ import annotations

from collections.abc import Iterable

from state.types import CallRow
from webapp.api.transcripts import Transcripts


def words(text: str) -> list[str]:
    """The words to look for, in small letters."""
    return text.lower().split()


def holding(transcripts: Transcripts, rows: list[CallRow], wanted: list[str]) -> list[CallRow]:
    """The `rows` in which all words occur, anywhere in the call, also as parts of words."""
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
