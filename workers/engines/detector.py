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
        self._state = START
        self._block: Floats | None = None
        self._known = 0  # frames whose rows of the block stand
        self.frames = 0
        """Frames scored so far."""
        self.frame_samples = round(rate * FRAME_SECONDS)
        """Samples of a frame at the track's rate."""

    def score(self, audio: Samples) -> float:
        """Probability 0..1 that the next frame is speech. audio: all samples since the first frame, and at least to the
        end of this one."""
        if self._block is None or self.frames >= self._known:
            self._look_ahead(audio)
        assert self._block is not None
        probability, self._state = self._network.step(self._block[self.frames % BLOCK], self._state)
        self.frames += 1
        if self.frames % BLOCK == 0:
            self._block = None
        return probability

    def _look_ahead(self, audio: Samples) -> None:
        """Compute the block of the next frame, as far as there is audio."""
        first = self.frames - self.frames % BLOCK
        self._known = min(first + BLOCK, len(audio) // self.frame_samples)
        native, before = self._network.frame_samples, self._network.before_samples
        heard = np.zeros(before + BLOCK * native, np.float32)
        if first:
            heard[:before] = self._native(audio, first - 1)[-before:]
        for n, frame in enumerate(range(first, self._known)):
            heard[before + n * native : before + (n + 1) * native] = self._native(audio, frame)
        self._block = self._network.block(heard)

    def _native(self, audio: Samples, frame: int) -> Floats:
        """A frame at the detector's rate."""
        piece = audio[frame * self.frame_samples : (frame + 1) * self.frame_samples]
        samples = piece.astype(np.float32) / np.float32(32768)
        if self._rate == self._native_rate:
            return samples
        # It converts each frame alone: a running resampler would be state that is not in the journal.
        resampled = soxr.resample(samples, self._rate, self._native_rate)[: self._network.frame_samples]
        return np.pad(resampled, (0, self._network.frame_samples - len(resampled)))
