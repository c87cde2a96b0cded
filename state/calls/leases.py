"""What passes between a decoder and the store: a token, the lease it stands for, and the lease's result."""

from __future__ import annotations

import msgspec

from state.types import Utterance

SILENCE = {"mulaw": b"\xff", "alaw": b"\xd5", "s16le": b"\0\0"}
"""The sample of silence in each encoding."""


class Token(msgspec.Struct, frozen=True):
    """Permission to work on a track: `name` is "<stream>|<entry id>", as in the track's hash."""

    name: str
    call_id: str
    track: str

    @property
    def at_ms(self) -> int:
        """When it came into its stream: milliseconds since 1970 at the store."""
        return int(self.name.rpartition("|")[2].partition("-")[0])


class JournalChunk(msgspec.Struct, frozen=True):
    """A chunk as read from the journal. `at` and `samples` count samples; `gap_from` is the first missing number.
    way: what a trace goes on from."""

    seq: int
    audio: bytes
    encoding: str
    at: int
    samples: int
    gap_from: int | None
    way: str = ""


class Lease(msgspec.Struct, frozen=True):
    """A track in one decoder's hands. The numbers are from the track's hash; journal holds the chunks that `open`
    asked for.

    warm: the recogniser at the version given to `open` is exact, and journal begins at done_seq + 1. Otherwise
    state is the last saved one (b"" if none yet) and journal begins at the open utterance, chunk `open_seq`.
    The decoder takes chunks up to number `careful_seq` one a lease.
    """

    id: str
    token: Token
    done_seq: int
    last_seq: int
    open_seq: int
    final_count: int
    tries: int
    closed: bool
    rate: int
    samples: int
    done_samples: int
    warm: bool
    careful_seq: int
    state: bytes
    journal: list[JournalChunk]


class DeadChunk(msgspec.Struct, frozen=True):
    """A chunk given up, kept for inspection."""

    seq: int
    reason: str
    encoding: str
    audio: bytes


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a lease changed. `done_seq`, `open_seq`, `final_count`, `done_samples` are the values after it.

    shown: the finals as people may see them before their score; without it, as they are.
    chunks, audio_ms and audio_bytes are what was added to the load for these chunks (each rounded down by itself, as it
    was added; chunks skipped as a gap never were).
    """

    done_seq: int
    open_seq: int
    final_count: int
    done_samples: int
    chunks: int
    audio_ms: int
    audio_bytes: int
    state: bytes
    partial: str
    wordless: bool
    finals: list[Utterance]
    events: list[bytes]
    dead: list[DeadChunk]
    finish: bool
    to_everybody: bool = False
    shown: list[Utterance] | None = None


def read_token(stream: bytes | str, entry_id: bytes, fields: dict[bytes, bytes]) -> Token:
    """The token in an entry of a work stream. An entry without one is no track's live token, and so gets dropped."""
    name = stream.decode() if isinstance(stream, bytes) else stream
    call_id, track = (fields.get(field, b"").decode(errors="replace") for field in (b"c", b"t"))
    return Token(f"{name}|{entry_id.decode()}", call_id, track)


def seq_of(entry_id: bytes) -> int:
    """The chunk's number in a journal entry's id."""
    return int(entry_id.partition(b"-")[0])


def read_journal_chunk(entry_id: bytes, fields: dict[bytes, bytes]) -> JournalChunk:
    """The chunk in an entry of a journal. While a party has somebody on hold, its chunks are silence for every
    decoder."""
    gap = fields.get(b"g")
    encoding, audio = fields[b"e"].decode(), fields[b"a"]
    return JournalChunk(
        seq=seq_of(entry_id),
        audio=SILENCE[encoding] * (len(audio) // len(SILENCE[encoding])) if b"q" in fields else audio,
        encoding=encoding,
        at=int(fields[b"n"]),
        samples=int(fields[b"m"]),
        gap_from=int(gap) if gap else None,
        way=fields.get(b"w", b"").decode(errors="replace"),
    )
