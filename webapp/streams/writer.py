"""Puts tracks' pieces into the journal, in order, whatever the store and other sockets do.

A writer numbers its track's chunks from the journal's last number, so it can repeat a put whose answer was lost. Pieces
that it cannot put yet wait, up to PATIENCE_SECONDS of audio. Then it drops the oldest, and the next chunk that the
store takes records the hole as a gap."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
import redis

from state.calls.ingest import MAX_GAP, Chunk, Ingest, Put, PutAnswer
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
        call_id: str,
        track: str,
        encoding: Encoding,
        rate: int,
        place: Place,
        clocked: bool,
        reclaim: Callable[[str], Place],
    ) -> None:
        self._call_id = call_id
        self._track = track
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
        """Take pieces; `drain` puts them."""
        for piece in pieces:
            self._waiting.append(piece)
            self._waiting_samples += piece.samples

    def offer(self) -> Put | None:
        """What to put next; None if nothing waits, or the last try was a moment ago and in vain."""
        if not self._waiting or time.monotonic() < self._retry_at:
            return None
        while (hole := self._waiting[0].at - self._place.samples) < 0:  # sent before, over another socket
            self._replace_first(-hole)
            if not self._waiting:
                return None
        piece = self._waiting[0]
        missing, samples = 0, piece.samples
        if hole:  # a missing chunk counts as long as the one that follows: cut that so that the clock comes out right
            missing = min(-(-hole // piece.samples), MAX_GAP)
            samples = min(piece.samples, max(1, hole // missing))
        chunk = Chunk(piece.audio[: samples * self._width], self._encoding, self._rate)
        return Put(self._track, self._place.next_seq + missing, chunk, missing > 0)

    def take(self, put: Put, answer: PutAnswer) -> bool:
        """What became of an offer. Returns whether to offer more. Raises CallEnded, Superseded, OtherSender,
        ProtocolError, redis.RedisError."""
        outcome = answer.outcome
        if outcome == "OK" or (outcome == "DUP" and answer.next_seq == put.seq + 1):
            samples = put.chunk.samples
            chunks = put.seq + 1 - self._place.next_seq
            self._place = Place(put.seq + 1, self._place.samples + chunks * samples, self._rate)
            self._taken.append(Piece(self._place.samples - samples, put.chunk.audio, samples))
            self._replace_first(samples)
            return True
        if outcome == "BUSY":
            self.wait()
            return False
        if outcome == "CLOSED":
            raise CallEnded
        if outcome == "FOREIGN":
            raise OtherSender
        if outcome == "RATE":
            raise ProtocolError(f"track {self._track} had another sample rate before")
        if outcome == "TRACKS":
            raise ProtocolError("the call has too many tracks")
        self._look_again()
        return True

    def wait(self) -> None:
        """Offer nothing for a moment."""
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def forget(self) -> None:
        """Give up what waits for too long."""
        while self._waiting_samples > PATIENCE_SECONDS * self._rate:
            dropped = self._waiting.popleft()
            self._waiting_samples -= dropped.samples
            log.warning("audio dropped: it cannot be taken", extra=self._about({"samples": dropped.samples}))

    def _look_again(self) -> None:
        """The journal does not stand where we left it."""
        before, self._place = self._place, self._reclaim(self._track)
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

    def _replace_first(self, samples: int) -> None:
        """So many samples of the first piece need not wait any longer."""
        first = self._waiting.popleft()
        self._waiting_samples -= first.samples
        if samples < first.samples:
            rest = Piece(first.at + samples, first.audio[samples * self._width :], first.samples - samples)
            self._waiting.appendleft(rest)
            self._waiting_samples += rest.samples

    def _about(self, more: dict[str, object]) -> dict[str, object]:
        return {"call_id": self._call_id, "track": self._track, **more}


def drain(ingest: Ingest, call_id: str, sender: Sender, writers: Sequence[Writer]) -> None:
    """Put what waits, of all tracks of a call together. Raises CallEnded, Superseded, OtherSender, ProtocolError."""
    asking = writers
    while offers := [(writer, put) for writer in asking if (put := writer.offer()) is not None]:
        try:
            answers = ingest.put_together(call_id, [put for _, put in offers], sender)
            asking = [writer for (writer, put), answer in zip(offers, answers, strict=True) if writer.take(put, answer)]
        except redis.RedisError as error:
            log.warning("redis refused chunks", extra={"call_id": call_id, "error": repr(error)})
            for writer, _ in offers:
                writer.wait()
            break
    for writer in writers:
        writer.forget()
