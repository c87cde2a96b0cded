"""A speech engine without speech: text made of checksums of the audio, for overhead benches and chaos tests.

It keeps the whole contract and shows every breach: a chunk decoded twice, left out, or cut elsewhere changes
the words. Chosen with EARSHOT_ENGINE=stub.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from state.types import Word
from workers.engines.audio import check_rate, wanted_samples
from workers.engines.base import DeterminismFault, Final, Snapshot, begun

CHUNKS_PER_UTTERANCE = 4
"""Chunks of an utterance, about as in speech with chunks of a second."""

RECOGNISER_BYTES = 2_000
"""Bytes of a recogniser (objects, estimated)."""


class StubModel:
    """Nothing is loaded."""

    identity = "stub:1"
    display_name = "Stub (checksums, no speech recognition)"
    fork_safe = True
    partials_cost = False

    def warm_up(self, rate: int) -> Iterator[None]:
        """See Model.warm_up. Nothing."""
        return iter(())

    def recogniser(self, rate: int, snapshot: Snapshot | None, open_from: int = 0) -> StubRecogniser:
        """See Model.recogniser. Raises ValueError for a rate out of range or a snapshot of another model."""
        check_rate(rate)
        return StubRecogniser(rate, begun(self.identity, snapshot, open_from).open_from)


class StubRecogniser:
    """Remembers a word for each chunk of the open utterance."""

    def __init__(self, rate: int, open_from: int) -> None:
        self._rate = rate
        self._open_from = self._end = open_from
        self._words: list[Word] = []

    def accept(self, pcm: bytes, at: int) -> list[Final]:
        """See Recogniser.accept. Raises ValueError for half a sample or audio out of order."""
        if not self._words and at > self._end:
            self._open_from = self._end = at
        self._append(pcm, at)
        return self.flush() if len(self._words) >= CHUNKS_PER_UTTERANCE else []

    def replay(self, pcm: bytes, at: int) -> None:
        """See Recogniser.replay."""
        self._append(pcm, at)
        if len(self._words) >= CHUNKS_PER_UTTERANCE:
            raise DeterminismFault(f"an utterance ended while the chunk at sample {at} was replayed")

    def flush(self) -> list[Final]:
        """See Recogniser.flush."""
        words, self._words = self._words, []
        self._open_from = self._end
        if not words:
            return []
        return [Final(words[0].start, words[-1].end, " ".join(word.word for word in words), words)]

    def snapshot(self, want_partial: bool) -> Snapshot:
        """See Recogniser.snapshot. The partial is always up to date: it costs nothing."""
        partial = " ".join(word.word for word in self._words)
        return Snapshot(StubModel.identity, self._open_from, partial, self._end)

    @property
    def wordless_seconds(self) -> float:
        """See Recogniser.wordless_seconds. Every chunk is a word."""
        return 0.0

    @property
    def memory_bytes(self) -> int:
        """See Recogniser.memory_bytes."""
        return RECOGNISER_BYTES

    def _append(self, pcm: bytes, at: int) -> None:
        samples = wanted_samples(pcm, at, self._end, canonical=not self._words)
        if not samples:
            return
        start, self._end = self._end, self._end + len(samples) // 2
        word = f"w{zlib.crc32(samples):08x}"
        self._words.append(Word(word, round(start / self._rate, 3), round(self._end / self._rate, 3), 1.0))
