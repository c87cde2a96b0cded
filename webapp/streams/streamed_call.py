"""One socket's call: events in, chunks out."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
import numpy as np
import redis

from state.calls.streams import OtherSender, Place
from state.types import SAMPLE_BYTES, Encoding, Sender
from webapp.store import Store
from webapp.streams.events import Audio, Event, Form, Lost, Message, Parser, ProtocolError, Say, Start, Told
from webapp.streams.joiner import Frame, Joiner, Order, Piece
from webapp.streams.timeline import Timeline
from webapp.streams.writer import CallEnded, Own, Superseded, Writer

log = logging.getLogger("earshot.web.streams")

TICK_SECONDS = 1.0
"""Seconds between two signs of life to the store. When no more audio comes, a joiner keeps its audio for so long,
too."""

LAST_TRIES_SECONDS = 10.0
"""Most seconds that a finished socket waits for the store to take its last audio."""

OPENING_SECONDS = 5.0
"""Most seconds that a new call waits for the store. Then the sender hears that it should come back."""

CLOCK_FROM_ZERO_MS = 60_000
"""Milliseconds below which a sender's clock counts from the call's start. One that begins later counts from elsewhere
(1970)."""

T = TypeVar("T")


class TryLater(Exception):
    """The store is full, away, or has too much to do for another call."""


class _Track(msgspec.Struct):
    form: Form
    joiner: Joiner
    writer: Writer
    order: Order
    timeline: Timeline
    fed: bool = False


def named_on(track: str, metadata: Mapping[str, str]) -> str:
    """Who is on a track: `agent` names the person on agent, and on agent-2. "" if the metadata names nobody."""
    return metadata.get(track) or metadata.get(track.partition("-")[0], "")


class StreamedCall:
    """Not safe to use from two threads. Every method raises ProtocolError, CallEnded, Superseded, OtherSender or
    TryLater."""

    def __init__(self, store: Store, parser: Parser, sender: Sender) -> None:
        self._store = store
        self._sender = sender
        self._parser = parser
        self._socket = uuid.uuid4().hex
        self._start: Start | None = None
        self._tracks: dict[str, _Track] = {}
        self._rest: dict[tuple[str, ...], bytes] = {}
        self._zero_ms: float | None = None
        self._next_tick = 0.0
        self._joined = False  # the call was there before this socket
        self._there = False  # the call is there
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """The sender has finished; the socket may be closed."""
        return self._stopped

    @property
    def call_id(self) -> str | None:
        return self._start.call_id if self._start else None

    @property
    def due_seconds(self) -> float:
        """Seconds of audio until the next chunk is whole. It puts nothing earlier, unless no audio comes at all."""
        return min((track.joiner.short_seconds for track in self._tracks.values()), default=0.0)

    def own(self, track: str) -> Own | None:
        """The part of a track that is this socket's own audio; None before its first frame."""
        found = self._tracks.get(track)
        return found.writer.own if found else None

    def take(self, message: Message) -> list[Message]:
        """Handle a message. Returns the messages for the sender."""
        return self.apply(self._parser.feed(message))

    def apply(self, events: list[Event]) -> list[Message]:
        """Handle events. Returns the messages for the sender."""
        replies: list[Message] = []
        for event in events:
            if isinstance(event, Audio):
                self._audio(event)
            elif isinstance(event, Start):
                self._begin(event)
            elif isinstance(event, Told):
                self._tell(event)
            elif isinstance(event, Say):
                replies.append(event.message)
            elif isinstance(event, Lost):
                for track in self._tracks.values():
                    track.writer.push(track.joiner.skip(int(event.seconds * track.form.rate)))
            else:
                self.stop()
                if event.goodbye is not None:
                    replies.append(event.goodbye)
        return replies

    def tick(self) -> None:
        """Call it about once a second. It sends signs of life, and puts audio that the store has refused and that waits
        in joiners."""
        now = time.monotonic()
        if self._start is None or now < self._next_tick:
            return
        self._next_tick = now + TICK_SECONDS
        try:
            self._hold(list(self._tracks), take_over=False)
        except redis.RedisError as error:
            log.warning("redis refused a sign of life", extra={"call_id": self.call_id, "error": repr(error)})
        for track in self._tracks.values():
            if not track.fed:
                self._flush(track)
            track.fed = False
            track.writer.drain()

    def stop(self) -> None:
        """The sender has finished: take the rest and, if no other socket is at the call, end it."""
        if self.stopped or self._start is None:
            self._stopped = True
            return
        self._stopped = True
        call_id = self._start.call_id
        self._empty()
        ended = self._insist(lambda: self._store.ingest.end(call_id, sender=self._sender, socket=self._socket))
        for track in ended.left:  # this leg is over, the call goes on
            self._tell(Told("leave", track))

    def drop(self) -> None:
        """The socket is gone without a word: take the rest. The call waits for the grace time."""
        if self.stopped or self._start is None:
            return
        self._stopped = True
        try:
            self._empty()
            self._hold(list(self._tracks), take_over=False)
        except (CallEnded, Superseded, OtherSender, ProtocolError, TryLater, redis.RedisError) as error:
            log.info("a dropped socket's last audio was not taken", extra={"call_id": self.call_id, "why": repr(error)})

    def _tell(self, told: Told) -> None:
        """Nothing waits for it: a lost key press costs less than audio that comes late."""
        if self._start is None:
            return
        if told.kind == "hold":  # audio from before it does not come during it
            for track in self._tracks.values():
                self._flush(track)
        try:
            self._store.happenings.tell(self._start.call_id, told.kind, told.track, told.to, self._sender, told.who)
        except redis.RedisError as error:
            log.warning("redis refused an event of the line", extra={"call_id": self.call_id, "error": repr(error)})

    # -- the call -------------------------------------------------------------------------------------------

    def _begin(self, start: Start) -> None:
        if self._start is not None:
            if start.call_id != self._start.call_id:
                raise ProtocolError("a second call on one socket")
            return
        if self._insist(lambda: self._store.under_pressure(start.call_id), OPENING_SECONDS):
            raise TryLater
        self._start = start
        self._insist(lambda: self._hold([], take_over=False), OPENING_SECONDS)
        self._next_tick = time.monotonic() + TICK_SECONDS

    def _create(self) -> None:
        """The call comes with its first audio: a leg that brings none, a consultation nobody answered, is no call."""
        assert self._start is not None
        start = self._start
        outcome = self._insist(
            lambda: self._store.ingest.create(start.call_id, start.tracks, start.metadata, self._sender),
            OPENING_SECONDS,
        )
        if outcome == "FOREIGN":
            raise OtherSender
        if outcome == "BUSY":
            raise TryLater
        self._there, self._joined = True, outcome != "CREATED"
        log.info("stream begins", extra={"call_id": start.call_id, "call": outcome})

    def _hold(self, tracks: list[str], take_over: bool) -> list[Place]:
        assert self._start is not None
        outcome, places = self._store.streams.hold(self._start.call_id, self._socket, tracks, take_over, self._sender)
        if outcome == "CLOSED":
            raise CallEnded
        if outcome == "FOREIGN":
            raise OtherSender
        if outcome == "TAKEN":
            raise Superseded
        return places

    # -- audio ----------------------------------------------------------------------------------------------

    def _audio(self, audio: Audio) -> None:
        if self._start is None:
            raise ProtocolError("audio came before the call was announced")
        if len(audio.tracks) == 1 and audio.tracks not in self._rest and len(audio.data) % audio.form.sample_bytes == 0:
            self._frame(audio.tracks[0], audio.form, audio.data, audio.number, audio.at_ms)
            return
        width = audio.form.sample_bytes
        data = self._rest.pop(audio.tracks, b"") + audio.data
        whole = len(data) // (width * len(audio.tracks)) * width * len(audio.tracks)
        if whole < len(data):
            self._rest[audio.tracks] = data[whole:]
        if not whole:
            return
        samples = np.frombuffer(data[:whole], np.uint8).reshape(-1, len(audio.tracks), width)
        for n, track in enumerate(audio.tracks):
            self._frame(track, audio.form, samples[:, n].tobytes(), audio.number, audio.at_ms)

    def _frame(self, name: str, form: Form, data: bytes, number: int | None, at_ms: float | None) -> None:
        track = self._tracks.get(name) or self._open(name, form, clocked=at_ms is not None)
        if track.form != form:
            raise ProtocolError(f"the audio's form changed within track {name}")
        if form.encoding == "s16be":
            data = np.frombuffer(data, np.uint16).byteswap().tobytes()
        at = self._position(track, at_ms) if at_ms is not None else None
        track.fed = True
        frame = Frame(0 if number is None else number, data, at)
        pieces: list[Piece] = []
        for one in [frame] if number is None else track.order.push(frame):
            pieces += self._join(track, one)
        if pieces:
            self._push(track, pieces)

    def _join(self, track: _Track, frame: Frame) -> list[Piece]:
        pieces = track.timeline.add(frame)
        if track.timeline.clock_is_wrong and track.writer.clocked:
            track.writer.clocked = False
            log.warning("the sender's clock does not count its frames: it is ignored", extra={"call_id": self.call_id})
        return pieces

    def _open(self, name: str, form: Form, clocked: bool) -> _Track:
        assert self._start is not None
        if not self._there:
            self._create()
        encoding: Encoding = "s16le" if form.encoding == "s16be" else form.encoding
        (place,) = self._insist(lambda: self._hold([name], take_over=True), OPENING_SECONDS)
        call_id = self._start.call_id
        if place.rate not in (None, form.rate):
            raise ProtocolError(f"track {name} had {place.rate} Hz before; this is {form.rate}")
        joiner = Joiner(encoding, form.rate, self._store.settings.stream_chunk_ms, place.samples)
        track = _Track(
            form,
            joiner,
            Writer(self._store.ingest, self._sender, call_id, name, encoding, form.rate, place, clocked, self._reclaim),
            Order(),
            Timeline(joiner, SAMPLE_BYTES[encoding]),
        )
        self._tracks[name] = track
        who = named_on(name, self._start.metadata)
        if self._joined and who:
            self._tell(Told("join", name, who=who))
        return track

    def _reclaim(self, name: str) -> Place:
        return self._hold([name], take_over=False)[0]

    def _position(self, track: _Track, at_ms: float) -> int:
        """The sender's clock on the track's. The tracks of a stream share it, so that they stay side by side."""
        if self._zero_ms is None:
            assert self._start is not None
            start = self._start
            end = track.joiner.end
            proposed = 1000 * end / track.form.rate - (0 if end == 0 and at_ms <= CLOCK_FROM_ZERO_MS else at_ms)
            self._zero_ms = self._insist(
                lambda: self._store.streams.clock_zero(start.call_id, start.stream, proposed), OPENING_SECONDS
            )
        return round((self._zero_ms + at_ms) * track.form.rate / 1000)

    def _push(self, track: _Track, pieces: list[Piece]) -> None:
        track.writer.push(pieces)
        if track.writer.shifted:
            track.joiner.shift(track.writer.shifted)
            track.writer.shifted = 0

    def _flush(self, track: _Track) -> None:
        pieces = []
        for frame in track.order.flush():
            pieces += self._join(track, frame)
        self._push(track, pieces + track.joiner.flush())

    def _empty(self) -> None:
        """Put all held audio into the journal, within LAST_TRIES_SECONDS."""
        deadline = time.monotonic() + LAST_TRIES_SECONDS
        for name, track in self._tracks.items():
            self._flush(track)
            if track.timeline.left_out:
                about = {"call_id": self.call_id, "track": name, "samples": track.timeline.left_out}
                log.info("what was sent before was left out", extra=about)
            while track.writer.waiting:
                if time.monotonic() > deadline:
                    log.warning("last audio given up", extra={"call_id": self.call_id, "track": name})
                    break
                time.sleep(0.2)
                track.writer.drain()

    def _insist(self, ask: Callable[[], T], seconds: float = LAST_TRIES_SECONDS) -> T:
        deadline = time.monotonic() + seconds
        while True:
            try:
                return ask()
            except redis.RedisError as error:
                if time.monotonic() > deadline:
                    log.warning("redis refused", extra={"call_id": self.call_id, "error": repr(error)})
                    raise TryLater from None
                time.sleep(0.3)
