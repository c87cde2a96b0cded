"""The audio that people hear, by the second of the call, and who is listening. Decoders never look at it: see
`listen:` in keys.py."""

from __future__ import annotations

from math import inf
from typing import Any, cast

import msgspec
import redis

from state.server.shards import Shards, shards_of
from state.types import Encoding

PIECE_CHUNKS = 512
"""Chunks of a track in one read: 10 s in chunks of 20 ms, the smallest that telephony makes."""


class Sound(msgspec.Struct, frozen=True):
    """A kept chunk. first: index of its first sample in the track; samples: how many; rate: of them, in Hz."""

    first: int
    samples: int
    rate: int
    encoding: Encoding
    audio: bytes

    @property
    def start(self) -> float:
        """Second of the call in which it begins."""
        return self.first / self.rate

    @property
    def end(self) -> float:
        return (self.first + self.samples) / self.rate


class Listening:
    """The audio of calls that people may hear."""

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)

    def ends(self, call_id: str) -> dict[str, tuple[Sound, Sound]] | None:
        """The oldest and the newest kept chunk of each track that has any. None for an unknown call."""
        shard = self._shards.of(call_id)
        stored = cast(bytes | None, shard.redis.hget(shard.keys.call(call_id), "tracks"))
        if stored is None:
            return None
        names = stored.decode().split()
        pipe = shard.redis.pipeline(transaction=False)
        for name in names:
            pipe.xrange(shard.keys.listen(call_id, name), count=1)
            pipe.xrevrange(shard.keys.listen(call_id, name), count=1)
        answers = iter(pipe.execute() if names else [])
        pairs = [(name, next(answers), next(answers)) for name in names]
        return {name: (read_sound(first[0]), read_sound(last[0])) for name, first, last in pairs if first and last}

    def read(self, call_id: str, tracks: list[str], start: float, end: float) -> dict[str, list[Sound]]:
        """The kept chunks of each track that have something between the seconds start and end, oldest first."""
        shard = self._shards.of(call_id)
        pipe = shard.redis.pipeline(transaction=False)
        for name in tracks:
            key = shard.keys.listen(call_id, name)
            start_ms = int(start * 1000)
            pipe.xrevrange(key, max=str(start_ms), count=1)  # the chunk that contains `start`
            pipe.xrange(key, min=str(start_ms + 1), max=str(int(end * 1000)), count=PIECE_CHUNKS)
        answers = iter(pipe.execute() if tracks else [])
        found = {name: [read_sound(entry) for entry in (*next(answers), *next(answers))] for name in tracks}
        return {name: [one for one in sounds if one.end > start and one.start < end] for name, sounds in found.items()}

    def next_start(self, call_id: str, tracks: list[str], second: float) -> float:
        """Start of the first kept chunk that begins at `second` or later; infinity if there is none."""
        shard = self._shards.of(call_id)
        pipe = shard.redis.pipeline(transaction=False)
        for name in tracks:
            pipe.xrange(shard.keys.listen(call_id, name), min=str(int(second * 1000)), count=1)
        return min((read_sound(entries[0]).start for entries in pipe.execute() if entries), default=inf)

    def goes_on(self, call_id: str, digest: str) -> bool:
        """Whether this person was listening to the call a moment ago."""
        shard = self._shards.of(call_id)
        return bool(shard.redis.exists(shard.keys.listening(call_id, digest)))

    def note(self, call_id: str, digest: str, seconds: int) -> None:
        """Note that this person listens to the call. The note goes after `seconds` if nobody renews it."""
        shard = self._shards.of(call_id)
        shard.redis.set(shard.keys.listening(call_id, digest), 1, ex=seconds)


def read_sound(entry: Any) -> Sound:
    """The chunk in an entry of a listen stream."""
    fields = entry[1]
    return Sound(int(fields[b"n"]), int(fields[b"m"]), int(fields[b"r"]), fields[b"e"].decode(), fields[b"a"])
