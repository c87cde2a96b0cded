"""One socket's call: events in, chunks out."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping

import msgspec
import redis

from state.calls.streams import OtherSender, Place
from state.types import Sender
from webapp.store import Store
from webapp.streams.channels import Channels
from webapp.streams.events import Audio, Event, Form, Lost, Message, Parser, ProtocolError, Say, Start, Told
from webapp.streams.insisting import TryLater, insist
from webapp.streams.track import Track
from webapp.streams.writer import CallEnded, Own, Superseded, drain

log = logging.getLogger("earshot.web.streams")

TICK_SECONDS = 1.0
"""Seconds for which a joiner keeps what it has when no more audio comes."""

HOLDS_A_GRACE = 3
"""Signs of life to the store within the time that a call may be without a socket."""

LAST_TRIES_SECONDS = 10.0
"""Most seconds that a finished socket waits for the store to take its last audio."""

OPENING_SECONDS = 5.0
"""Most seconds that a new call waits for the store. Then the sender hears that it should come back."""

CLOCK_FROM_ZERO_MS = 60_000
"""Milliseconds below which a sender's clock counts from the call's start. One that begins later counts from elsewhere
(1970)."""


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
        self._tracks: dict[str, Track] = {}
        self._channels = Channels()
        self._kept: list[Audio] = []  # of the same tracks and form, without number and clock: handled as one
        self._zero_ms: float | None = None
        self._next_tick = self._next_hold = 0.0
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
        """Handle events. Returns the messages for the sender. `put` or `tick` puts their audio."""
        replies: list[Message] = []
        for event in events:
            if isinstance(event, Audio):
                self._keep(event)
                continue
            if isinstance(event, Say):
                replies.append(event.message)
                continue
            self._settle()
            if isinstance(event, Start):
                self._begin(event)
            elif isinstance(event, Told):
                self._tell(event)
            elif isinstance(event, Lost):
                for track in self._tracks.values():
                    track.skip(event.seconds)
            else:
                self.stop()
                if event.goodbye is not None:
                    replies.append(event.goodbye)
        return replies

    def put(self) -> None:
        """Put whole chunks into the journal, and what the store refused before."""
        self._settle()
        if self._start is None:
            return
        drain(self._store.ingest, self._start.call_id, self._sender, [track.writer for track in self._tracks.values()])
        for track in self._tracks.values():
            track.settle()

    def tick(self) -> None:
        """Call it about once a second, or whenever messages were taken. It puts, now and then also what waits in
        joiners, and sends signs of life."""
        self._settle()
        now = time.monotonic()
        if self._start is not None and now >= self._next_tick:
            self._next_tick = now + TICK_SECONDS
            for track in self._tracks.values():
                track.flush_if_quiet()
        self.put()
        if self._start is not None and now >= self._next_hold:
            self._next_hold = now + self._store.settings.stream_grace_seconds / HOLDS_A_GRACE
            try:
                self._hold(list(self._tracks), take_over=False)
            except redis.RedisError as error:
                log.warning("redis refused a sign of life", extra={"call_id": self.call_id, "error": repr(error)})

    def stop(self) -> None:
        """The sender has finished: take the rest and, if no other socket is at the call, end it."""
        if self.stopped or self._start is None:
            self._stopped = True
            return
        self._stopped = True
        call_id = self._start.call_id
        self._empty()
        ended = insist(
            lambda: self._store.ingest.end(call_id, sender=self._sender, socket=self._socket),
            LAST_TRIES_SECONDS,
            call_id,
        )
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
                track.flush()
            self.put()
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
        if insist(lambda: self._store.under_pressure(start.call_id), OPENING_SECONDS, start.call_id):
            raise TryLater
        self._start = start
        insist(lambda: self._hold([], take_over=False), OPENING_SECONDS, start.call_id)
        now = time.monotonic()
        self._next_tick = now + TICK_SECONDS
        self._next_hold = now + self._store.settings.stream_grace_seconds / HOLDS_A_GRACE

    def _create(self) -> None:
        """The call comes with its first audio: a leg that brings none, a consultation nobody answered, is no call."""
        assert self._start is not None
        start = self._start
        outcome = insist(
            lambda: self._store.ingest.create(start.call_id, start.tracks, start.metadata, self._sender),
            OPENING_SECONDS,
            start.call_id,
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

    def _keep(self, audio: Audio) -> None:
        if self._start is None:
            raise ProtocolError("audio came before the call was announced")
        if audio.number is not None or audio.at_ms is not None:
            self._settle()
            self._audio(audio)
            return
        if self._kept and (self._kept[0].tracks, self._kept[0].form) != (audio.tracks, audio.form):
            self._settle()
        self._kept.append(audio)

    def _settle(self) -> None:
        """Handle what was kept."""
        if self._kept:
            kept, self._kept = self._kept, []
            self._audio(msgspec.structs.replace(kept[0], data=b"".join([one.data for one in kept])))

    def _audio(self, audio: Audio) -> None:
        at_ms = audio.at_ms
        for name, data in self._channels.apart(audio):
            track = self._tracks.get(name) or self._open(name, audio.form, clocked=at_ms is not None)
            if track.form != audio.form:
                raise ProtocolError(f"the audio's form changed within track {name}")
            track.take(data, audio.number, None if at_ms is None else self._position(track, at_ms))

    def _open(self, name: str, form: Form, clocked: bool) -> Track:
        assert self._start is not None
        if not self._there:
            self._create()
        call_id = self._start.call_id
        (place,) = insist(lambda: self._hold([name], take_over=True), OPENING_SECONDS, call_id)
        if place.rate not in (None, form.rate):
            raise ProtocolError(f"track {name} had {place.rate} Hz before; this is {form.rate}")
        chunk_ms = self._store.settings.stream_chunk_ms
        track = self._tracks[name] = Track(call_id, name, form, chunk_ms, place, clocked, self._reclaim)
        who = named_on(name, self._start.metadata)
        if self._joined and who:
            self._tell(Told("join", name, who=who))
        return track

    def _reclaim(self, name: str) -> Place:
        return self._hold([name], take_over=False)[0]

    def _position(self, track: Track, at_ms: float) -> int:
        """The sender's clock on the track's. The tracks of a stream share it, so that they stay side by side."""
        if self._zero_ms is None:
            assert self._start is not None
            start = self._start
            end = track.joiner.end
            proposed = 1000 * end / track.form.rate - (0 if end == 0 and at_ms <= CLOCK_FROM_ZERO_MS else at_ms)
            self._zero_ms = insist(
                lambda: self._store.streams.clock_zero(start.call_id, start.stream, proposed),
                OPENING_SECONDS,
                start.call_id,
            )
        return round((self._zero_ms + at_ms) * track.form.rate / 1000)

    def _empty(self) -> None:
        """Put all held audio into the journal, within LAST_TRIES_SECONDS."""
        self._settle()
        deadline = time.monotonic() + LAST_TRIES_SECONDS
        for track in self._tracks.values():
            track.flush()
            track.say_what_was_left_out()
        self.put()
        while waiting := [name for name, track in self._tracks.items() if track.writer.waiting]:
            if time.monotonic() > deadline:
                log.warning("last audio given up", extra={"call_id": self.call_id, "tracks": " ".join(waiting)})
                break
            time.sleep(0.2)
            self.put()
