"""One track of one socket: the sender's frames in, pieces for the journal out."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from state.calls.streams import Place
from state.types import SAMPLE_BYTES, Encoding
from webapp.streams.events import Form
from webapp.streams.joiner import Frame, Joiner, Order, Piece
from webapp.streams.timeline import Timeline
from webapp.streams.writer import Writer

log = logging.getLogger("earshot.web.streams")


class Track:
    """Not safe to use from two threads. reclaim: see Writer."""

    def __init__(
        self,
        call_id: str,
        name: str,
        form: Form,
        chunk_ms: int,
        place: Place,
        clocked: bool,
        reclaim: Callable[[str], Place],
    ) -> None:
        encoding: Encoding = "s16le" if form.encoding == "s16be" else form.encoding
        self.form = form
        self.joiner = Joiner(encoding, form.rate, chunk_ms, place.samples)
        self.writer = Writer(call_id, name, encoding, form.rate, place, clocked, reclaim)
        self._about = {"call_id": call_id, "track": name}
        self._order = Order()
        self._timeline = Timeline(self.joiner, SAMPLE_BYTES[encoding])
        self._fed = False

    def take(self, data: bytes, number: int | None, at: int | None) -> None:
        """A frame of whole samples. at: where the sender's clock puts it, in samples. Raises ProtocolError."""
        if self.form.encoding == "s16be":
            data = np.frombuffer(data, np.uint16).byteswap().tobytes()
        self._fed = True
        if number is None:
            self._join([Frame(0, data, at)])
        else:
            self._join(self._order.push(Frame(number, data, at)))

    def skip(self, seconds: float) -> None:
        """So much audio is missing here. Raises ProtocolError."""
        self.writer.push(self.joiner.skip(int(seconds * self.form.rate)))

    def flush(self) -> None:
        """Whatever is held is a piece, too."""
        self._join(self._order.flush())
        self.writer.push(self.joiner.flush())

    def flush_if_quiet(self) -> None:
        """The same if no frame has come since the last time."""
        if not self._fed:
            self.flush()
        self._fed = False

    def settle(self) -> None:
        """After a drain: audio of another socket may have come in before what is held."""
        if self.writer.shifted:
            self.joiner.shift(self.writer.shifted)
            self.writer.shifted = 0

    def say_what_was_left_out(self) -> None:
        """In the log, at the end."""
        if self._timeline.left_out:
            log.info("what was sent before was left out", extra=self._about | {"samples": self._timeline.left_out})

    def _join(self, frames: list[Frame]) -> None:
        pieces: list[Piece] = []
        for frame in frames:
            pieces += self._timeline.add(frame)
        if pieces:
            self.writer.push(pieces)
        if self._timeline.clock_is_wrong and self.writer.clocked:
            self.writer.clocked = False
            log.warning("the sender's clock does not count its frames: it is ignored", extra=self._about)
