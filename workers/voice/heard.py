"""The open utterance's samples, kept beside the recogniser until its voice is measured.

Fed exactly what the recogniser is fed, replayed audio too, so a cold worker holds what a warm one holds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class Heard:
    """One track's audio since the open utterance began. Samples are numbered on the track's clock."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, bytes]] = []

    def add(self, pcm: bytes, at: int) -> None:
        """Take signed 16 bit samples, the first one number `at`. Drop samples before a hole."""
        if self._pieces and at != self._end:
            self._pieces.clear()
        if pcm:
            self._pieces.append((at, pcm))

    def forget(self, before: int) -> None:
        """Drop the pieces that end before sample `before`: their utterances are finished."""
        self._pieces = [(at, pcm) for at, pcm in self._pieces if at + len(pcm) // 2 > before]

    def between(self, first: int, end: int) -> npt.NDArray[np.int16]:
        """Samples first..end-1, as far as they are held. Shape (n,), n <= end - first."""
        if not self._pieces:
            return np.zeros(0, np.int16)
        held = np.frombuffer(b"".join(pcm for _, pcm in self._pieces), "<i2")
        start = self._pieces[0][0]
        return held[max(0, first - start) : max(0, end - start)]

    @property
    def memory_bytes(self) -> int:
        """Bytes of the held samples."""
        return sum(len(pcm) for _, pcm in self._pieces)

    @property
    def _end(self) -> int:
        at, pcm = self._pieces[-1]
        return at + len(pcm) // 2
