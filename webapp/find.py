"""Which calls hold the words somebody looks for: in what was said, as far as it may be shown, and in what is known."""

from __future__ import annotations

from collections.abc import Iterable

from state.reads import Reads
from state.types import CallRow, ScoredUtterance

BATCH = 25
"""Calls whose transcripts are read at once: about 2 MB of half an hour's talk each."""


def words(text: str) -> list[str]:
    """What is looked for, in small letters."""
    return text.lower().split()


def holding(reads: Reads, rows: list[CallRow], wanted: list[str]) -> list[CallRow]:
    """Those of `rows` in which all words occur, anywhere in the call and as parts of words too."""
    found = []
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        for row, said in zip(batch, reads.said(batch), strict=True):
            text = "\n".join(_texts(row, said)).lower()
            if all(word in text for word in wanted):
                found.append(row)
    return found


def _texts(row: CallRow, said: list[ScoredUtterance]) -> Iterable[str]:
    yield from (utterance.text for utterance in said)
    yield from row.metadata.values()
    yield from (alert.reason for alert in row.standing.alerts)
    yield from row.handling.tags
    yield from (note.text for note in row.handling.notes)
    yield row.handling.by
