"""Kept audio as people hear it: both parties in one WAV, 16 bit stereo, the agent left and the customer right."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from state import g711
from state.calls.listening import Sound

Samples = npt.NDArray[np.float32]

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
"""RIFF, fmt and the head of the data chunk: the 44 bytes of every plain WAV."""


def stereo(tracks: dict[str, list[Sound]], start: float, end: float) -> bytes:
    """A WAV of the seconds start..end of a call, at the highest rate of its tracks. Missing audio is silence.

    A track that is neither agent nor customer is on both sides. So is a single track.
    """
    rate = max(sound.rate for sounds in tracks.values() for sound in sounds)
    first = round(start * rate)
    length = max(0, round(end * rate) - first)
    both = np.zeros((length, 2), np.float32)
    for name, sounds in tracks.items():
        heard = np.zeros(length, np.float32)
        for sound in sounds:
            _lay(heard, _samples(sound, rate), round(sound.first * rate / sound.rate) - first)
        sides = [0, 1] if len(tracks) == 1 else {"agent": [0], "customer": [1]}.get(name, [0, 1])
        both[:, sides] += heard[:, None]
    return wav(np.clip(both, -32768, 32767).astype("<i2"), rate)


def wav(samples: npt.NDArray[np.int16], rate: int) -> bytes:
    """A WAV of 16 bit samples, shape (length, channels)."""
    body = samples.tobytes()
    channels = samples.shape[1]
    head = (b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    return HEADER.pack(*head, b"data", len(body)) + body


def _lay(onto: Samples, samples: Samples, at: int) -> None:
    """Add the part of `samples` that lies within `onto`. The first sample's place is `at`."""
    begin, end = max(0, at), min(len(onto), at + len(samples))
    if begin < end:
        onto[begin:end] += samples[begin - at : end - at]


def _samples(sound: Sound, rate: int) -> Samples:
    """The chunk's samples, at `rate`."""
    pcm = g711.to_pcm(sound.encoding, sound.audio)
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    if sound.rate == rate:
        return samples
    places = np.arange(round(len(samples) * rate / sound.rate)) * (sound.rate / rate)
    resampled: Samples = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    return resampled
