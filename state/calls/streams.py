"""Calls that come over sockets: who sends which track, how long a dropped socket may be gone, which words came out.

A socket's process keeps nothing that matters. Another socket, in any process, takes the tracks over (`hold`) and goes
on at the journal's present number and sample. Nobody has to notice a socket's end. It holds its call for one grace time
after another, and decoders end calls that nobody holds (Ingest.end_dropped).
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, cast

import msgspec
import redis

from state.server.shards import Shards, shards_of
from state.settings import Settings
from state.types import INSIDE, Sender, Utterance

_utterance = msgspec.msgpack.Decoder(Utterance)


class Place(msgspec.Struct, frozen=True):
    """Position of a track's journal: number of the next chunk, its first sample, and Hz (None: no chunk yet)."""

    next_seq: int
    samples: int
    rate: int | None


class Heard(msgspec.Struct, frozen=True):
    """What the fleet has decoded of a track so far.

    finals: from the index on that the caller named.  behind_seconds: audio taken and not yet decoded.  finished:
    nothing more will come.  partial_seq: number of the chunk in which the partial begins.  next_seq: number of the next
    chunk.
    """

    finals: list[Utterance]
    partial: str
    behind_seconds: float
    finished: bool
    partial_seq: int = 1
    next_seq: int = 1


class OtherSender(Exception):
    """The call belongs to another sender, and this one may not read it."""


Held = Literal["HELD", "TAKEN", "CLOSED", "FOREIGN"]


class Streams:
    """The sockets' side of the store. Every method is safe to repeat."""

    def __init__(self, store: Shards | redis.Redis, settings: Settings) -> None:
        self._shards = shards_of(store)
        self._grace_ms = int(settings.stream_grace_seconds * 1000)

    def hold(
        self, call_id: str, socket: str, tracks: list[str], take_over: bool, sender: Sender = INSIDE
    ) -> tuple[Held, list[Place]]:
        """Say that `socket` is at the call and sends `tracks`.

        Args:
            call_id: the call. It may be a new one.
            socket: the socket's name.
            tracks: names of the tracks that it sends.
            take_over: take them from other sockets.
            sender: whose socket it is.

        Returns:
            The outcome (see lua/hold.lua). With HELD also each track's position.

        Raises:
            redis.RedisError: as the client does.
        """
        answer = self._shards.of(call_id).run(
            "hold",
            call_id=call_id,
            socket=socket,
            grace_ms=self._grace_ms,
            tracks=tracks,
            take_over=take_over,
            sender=sender.name,
            sender_reads=sender.reads,
        )
        places = [
            Place(place["last_seq"] + 1, place["samples"], place.get("rate")) for place in answer.get("places", ())
        ]
        return cast(Held, answer["outcome"]), places

    def clock_zero(self, call_id: str, stream: str, proposed_ms: float) -> float:
        """Milliseconds to add to a stream's clock for the call's clock: `proposed_ms`, unless one was agreed on
        before."""
        shard = self._shards.of(call_id)
        key = shard.keys.streams(call_id)
        pipe = shard.redis.pipeline(transaction=True)
        field = "b:" + hashlib.blake2b(stream.encode(errors="replace"), digest_size=8).hexdigest()
        pipe.hsetnx(key, field, repr(proposed_ms))
        pipe.expire(key, 86400)  # as in hold.lua: the call may have ended by now, and its key with it
        pipe.hget(key, field)
        return float(pipe.execute()[2])

    def heard(self, call_id: str, track: str, from_index: int, sender: Sender = INSIDE) -> Heard:
        """The track's finals from `from_index` on, and its open utterance's text. Raises OtherSender."""
        shard = self._shards.of(call_id)
        pipe = shard.redis.pipeline(transaction=True)  # it checks the owner at the moment of reading
        pipe.hget(shard.keys.call(call_id), "sender")
        pipe.hmget(
            shard.keys.track(call_id, track),
            ["final_count", "partial", "samples", "done_samples", "rate", "finished", "open_seq", "last_seq"],
        )
        owner, (final_count, partial, samples, done, rate, finished, open_seq, last_seq) = pipe.execute()
        if not sender.reads and owner not in (None, sender.name.encode()):
            raise OtherSender
        names = [f"{track}:{index}" for index in range(from_index, int(final_count or 0))]
        packed = cast(list[Any], shard.redis.hmget(shard.keys.utterances(call_id), names)) if names else []
        return Heard(
            [_utterance.decode(one) for one in packed if one],
            (partial or b"").decode(),
            (int(samples or 0) - int(done or 0)) / int(rate) if rate else 0.0,
            finished == b"1",
            int(open_seq or 1),
            int(last_seq or 0) + 1,
        )

    # -- POST /decode ---------------------------------------------------------------------------------------

    def conversation(self, speaker_id: str) -> int:
        """Number of finished conversations under this id."""
        shard = self._shards.of(speaker_id)
        return int(cast(Any, shard.redis.get(shard.keys.heard(speaker_id))) or 0)

    def next_conversation(self, speaker_id: str, after: int, keep_seconds: int) -> int:
        """Count conversation number `after` + 1 as finished. Returns the new count. Repeated, it counts once."""
        shard = self._shards.of(speaker_id)
        shard.redis.set(shard.keys.heard(speaker_id), after + 1, ex=keep_seconds)
        return after + 1
