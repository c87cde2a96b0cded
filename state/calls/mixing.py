"""The tracks of a call as people hear them: two sides, the agent left and the customer right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from state import g711
from state.calls.listening import Sound

Samples = npt.NDArray[np.float32]
Stereo = npt.NDArray[np.int16]
"""Shape (length, 2)."""


def mix(tracks: Mapping[str, Iterable[Sound]], rate: int, first: int, length: int) -> Stereo:
    """`length` samples of a call from sample `first` on, at `rate`. Missing audio is silence.

    A track that is neither agent nor customer is on both sides. So is a single track. A chunk that comes twice counts
    once.
    """
    both = np.zeros((length, 2), np.float32)
    for name, sounds in tracks.items():
        heard = np.zeros(length, np.float32)
        for sound in sounds:
            _lay(heard, _samples(sound, rate), round(sound.first * rate / sound.rate) - first)
        sides = [0, 1] if len(tracks) == 1 else {"agent": [0], "customer": [1]}.get(name, [0, 1])
        both[:, sides] += heard[:, None]
    return np.clip(both, -32768, 32767).astype("<i2")


def _lay(onto: Samples, samples: Samples, at: int) -> None:
    """Put the part of `samples` that lies within `onto` there. The first sample's place is `at`."""
    begin, end = max(0, at), min(len(onto), at + len(samples))
    if begin < end:
        onto[begin:end] = samples[begin - at : end - at]


def _samples(sound: Sound, rate: int) -> Samples:
    """The chunk's samples, at `rate`."""
    pcm = g711.to_pcm(sound.encoding, sound.audio)
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    if sound.rate == rate:
        return samples
    places = np.arange(round(len(samples) * rate / sound.rate)) * (sound.rate / rate)
    resampled: Samples = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    return resampled
