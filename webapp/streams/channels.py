"""Interleaved audio, taken apart. No I/O."""

from __future__ import annotations

import numpy as np

from webapp.streams.events import Audio


class Channels:
    """One socket's audio. Bytes that are no whole sample of every track wait for the rest."""

    def __init__(self) -> None:
        self._rest: dict[tuple[str, ...], bytes] = {}

    def apart(self, audio: Audio) -> list[tuple[str, bytes]]:
        """Tracks and whole samples of each."""
        tracks, data, count = audio.tracks, audio.data, len(audio.tracks)
        width = audio.form.sample_bytes
        if tracks in self._rest:
            data = self._rest.pop(tracks) + data
        whole = len(data) - len(data) % (width * count)
        if whole < len(data):
            self._rest[tracks] = data[whole:]
            data = data[:whole]
        if not whole:
            return []
        if count == 1:
            return [(tracks[0], data)]
        samples = np.frombuffer(data, f"u{width}").reshape(-1, count)
        return [(track, samples[:, n].tobytes()) for n, track in enumerate(tracks)]
