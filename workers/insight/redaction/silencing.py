"""The seconds of a call's sound that must be silent, because redaction has masked the words in them."""

from __future__ import annotations

from collections.abc import Iterable

from state.types import Utterance, Word
from workers.insight.redaction.dictation import MASKED_NUMBER
from workers.insight.redaction.finding import MASKED_WORD

MARGIN_SECONDS = 0.3
"""Seconds of silence before and after a masked word: recognisers place words to about a tenth of a second, and a sound
fades out."""


def secret_spans(utterances: Iterable[Utterance]) -> list[tuple[float, float]]:
    """Spans (from, to) in seconds of the call, in order, that do not overlap."""
    return joined(span for utterance in utterances for span in _spans(utterance))


def joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans in order, those that overlap as one."""
    out: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def _spans(said: Utterance) -> list[tuple[float, float]]:
    if not _masked(said.text):
        return []
    if not said.words or _guessed(said):
        return [_wide(said.start, said.end)]
    return [_wide(word.start, word.end) for word in said.words if _masked(word.word)]


def _masked(text: str) -> bool:
    return MASKED_NUMBER in text or MASKED_WORD in text


def _guessed(said: Utterance) -> bool:
    """Whether the engine has no times and spread the words over the utterance: then nobody knows where they were."""
    times: list[Word] = said.words
    edges = [said.start, *(word.end for word in times)]
    return said.end == edges[-1] and all(word.start == edge for word, edge in zip(times, edges, strict=False))


def _wide(start: float, end: float) -> tuple[float, float]:
    return max(0.0, start - MARGIN_SECONDS), end + MARGIN_SECONDS
