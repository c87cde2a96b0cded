"""A chunk's audio in the pieces that recognisers get."""

from __future__ import annotations

from collections.abc import Iterator

from state import g711
from state.calls.leases import JournalChunk

PIECE_SECONDS = 2.0
"""Seconds of audio in a piece of a longer chunk; heartbeats go out between pieces. Part of the protocol: a replay must
make the same pieces."""


def pieces(chunk: JournalChunk, rate: int, from_sample: int) -> Iterator[tuple[bytes, int]]:
    """The chunk's samples (signed 16 bit) from `from_sample` on in pieces, each with its first sample's index."""
    pcm = g711.to_pcm(chunk.encoding, chunk.audio)
    size = int(PIECE_SECONDS * rate)
    for at in range(chunk.at, chunk.at + chunk.samples, size):
        end = min(at + size, chunk.at + chunk.samples)
        begin = max(at, from_sample)
        if begin < end:
            yield pcm[2 * (begin - chunk.at) : 2 * (end - chunk.at)], begin
