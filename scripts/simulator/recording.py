"""Recordings as telephony sends them: a WAV's tracks, cut into chunks with their HTTP form."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from state.types import SAMPLE_BYTES, Encoding
from webapp.http import riff

DEMO = Path(__file__).resolve().parents[2] / "demo"
"""Folder of the demo calls: call-NAME/agent.wav, customer.wav and truth.json."""

PARTIES = ("agent", "customer")
"""Parties of a demo call. Each has a file of its name."""

_FORM: dict[str, str] = {
    "mulaw": "audio/PCMU;rate={rate}",
    "alaw": "audio/PCMA;rate={rate}",
    "s16le": "audio/x-l16;rate={rate}",
}


class RecordingError(ValueError):
    """The file is of no use. One line that names it."""


class Track(msgspec.Struct, frozen=True):
    """One party's audio."""

    name: str
    audio: bytes
    encoding: Encoding
    rate: int

    @property
    def content_type(self) -> str:
        return _FORM[self.encoding].format(rate=self.rate)

    @property
    def seconds(self) -> float:
        return len(self.audio) / SAMPLE_BYTES[self.encoding] / self.rate

    def first(self, seconds: int) -> Track:
        """The track's first seconds."""
        return msgspec.structs.replace(self, audio=self.audio[: seconds * self.rate * SAMPLE_BYTES[self.encoding]])

    def chunks(self, chunk_ms: int) -> list[bytes]:
        """The audio in pieces of chunk_ms. The last one may be shorter."""
        size = max(1, self.rate * chunk_ms // 1000) * SAMPLE_BYTES[self.encoding]
        return [self.audio[at : at + size] for at in range(0, len(self.audio), size)]


def read_tracks(path: Path, names: list[str]) -> list[Track]:
    """The tracks of a WAV. Its channels get the names in order. A mono file gets the last name.

    Raises RecordingError.
    """
    try:
        wave = riff.read(path.read_bytes())
    except (OSError, riff.RiffError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RecordingError(f"{path}: {reason}") from None
    if wave.channels == 1:
        return [Track(names[-1], wave.audio, wave.encoding, wave.rate)]
    if wave.channels != len(names):
        raise RecordingError(f"{path}: {wave.channels} channels; at most {len(names)} work here")
    width = SAMPLE_BYTES[wave.encoding]
    whole = len(wave.audio) // (width * wave.channels) * width * wave.channels
    samples = np.frombuffer(wave.audio[:whole], np.uint8).reshape(-1, wave.channels, width)
    return [Track(name, samples[:, n].tobytes(), wave.encoding, wave.rate) for n, name in enumerate(names)]
