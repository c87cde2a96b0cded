"""The web's side of the journal: calls begin, chunks come in, calls end."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, cast

import msgspec
import redis

from state.calls.pressure import Pressure
from state.server.shards import Shard, Shards, shards_of
from state.settings import Settings
from state.settings.values import is_recorded, sound_days
from state.tracing import carried, step
from state.types import INSIDE, SAMPLE_BYTES, Encoding, EndReason, Sender

MAX_TRACKS = 8
"""At most so many tracks a call: two parties, a conference, an interpreter. More is a fault of the sender."""

MAX_GAP = 3600
"""At most so many missing chunks for ?on_gap=skip: an hour of one-second chunks."""

LISTEN_PRESSURE_PERCENT = 50
"""Percent of memory in use from which the store keeps no audio for listening. Transcribing comes before listening
in."""

UNSPOOLED_SECONDS, UNSPOOLED_SECONDS_PRESSED = 120, 40
"""At most so many seconds of a recorded track wait for the store of recordings; the second number holds while no audio
is kept for listening. Live calls come before the recording: for sound that waits longer, the file has silence."""

ENDED_AT_ONCE = 200
"""At most so many calls for a decoder to end between two leases: about 50 ms of its time, in short commands."""

Outcome = Literal["OK", "DUP", "OTHER", "GAP", "BUSY", "CLOSED", "RATE", "TRACKS", "FOREIGN"]
Declared = Literal["CREATED", "SAME", "DIFFERS", "FOREIGN", "BUSY"]
"""The outcome of a declaration (see lua/create.lua)."""


class Chunk(msgspec.Struct, frozen=True):
    """A chunk as the journal keeps it: audio bytes, how to read them, and samples a second."""

    audio: bytes
    encoding: Encoding
    rate: int

    @property
    def samples(self) -> int:
        return len(self.audio) // SAMPLE_BYTES[self.encoding]


class Put(msgspec.Struct, frozen=True):
    """A chunk for a track, under this number. skip_gap: the missing chunks before it are given up."""

    track: str
    seq: int
    chunk: Chunk
    skip_gap: bool = False


class PutAnswer(msgspec.Struct, frozen=True):
    """The outcome of a chunk (see lua/ingest.lua), its number, and the number expected next."""

    outcome: Outcome
    seq: int
    next_seq: int


class EndAnswer(msgspec.Struct, frozen=True):
    """The outcome of an end (see lua/end.lua). If SHORT: the track that lacks chunks and the number it expects.
    If OTHERS: the tracks that the socket sent, and nobody else sends now."""

    outcome: Literal["ENDING", "SAME", "UNKNOWN", "ACTIVE", "FOREIGN", "OTHERS", "SHORT"]
    track: str = ""
    next_seq: int = 0
    left: list[str] = []


class Ingest:
    """Writes for a sender. Every method is atomic, and safe to repeat except for put without a number.

    It refuses another sender's call (FOREIGN); see types.Sender.
    """

    def __init__(self, store: Shards | redis.Redis, settings: Settings) -> None:
        self._shards = shards_of(store)
        self._backlog_limit_ms = settings.backlog_limit_seconds * 1000
        self._backlog_limit_bytes = settings.backlog_limit_megabytes * 1_000_000
        self._live_limit = settings.live_calls_limit
        self._track_limit_ms = settings.track_backlog_seconds * 1000
        self._retention_seconds = settings.retention_hours * 3600
        self._listen_seconds = settings.listen_seconds
        self._records = partial(is_recorded, sound_days(settings.sound_days))
        self._grace_ms = int(settings.stream_grace_seconds * 1000)
        self.pressure = Pressure()

    def create(self, call_id: str, tracks: list[str], metadata: dict[str, str], sender: Sender = INSIDE) -> Declared:
        """Declare a call.

        Args:
            call_id: its name.
            tracks: names of its tracks.
            metadata: agent, queue, caller and the like.
            sender: who declares it.

        Returns:
            What became of it: see lua/create.lua.

        Raises:
            redis.RedisError: as the client does.
        """
        described = msgspec.json.encode(metadata, order="sorted")
        digest = hashlib.blake2b(" ".join(tracks).encode() + b"\0" + described, digest_size=16).hexdigest()
        answer = self._shards.of(call_id).run(
            "create",
            call_id=call_id,
            tracks=" ".join(tracks),
            metadata=described,
            digest=digest,
            **self._limits(),
            records=self._records(metadata.get("queue")),
            sender=sender.name,
            sender_reads=sender.reads,
        )
        return cast(Declared, answer["outcome"])

    def put(
        self,
        call_id: str,
        track: str,
        seq: int | None,
        chunk: Chunk,
        skip_gap: bool = False,
        sender: Sender = INSIDE,
    ) -> PutAnswer:
        """Put a chunk into the track's journal.

        Args:
            call_id: the call. An unknown one begins.
            track: the track. An unknown one is added.
            seq: the chunk's number, from 1. None takes the next one and is not safe to repeat.
            chunk: the audio.
            skip_gap: give up the missing chunks before it.
            sender: who sends it.

        Returns:
            What became of it: see lua/ingest.lua.

        Raises:
            redis.RedisError: as the client does. The chunk may be accepted.
        """
        shard = self._shards.of(call_id)
        with step("take chunk", call_id=call_id, track=track):
            fields = self._fields(shard, call_id, track, seq, chunk, skip_gap, sender)
            return PutAnswer(**shard.run("ingest", chunk.audio, **fields))

    def put_together(self, call_id: str, puts: Sequence[Put], sender: Sender = INSIDE) -> list[PutAnswer]:
        """Put a chunk of each of several tracks in one round trip. Each is atomic, not all of them together.

        Args:
            call_id: the call. An unknown one begins.
            puts: the chunks, of different tracks.
            sender: who sends them.

        Returns:
            What became of each: see lua/ingest.lua.

        Raises:
            redis.RedisError: as the client does. Any of the chunks may be accepted.
        """
        shard = self._shards.of(call_id)
        with step("take chunk", call_id=call_id, track=" ".join(put.track for put in puts)):
            runs = [
                ((put.chunk.audio,), self._fields(shard, call_id, put.track, put.seq, put.chunk, put.skip_gap, sender))
                for put in puts
            ]
            return [PutAnswer(**answer) for answer in shard.run_all("ingest", runs)]

    def _fields(
        self, shard: Shard, call_id: str, track: str, seq: int | None, chunk: Chunk, skip_gap: bool, sender: Sender
    ) -> dict[str, Any]:
        """Of lua/ingest.lua."""
        pressed = self.pressure.percent(shard) >= LISTEN_PRESSURE_PERCENT
        listen = 0 if pressed else self._listen_seconds
        self.pressure.add(shard, len(chunk.audio) * (2 if listen else 1))
        return {
            "call_id": call_id,
            "track": track,
            "skip_gap": skip_gap,
            "encoding": chunk.encoding,
            "digest": hashlib.blake2b(chunk.audio, digest_size=8, person=chunk.encoding.encode()).digest(),
            "rate": chunk.rate,
            "samples": chunk.samples,
            **self._limits(),
            "track_limit_ms": self._track_limit_ms,
            "max_tracks": MAX_TRACKS,
            "max_gap": MAX_GAP,
            "listen_seconds": listen,
            "records": self._records(None),
            "record_seconds": UNSPOOLED_SECONDS_PRESSED if pressed else UNSPOOLED_SECONDS,
            "sender": sender.name,
            "sender_reads": sender.reads,
            **({} if seq is None else {"seq": seq}),
            **carried(),
        }

    def end(
        self, call_id: str, last_seq: Mapping[str, int] | None = None, sender: Sender = INSIDE, socket: str = ""
    ) -> EndAnswer:
        """Note that the sender has finished this call.

        Args:
            call_id: the call.
            last_seq: number of the last chunk posted, by track. The call only ends if all chunks up to these are there.
                So a server that lost its last second does not close a call while its sender must send chunks again.
            sender: who says so.
            socket: name of the socket that says so. The call only ends if no other socket sends it.

        Returns:
            What became of it: see lua/end.lua.

        Raises:
            redis.RedisError: as the client does. The call may have ended.
        """
        return self._end(call_id, "sender", last_seq=last_seq or {}, sender=sender, socket=socket)

    def end_idle(self, shard: Shard, idle_seconds: int) -> list[str]:
        """End live calls of the shard without a chunk for idle_seconds (at most ENDED_AT_ONCE). Returns their ids.

        It spares calls with a socket: a party on hold may be silent for long.
        """
        now_ms, keys = shard.now_ms(), shard.keys
        before = now_ms - idle_seconds * 1000
        calls = _overdue(shard, (keys.idle, before), (keys.streaming, now_ms))[:ENDED_AT_ONCE]
        return [call_id for call_id in calls if self._end(call_id, "idle", before, now_ms).outcome == "ENDING"]

    def end_dropped(self, shard: Shard) -> list[str]:
        """End live calls of the shard whose sockets are gone for the grace time (at most ENDED_AT_ONCE). Returns their
        ids.

        A call that also gets chunks over HTTP goes on until none came for the same time.
        """
        now_ms, keys = shard.now_ms(), shard.keys
        before = now_ms - self._grace_ms
        calls = _overdue(shard, (keys.streaming, now_ms), (keys.idle, before))[:ENDED_AT_ONCE]
        return [call_id for call_id in calls if self._end(call_id, "dropped", before, now_ms).outcome == "ENDING"]

    def _end(
        self,
        call_id: str,
        reason: EndReason,
        idle_before_ms: int | None = None,
        gone_before_ms: int | None = None,
        last_seq: Mapping[str, int] = MappingProxyType({}),
        sender: Sender = INSIDE,
        socket: str = "",
    ) -> EndAnswer:
        only_if = {"idle_before_ms": idle_before_ms, "gone_before_ms": gone_before_ms, "socket": socket or None}
        answer = self._shards.of(call_id).run(
            "end",
            call_id=call_id,
            retention_seconds=self._retention_seconds,
            reason=reason,
            posted=[{"track": track, "last_seq": seq} for track, seq in last_seq.items()],
            sender=sender.name,
            sender_reads=sender.reads,
            **{name: value for name, value in only_if.items() if value is not None},
        )
        return EndAnswer(**answer)

    def _limits(self) -> dict[str, int]:
        """Each shard's part of the audio that may wait, and of the calls."""
        count = len(self._shards)
        return {
            "backlog_limit_ms": self._backlog_limit_ms // count,
            "backlog_limit_bytes": self._backlog_limit_bytes // count,
            "live_limit": max(1, self._live_limit // count),
        }


def _overdue(shard: Shard, over: tuple[str, int], kept_by: tuple[str, int]) -> list[str]:
    """Calls whose moment in the first zset has passed, oldest first, except those whose moment in the other has not.
    The exceptions stay due as long as they live. If they were not left out, many of them would hold up the rest."""
    due = cast(list[bytes], shard.redis.zrangebyscore(over[0], "-inf", over[1]))
    kept = set(cast(list[bytes], shard.redis.zrangebyscore(kept_by[0], f"({kept_by[1]}", "+inf"))) if due else ()
    return [call_id.decode() for call_id in due if call_id not in kept]
