"""Kept audio as people hear it: both parties in one WAV, 16 bit stereo, the agent left and the customer right."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from state.calls.listening import Sound
from state.calls.mixing import mix

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
"""RIFF, fmt and the head of the data chunk: the 44 bytes of every plain WAV."""


def stereo(tracks: dict[str, list[Sound]], start: float, end: float) -> bytes:
    """A WAV of the seconds start..end of a call, at the highest rate of its tracks. Missing audio is silence."""
    rate = max(sound.rate for sounds in tracks.values() for sound in sounds)
    first = round(start * rate)
    return wav(mix(tracks, rate, first, max(0, round(end * rate) - first)), rate)


def wav(samples: npt.NDArray[np.int16], rate: int) -> bytes:
    """A WAV of 16 bit samples, shape (length, channels)."""
    body = samples.tobytes()
    channels = samples.shape[1]
    head = (b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    return HEADER.pack(*head, b"data", len(body)) + body
