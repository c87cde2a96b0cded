"""Puts one track's pieces into the journal, in order, whatever the store and other sockets do.

It numbers chunks from the journal's last number, so it can repeat a put whose answer was lost. Pieces that it cannot
put yet wait, up to PATIENCE_SECONDS of audio. Then it drops the oldest, and the next chunk that the store takes records
the hole as a gap."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

import msgspec
import redis

from state.calls.ingest import MAX_GAP, Chunk, Ingest
from state.calls.streams import OtherSender, Place
from state.types import SAMPLE_BYTES, Encoding, Sender
from webapp.streams.events import ProtocolError
from webapp.streams.joiner import Piece

log = logging.getLogger("earshot.web.streams")

PATIENCE_SECONDS = 30
"""Most seconds of audio that wait while the store is away or its backlog full: 240 kB a track in G.711."""

RETRY_SECONDS = 1.0
"""Seconds between two tries in that case."""

KEPT = 4
"""Chunks kept after the store took them. A store that restarts may have lost its last second."""


class CallEnded(Exception):
    """The call takes no more audio."""


class Superseded(Exception):
    """Another socket sends this track now."""


class Own(msgspec.Struct, frozen=True):
    """The last stretch of a track in which all audio is this socket's: chunks from `first_seq` to before `next_seq`,
    seconds of the track's clock."""

    first_seq: int
    next_seq: int
    start: float
    end: float


class Writer:
    """One track. reclaim: asks the store whether the track is still ours, and for its position; may raise."""

    def __init__(
        self,
        ingest: Ingest,
        sender: Sender,
        call_id: str,
        track: str,
        encoding: Encoding,
        rate: int,
        place: Place,
        clocked: bool,
        reclaim: Callable[[str], Place],
    ) -> None:
        self._ingest = ingest
        self._sender = sender
        self._names = (call_id, track)
        self._encoding: Encoding = encoding
        self._width = SAMPLE_BYTES[encoding]
        self._rate = rate
        self._place = self._own_from = place
        self.clocked = clocked
        self._reclaim = reclaim
        self._waiting: deque[Piece] = deque()
        self._waiting_samples = 0
        self._taken: deque[Piece] = deque(maxlen=KEPT)
        self._retry_at = 0.0
        self.shifted = 0
        """Samples by which audio of another socket came in before ours, not yet told to the joiner."""

    @property
    def own(self) -> Own:
        begin, end = self._own_from, self._place
        return Own(begin.next_seq, end.next_seq, begin.samples / self._rate, end.samples / self._rate)

    @property
    def waiting(self) -> bool:
        return bool(self._waiting)

    def push(self, pieces: list[Piece]) -> None:
        """Take pieces and put what can be put. Raises CallEnded, Superseded, OtherSender, ProtocolError."""
        for piece in pieces:
            self._waiting.append(piece)
            self._waiting_samples += piece.samples
        while self._waiting_samples > PATIENCE_SECONDS * self._rate:
            dropped = self._waiting.popleft()
            self._waiting_samples -= dropped.samples
            log.warning("audio dropped: it cannot be taken", extra=self._about({"samples": dropped.samples}))
        self.drain()

    def drain(self) -> None:
        """Put what waits, unless that was tried a moment ago in vain. Raises as push does."""
        if self._waiting and time.monotonic() >= self._retry_at:
            try:
                while self._waiting and self._put():
                    pass
            except redis.RedisError as error:
                log.warning("redis refused a chunk", extra=self._about({"error": repr(error)}))
                self._retry_at = time.monotonic() + RETRY_SECONDS

    def _put(self) -> bool:
        """Put the first piece, or a part of it. Whether to go on."""
        piece = self._waiting[0]
        hole = piece.at - self._place.samples
        if hole < 0:  # sent before, over another socket
            self._replace_first(self._after(piece, -hole))
            return True
        missing, samples = 0, piece.samples
        if hole:  # a missing chunk counts as long as the one that follows: cut that so that the clock comes out right
            missing = min(-(-hole // piece.samples), MAX_GAP)
            samples = min(piece.samples, max(1, hole // missing))
        seq = self._place.next_seq + missing
        audio = piece.audio[: samples * self._width]
        chunk = Chunk(audio, self._encoding, self._rate)
        answer = self._ingest.put(*self._names, seq, chunk, missing > 0, self._sender)
        outcome = answer.outcome
        if outcome == "OK" or (outcome == "DUP" and answer.next_seq == seq + 1):
            self._place = Place(seq + 1, self._place.samples + (missing + 1) * samples, self._rate)
            self._taken.append(Piece(self._place.samples - samples, audio, samples))
            self._replace_first(self._after(piece, samples))
            return True
        if outcome == "BUSY":
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return False
        if outcome == "CLOSED":
            raise CallEnded
        if outcome == "FOREIGN":
            raise OtherSender
        if outcome == "RATE":
            raise ProtocolError(f"track {self._names[1]} had another sample rate before")
        if outcome == "TRACKS":
            raise ProtocolError("the call has too many tracks")
        self._look_again()
        return True

    def _look_again(self) -> None:
        """The journal does not stand where we left it."""
        before, self._place = self._place, self._reclaim(self._names[1])
        log.info("journal moved", extra=self._about({"from": before.next_seq, "to": self._place.next_seq}))
        if self._place.next_seq > before.next_seq or self._place.next_seq < self._own_from.next_seq:
            self._own_from = self._place
        if self._place.samples < before.samples:  # the store restarted and lost what it had not written
            again = [piece for piece in self._taken if piece.at >= self._place.samples]
            self._waiting.extendleft(reversed(again))
            self._waiting_samples += sum(piece.samples for piece in again)
            self._taken.clear()
        elif not self.clocked:  # another socket flushed its last audio: ours comes after it
            moved = self._place.samples - before.samples
            self._waiting = deque(Piece(p.at + moved, p.audio, p.samples) for p in self._waiting)
            self.shifted += moved

    def _after(self, piece: Piece, samples: int) -> Piece | None:
        if samples >= piece.samples:
            return None
        return Piece(piece.at + samples, piece.audio[samples * self._width :], piece.samples - samples)

    def _replace_first(self, rest: Piece | None) -> None:
        first = self._waiting.popleft()
        self._waiting_samples -= first.samples
        if rest is not None:
            self._waiting.appendleft(rest)
            self._waiting_samples += rest.samples

    def _about(self, more: dict[str, object]) -> dict[str, object]:
        return {"call_id": self._names[0], "track": self._names[1], **more}
