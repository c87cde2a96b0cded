"""Decodes a chunk that was given up, without its surroundings."""

from __future__ import annotations

from state.calls.leases import JournalChunk
from state.types import SAMPLE_BYTES
from workers.decoder.pieces import pieces
from workers.engines.base import Model


def decode_alone(model: Model, audio: bytes, encoding: str, rate: int) -> str:
    """The text of one chunk alone, without its surroundings (for a chunk that was given up)."""
    chunk = JournalChunk(1, audio, encoding, 0, len(audio) // SAMPLE_BYTES[encoding], None)
    recogniser = model.recogniser(rate, None)
    finals = [final for pcm, at in pieces(chunk, rate, 0) for final in recogniser.accept(pcm, at)]
    return " ".join(final.text for final in [*finals, *recogniser.flush()])
