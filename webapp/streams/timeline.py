"""Finds the place of one track's frames: by the sender's clock, if their lengths and numbers agree with it. No I/O.

Frames of one socket come once and in order (joiner.Order), so a frame after another one is never a repetition, whatever
the clock says. Only the beginning of a socket may have come before, over the one that broke. A clock that does not
count the frames' length is no clock: some senders put 40 ms into a frame and count 20. As soon as that is clear, only
lengths and numbers say where a frame goes."""

from __future__ import annotations

from collections import deque
from statistics import median

from webapp.streams.joiner import WINDOW, Frame, Joiner, Piece

RIGHT_SHARE = (0.75, 1.25)
"""A clock whose usual step is this share of a frame's length counts it; single steps may wander."""


class Timeline:
    """One track of one socket. width: bytes of a sample."""

    def __init__(self, joiner: Joiner, width: int) -> None:
        self._joiner = joiner
        self._width = width
        self._last: Frame | None = None
        self._steps: deque[float] = deque(maxlen=WINDOW)
        self._in_step = False  # a frame has followed, on the sender's clock, what the journal holds
        self._repeated: list[Frame] = []
        self.clock_is_wrong = False
        self.left_out = 0
        """Samples that were sent before, over another socket."""

    def add(self, frame: Frame) -> list[Piece]:
        """Pieces that are whole now. Raises ProtocolError, as Joiner.skip does."""
        if not frame.audio:
            return []
        pieces = self._judge(frame)
        last, self._last = self._last, frame
        if frame.at is None or self.clock_is_wrong:
            lost = frame.number - last.number - 1 if frame.missing and last else 0
            return [*pieces, *self._joiner.skip(lost * self._samples(frame)), *self._joiner.add(frame.audio)]
        if self._in_step:
            return self._joiner.add(frame.audio, max(frame.at, self._joiner.end), frame.missing)
        before = self._joiner.taken
        pieces = self._joiner.add(frame.audio, frame.at, strict=True)
        taken = self._joiner.taken - before
        self._in_step = taken > 0
        self.left_out += self._samples(frame) - taken
        if not taken and len(self._repeated) <= WINDOW:
            self._repeated.append(frame)
        return pieces

    def _judge(self, frame: Frame) -> list[Piece]:
        """Look at the clock's last steps. If it is wrong, the frames that looked repeated were not."""
        last = self._last
        if self.clock_is_wrong or last is None or last.at is None or frame.at is None or frame.missing:
            return []
        step = (frame.at - last.at) / self._samples(last)
        self._steps.append(step)
        least, most = RIGHT_SHARE
        # A right step makes no clock wrong, and nearly all are right: those who go wrong are looked at once more then.
        if least <= step <= most or len(self._steps) < WINDOW or least <= median(self._steps) <= most:
            return []
        self.clock_is_wrong = True
        released, self._repeated = ([] if self._in_step else self._repeated), []
        self.left_out -= sum(self._samples(one) for one in released)
        return [piece for one in released for piece in self._joiner.add(one.audio)]

    def _samples(self, frame: Frame) -> int:
        return len(frame.audio) // self._width
