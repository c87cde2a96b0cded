"""Dead letters: chunks that no decoder could decode and utterances that no scorer could score, kept for people to see.
The jobs process can try a chunk again."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import redis

from state.server.entries import name_entry, read_entry_id, read_entry_name
from state.server.shards import Shard, Shards, shards_of


class Redriven(msgspec.Struct, frozen=True):
    """The result of decoding a dead chunk alone: its text ("" if nobody spoke), or why it failed again."""

    text: str
    error: str = ""


class DeadLetter(msgspec.Struct, frozen=True):
    """A chunk that was given up. `id` names its entry in the stream and holds the moment (ms since 1970) it was."""

    id: str
    call_id: str
    track: str
    seq: int
    reason: str
    encoding: str
    rate: int
    audio: bytes
    redriven: Redriven | None


class SetAside(msgspec.Struct, frozen=True):
    """An utterance that could not be scored. `id` names its entry in the stream; `reason` quotes nothing."""

    id: str
    call_id: str
    utterance_id: str
    reason: str


_redriven = msgspec.json.Decoder(Redriven)


class DeadLetters:
    """The dead letters of the fleet. Every method is safe to repeat."""

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)

    def all(self) -> list[DeadLetter]:
        """Every dead chunk, oldest first."""
        return sorted((letter for shard in self._shards for letter in _range(shard, "-", "+")), key=_at)

    def set_aside(self) -> list[SetAside]:
        """Every utterance that could not be scored, oldest first."""
        found = []
        for shard in self._shards:
            for name, fields in cast(list[tuple[bytes, dict[bytes, bytes]]], shard.redis.xrange(shard.keys.dead)):
                if b"i" in fields:
                    said = (fields[field].decode() for field in (b"c", b"i", b"reason"))
                    found.append(SetAside(name_entry(name, shard.number), *said))
        return sorted(found, key=_at)

    def get(self, letter_id: str) -> DeadLetter | None:
        """One dead chunk, or None. Raises ValueError for what cannot be an id."""
        name, number = read_entry_name(letter_id)
        if number >= len(self._shards):
            return None
        return next(iter(_range(self._shards[number], name, name)), None)

    def note(self, letter_id: str, redriven: Redriven) -> bool:
        """Keep the result of a redrive. False if somebody has dropped the letter."""
        if self.get(letter_id) is None:
            return False
        name, number = read_entry_name(letter_id)
        shard = self._shards[number]
        shard.redis.hset(shard.keys.dead_texts, name, msgspec.json.encode(redriven))
        return True

    def drop(self, letter_id: str) -> bool:
        """Forget a dead letter of either kind. Returns whether there was one. Its mark in the transcript stays."""
        name, number = read_entry_name(letter_id)
        if number >= len(self._shards):
            return False
        shard = self._shards[number]
        shard.redis.hdel(shard.keys.dead_texts, name)
        return bool(shard.redis.xdel(shard.keys.dead, name))


def _range(shard: Shard, first: str, last: str) -> list[DeadLetter]:
    found = cast(list[tuple[bytes, dict[bytes, bytes]]], shard.redis.xrange(shard.keys.dead, first, last))
    entries = [(name, fields) for name, fields in found if b"a" in fields]
    if not entries:
        return []
    ids = [name.decode() for name, _ in entries]
    notes = cast(list[bytes | None], shard.redis.hmget(shard.keys.dead_texts, ids))
    return [
        _letter(name_entry(name, shard.number), fields, note)
        for (name, fields), note in zip(entries, notes, strict=True)
    ]


def _at(letter: DeadLetter | SetAside) -> tuple[int, int, int]:
    text, number = read_entry_name(letter.id)
    return *read_entry_id(text), number


def _letter(letter_id: str, fields: dict[bytes, Any], note: bytes | None) -> DeadLetter:
    return DeadLetter(
        id=letter_id,
        call_id=fields[b"c"].decode(),
        track=fields[b"t"].decode(),
        seq=int(fields[b"seq"]),
        reason=fields[b"reason"].decode(),
        encoding=fields[b"e"].decode(),
        rate=int(fields[b"r"]),
        audio=fields[b"a"],
        redriven=_redriven.decode(note) if note else None,
    )


def forget_call(shard: Shard, call_id: str) -> None:
    """Remove every dead letter of a call."""
    entries = cast(Any, shard.redis.xrange(shard.keys.dead))
    gone = [entry for entry, fields in entries if fields.get(b"c") == call_id.encode()]
    if gone:
        shard.redis.xdel(shard.keys.dead, *gone)
        shard.redis.hdel(shard.keys.dead_texts, *gone)
