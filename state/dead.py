"""Dead letters: chunks that could not be decoded and utterances that could not be scored, kept for people to look at.
A chunk can be tried again."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import redis

from state import keys


class Redriven(msgspec.Struct, frozen=True):
    """What decoding a dead chunk alone gave: its text ("" if nothing was said), or why it failed again."""

    text: str
    error: str = ""


class DeadLetter(msgspec.Struct, frozen=True):
    """A chunk that was given up. `id` is its entry in the stream and holds the moment (ms since 1970) it was."""

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
    """An utterance that could not be scored. `id` is its entry in the stream; `reason` quotes nothing."""

    id: str
    call_id: str
    utterance_id: str
    reason: str


_redriven = msgspec.json.Decoder(Redriven)


class DeadLetters:
    """The dead letters of the fleet. Every method is safe to repeat."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def all(self) -> list[DeadLetter]:
        """Every dead chunk, oldest first."""
        return self._range("-", "+")

    def set_aside(self) -> list[SetAside]:
        """Every utterance that could not be scored, oldest first."""
        entries = cast(list[tuple[bytes, dict[bytes, bytes]]], self._redis.xrange(keys.DEAD))
        return [
            SetAside(entry_id.decode(), fields[b"c"].decode(), fields[b"i"].decode(), fields[b"reason"].decode())
            for entry_id, fields in entries
            if b"i" in fields
        ]

    def get(self, letter_id: str) -> DeadLetter | None:
        """One dead chunk, or None. Raises ValueError for what cannot be an id."""
        ms, _, n = letter_id.partition("-")
        if not (ms.isdecimal() and n.isdecimal() and len(letter_id) <= 40):
            raise ValueError(f"{letter_id!r} is no id of a dead letter")
        return next(iter(self._range(letter_id, letter_id)), None)

    def note(self, letter_id: str, redriven: Redriven) -> bool:
        """Keep what a redrive gave; False if the letter was dropped meanwhile."""
        if self.get(letter_id) is None:
            return False
        self._redis.hset(keys.DEAD_TEXTS, letter_id, msgspec.json.encode(redriven))
        return True

    def drop(self, letter_id: str) -> bool:
        """Forget a dead letter of either kind; whether there was one. Its mark in the transcript stays."""
        self._redis.hdel(keys.DEAD_TEXTS, letter_id)
        return bool(self._redis.xdel(keys.DEAD, letter_id))

    def _range(self, first: str, last: str) -> list[DeadLetter]:
        found = cast(list[tuple[bytes, dict[bytes, bytes]]], self._redis.xrange(keys.DEAD, first, last))
        entries = [(entry_id, fields) for entry_id, fields in found if b"a" in fields]
        if not entries:
            return []
        notes = cast(
            list[bytes | None], self._redis.hmget(keys.DEAD_TEXTS, [entry_id.decode() for entry_id, _ in entries])
        )
        return [
            _letter(entry_id.decode(), fields, note) for (entry_id, fields), note in zip(entries, notes, strict=True)
        ]


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
