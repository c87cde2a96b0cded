"""Shared by the engines: the samples of a chunk that a recogniser wants, and words spread over time."""

from __future__ import annotations

from state.types import Word

MIN_RATE, MAX_RATE = 8000, 48000
"""Sample rates in Hz that a track may have. Some rates outside make libvosk loop for ever."""


def check_rate(rate: int) -> None:
    """Raises ValueError for a sample rate that the engines do not take."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise ValueError(f"sample rate {rate} Hz is outside {MIN_RATE}..{MAX_RATE}")


def wanted_samples(pcm: bytes, at: int, expected: int, canonical: bool) -> bytes:
    """The part of a chunk that a recogniser has not heard yet.

    Args:
        pcm:       signed 16 bit samples of the chunk.
        at:        sample index of the first.
        expected:  sample index the recogniser wants next.
        canonical: it holds no audio, so it may leave out samples before `expected`.

    Raises:
        ValueError: half a sample, audio missing before the chunk, or audio that was heard before.
    """
    if len(pcm) % 2:
        raise ValueError(f"{len(pcm)} bytes are not whole 16 bit samples")
    skip = expected - at
    if skip < 0 or (skip > 0 and not canonical):
        raise ValueError(f"audio at sample {at} given, expected at {expected}")
    return pcm[2 * skip :]


def spread_words(text: str, start: float, end: float) -> list[Word]:
    """Spread the words of `text` over start..end seconds, each as long as its share of the letters; conf is None."""
    words = text.split()
    letters = sum(map(len, words))
    result = []
    passed = 0
    for word in words:
        word_start = start + (end - start) * passed / letters
        passed += len(word)
        word_end = start + (end - start) * passed / letters
        result.append(Word(word, round(word_start, 3), round(word_end, 3), None))
    return result
