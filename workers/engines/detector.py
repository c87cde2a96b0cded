"""Speech probability of each 32 ms frame of a track's open utterance, by the Silero voice detector (silero.py)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from workers.engines.endpoint import FRAME_SECONDS
from workers.engines.silero import BLOCK, START, Floats, network

NATIVE_RATES = (8000, 16000)
"""Sample rates that the detector knows. Audio at another rate is converted to 16000, frame by frame."""

Samples = npt.NDArray[np.int16]


class Detector:
    """Scores the frames of one open utterance in order. Begin a new detector at every boundary: it costs nothing."""

    def __init__(self, rate: int) -> None:
        """rate: of the track, in Hz."""
        self._rate = rate
        self._native_rate = rate if rate in NATIVE_RATES else 16000
        self._network = network(self._native_rate)
        self._state = START  # after the frames that are ahead
        self._ahead: list[float] = []  # probabilities of the next frames, the last one first
        self.frames = 0
        """Frames scored so far."""
        self.frame_samples = round(rate * FRAME_SECONDS)
        """Samples of a frame at the track's rate."""

    def score(self, audio: Samples) -> float:
        """Probability 0..1 that the next frame is speech. audio: all samples since the first frame, and at least to the
        end of this one."""
        if not self._ahead:
            self._look_ahead(audio)
        self.frames += 1
        return self._ahead.pop()

    def _look_ahead(self, audio: Samples) -> None:
        """Score the frames that there are of the next frame's block."""
        at = self.frames % BLOCK
        first = self.frames - at
        end = min(first + BLOCK, len(audio) // self.frame_samples)
        before = self._network.before_samples
        heard = np.zeros(before + BLOCK * self._network.frame_samples, np.float32)
        if first:
            heard[:before] = self._native(audio, first - 1, first)[-before:]
        native = self._native(audio, first, end)
        heard[before : before + len(native)] = native
        probabilities, self._state = self._network.hear(self._network.block(heard)[: end - first], at, self._state)
        self._ahead = probabilities[::-1]

    def _native(self, audio: Samples, first: int, end: int) -> Floats:
        """Frames first..end-1 at the detector's rate."""
        samples = audio[first * self.frame_samples : end * self.frame_samples].astype(np.float32)
        samples /= np.float32(32768)
        if self._rate == self._native_rate:
            return samples
        # It converts each frame alone: a running resampler would be state that is not in the journal.
        native = np.zeros((end - first, self._network.frame_samples), np.float32)
        for frame, row in zip(samples.reshape(end - first, -1), native, strict=True):
            resampled = soxr.resample(frame, self._rate, self._native_rate)[: len(row)]
            row[: len(resampled)] = resampled
        return native.reshape(-1)
