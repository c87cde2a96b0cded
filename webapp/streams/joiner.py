"""Small frames in, chunks out: one track's audio between a socket and the journal. No I/O.

Positions are samples on the track's clock. A sender without a clock just goes on; one with a clock may send a frame
twice (after a reconnection), leave some out, or begin later than the other party.
"""

from __future__ import annotations

import msgspec

from state.calls.leases import SILENCE
from state.types import SAMPLE_BYTES, Encoding
from webapp.streams.events import ProtocolError

JITTER_SECONDS = 0.2
"""Seconds that a clock may differ from the samples that came. More is a hole. (Frames are 20 ms; clocks are
rounded.)"""

CONCEAL_SECONDS = 0.2
"""Seconds below which a hole becomes silence, as in telephones: an utterance goes on through a few lost packets."""

LEAD_SECONDS = 60.0
"""Most seconds by which one party may join after the other. Until then it is silent; later it is a gap."""

MOST_MISSING_SECONDS = 12 * 3600.0
"""Most seconds of a hole. A longer one means that the sender's clock is wrong, and each further chunk would bring a
gap."""


class Piece(msgspec.Struct, frozen=True):
    """Audio on its way to the journal. at: its first sample on the track's clock."""

    at: int
    audio: bytes
    samples: int


class Joiner:
    """One track."""

    def __init__(self, encoding: Encoding, rate: int, chunk_ms: int, at: int) -> None:
        self._width = SAMPLE_BYTES[encoding]
        self._silence = SILENCE[encoding]
        self._rate = rate
        self._chunk_bytes = max(1, rate * chunk_ms // 1000) * self._width
        self._at = at  # position of the buffer's first sample
        self._buffer = bytearray()
        self.taken = 0
        """Samples of joined frames, without those left out because they had come before."""

    @property
    def end(self) -> int:
        """Position after the last sample."""
        return self._at + len(self._buffer) // self._width

    @property
    def short_seconds(self) -> float:
        """Seconds of audio that the next chunk lacks."""
        return (self._chunk_bytes - len(self._buffer)) / self._width / self._rate

    def shift(self, samples: int) -> None:
        """Move the held audio so much later, because another sender's audio came in before."""
        self._at += samples

    def add(self, audio: bytes, at: int | None = None, strict: bool = False) -> list[Piece]:
        """Add whole samples; `at` is where the sender's clock puts them.

        strict: frames are known to be missing or repeated, so the clock counts to half a frame.
        """
        pieces: list[Piece] = []
        if at is not None:
            off = at - self.end
            tolerance = len(audio) // self._width // 2 if strict else int(JITTER_SECONDS * self._rate)
            if off > tolerance:
                pieces = self.skip(off)
            elif off < -tolerance:
                audio = audio[-off * self._width :]
        self._buffer += audio
        self.taken += len(audio) // self._width
        return pieces + self._full()

    def skip(self, samples: int) -> list[Piece]:
        """Note so many missing samples here. Raises ProtocolError if nobody can believe so many."""
        seconds = samples / self._rate
        if seconds > MOST_MISSING_SECONDS:
            raise ProtocolError(f"{seconds:.0f} s of audio are said to be missing: the clock is wrong")
        if seconds <= (LEAD_SECONDS if self.end == 0 else CONCEAL_SECONDS):
            self._buffer += self._silence * samples
            return self._full()
        pieces = self.flush()
        self._at += samples
        return pieces

    def flush(self) -> list[Piece]:
        """All held audio, as the last piece."""
        pieces = self._full()
        if self._buffer:
            pieces.append(self._cut(len(self._buffer)))
        return pieces

    def _full(self) -> list[Piece]:
        pieces = []
        while len(self._buffer) >= self._chunk_bytes:
            pieces.append(self._cut(self._chunk_bytes))
        return pieces

    def _cut(self, size: int) -> Piece:
        piece = Piece(self._at, bytes(self._buffer[:size]), size // self._width)
        del self._buffer[:size]
        self._at += piece.samples
        return piece


class Frame(msgspec.Struct, frozen=True):
    """A numbered frame that waits for its turn. missing: frames before it never came."""

    number: int
    audio: bytes
    at: int | None
    missing: bool = False


WINDOW = 10
"""Most frames that wait for a missing one: 200 ms (Telnyx promises no order)."""


class Order:
    """Puts one track's numbered frames in order and drops repeated ones."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._begun = False
        self._waiting: dict[int, Frame] = {}

    def push(self, frame: Frame) -> list[Frame]:
        """The frames whose turn it is."""
        if self._next is None:  # the first to come need not be the first sent, and some count from 0
            self._next = min(frame.number, 1) if frame.number <= WINDOW else frame.number
        if frame.number == self._next and not self._waiting:
            self._next += 1
            self._begun = True
            return [frame]
        if frame.number < self._next:
            if self._begun:
                return []
            self._next = frame.number
        self._waiting.setdefault(frame.number, frame)
        ready = self._ready()
        if len(self._waiting) >= WINDOW:
            ready += self._jump()
        return ready

    def flush(self) -> list[Frame]:
        """All that wait, in order."""
        ready: list[Frame] = []
        while self._waiting:
            ready += self._jump()
        return ready

    def _jump(self) -> list[Frame]:
        """Give up the frames before the first one that waits."""
        self._next = min(self._waiting)
        first, *rest = self._ready()
        return [msgspec.structs.replace(first, missing=True), *rest]

    def _ready(self) -> list[Frame]:
        ready = []
        while self._next in self._waiting:
            assert self._next is not None
            ready.append(self._waiting.pop(self._next))
            self._next += 1
            self._begun = True
        return ready
