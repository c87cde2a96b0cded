"""G.711: telephony's 8 bit samples to 16 bit ones by table, and back for mu-law.

The code is here because `audioop` left Python in 3.13. The tables follow ITU-T G.711: a code is a sign bit, a three
bit segment and a four bit step in it, stored inverted (mu-law) or with every other bit inverted (A-law).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

MULAW_BIAS = 132
"""Number added to a 14 bit magnitude (scaled to 16 bit), so that every segment begins at a power of two."""

MULAW_CLIP = 32635
"""Largest magnitude that mu-law can code: 32767 - MULAW_BIAS."""


def decode_mulaw(data: bytes) -> bytes:
    """Mu-law bytes to signed 16 bit little-endian samples (twice as many bytes)."""
    return _MULAW[np.frombuffer(data, np.uint8)].tobytes()


def decode_alaw(data: bytes) -> bytes:
    """A-law bytes to signed 16 bit little-endian samples (twice as many bytes)."""
    return _ALAW[np.frombuffer(data, np.uint8)].tobytes()


def to_pcm(encoding: str, data: bytes) -> bytes:
    """A chunk's bytes, by its encoding (state.types.Encoding), as signed 16 bit little-endian samples."""
    return _TO_PCM[encoding](data)


def encode_mulaw(pcm: bytes) -> bytes:
    """Signed 16 bit little-endian samples to mu-law bytes (half as many). ValueError for an odd number of bytes."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int32) & ~3  # G.711 codes the upper 14 bits
    magnitude = np.minimum(np.abs(samples), MULAW_CLIP) + MULAW_BIAS
    segment = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    step = (magnitude >> (segment + 3)) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    codes = ~(sign | (segment << 4) | step) & 0xFF
    return bytes(codes.astype(np.uint8))


def _mulaw_table() -> npt.NDArray[np.int16]:
    code = ~np.arange(256) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + MULAW_BIAS) << ((code & 0x70) >> 4)) - MULAW_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype("<i2")


def _alaw_table() -> npt.NDArray[np.int16]:
    code = np.arange(256) ^ 0x55
    segment = (code & 0x70) >> 4
    step = (code & 0x0F) << 4
    magnitude = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype("<i2")


_MULAW = _mulaw_table()
_ALAW = _alaw_table()
_TO_PCM: dict[str, Callable[[bytes], bytes]] = {"mulaw": decode_mulaw, "alaw": decode_alaw, "s16le": bytes}
