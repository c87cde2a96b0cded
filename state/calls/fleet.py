"""The decoders' side of the protocol: tokens, leases and commits.

At any instant a track with work has either one token in a work stream or one lease, never both and never two. So no
two decoders commit for one track, and nobody has to own a call. ARCHITECTURE.md draws it.
"""

from __future__ import annotations

import random
import time
from collections import deque
from contextlib import suppress
from typing import Any, cast

import msgspec
import redis

from state import keys
from state.calls.leases import Commit, Lease, Token, read_journal_chunk, read_token, seq_of
from state.calls.rescue import FORGIVEN_LOSSES, Rescue
from state.server.asking import ask
from state.server.entries import read_entries
from state.server.scripts import read_answer
from state.server.shards import Shard
from state.settings import Settings
from state.tracing import carried
from state.types import AGENT_TRACKS

LEASE_CHUNKS = 256
"""At most so many new chunks in one lease. The decode loop stops earlier, by seconds of audio."""

JOURNAL_CHUNKS = 1024
"""Chunks in one read that rebuilds a cold recogniser. Reads go on until a chunk comes that is not decoded yet."""

OWN_BEFORE_SHARED = 4
"""Tokens to take from its own stream before a look at the shared one: warm first, but nobody starves. Among those that
wait together, the calls that need somebody come first."""

EMPTY_SECONDS = 0.01
"""Seconds for which its own stream counts as empty after a look that found nothing."""

_pack = msgspec.msgpack.Encoder().encode


class FleetMember:
    """One decoder's part in the fleet of one shard. `worker` names this incarnation; no other ever has the name.

    resident: it is at home in this shard and has its own stream. A guest takes only what waits there for everybody.
    """

    def __init__(self, shard: Shard, worker: str, settings: Settings, resident: bool = True) -> None:
        self.worker = worker
        self.resident = resident
        self._shard = shard
        self._redis = shard.redis
        self._keys = shard.keys
        self.others = Rescue(shard, worker)
        self._heartbeat_ms = int(settings.heartbeat_seconds * 1000)
        self._retention_seconds = settings.retention_hours * 3600
        self._own = self._keys.own_work(worker)
        self._held: deque[Token] = deque()
        self._own_in_a_row = 0
        self._own_empty_at = float("-inf")
        self._leases = 0
        self._told_percent = -1

    # -- presence -----------------------------------------------------------------------------------------

    def join(self) -> None:
        """Announce this decoder, at start and after a lost connection: then tokens it may still hold come first."""
        self._shard.load()
        self._register()
        self._held.clear()
        for stream in (self._own, self._keys.work) if self.resident else (self._keys.work,):
            self._held.extend(self._read({stream: "0"}, 0, count=100))

    def settle(self) -> None:
        """Be at home here from now on."""
        self.resident = True
        self._register()

    def beat(self, busy_percent: int = 0) -> None:
        """Say that this decoder lives, and which share of its time it works. A heartbeat needs no memory, so it works
        on a full server."""
        key = self._keys.heartbeat(self.worker)
        if not self._redis.pexpire(key, self._heartbeat_ms):
            self._register()
        elif busy_percent != self._told_percent:
            with suppress(redis.exceptions.OutOfMemoryError):
                self._redis.set(key, f"{busy_percent}%", px=self._heartbeat_ms, xx=True)
                self._told_percent = busy_percent

    def leave(self, crashed: bool = False) -> None:
        """Hand over every token held or waiting here, then vanish. A no-op if already buried.

        crashed: this decoder died of its work. The chunk that it had begun loses a try.
        """
        self._redis.delete(self._keys.heartbeat(self.worker))
        self.others.bury(self.worker, 0 if crashed else FORGIVEN_LOSSES)

    def _register(self) -> None:
        self._told_percent = -1
        self._shard.run("register", worker=self.worker, heartbeat_ms=self._heartbeat_ms, resident=self.resident)

    # -- tokens -------------------------------------------------------------------------------------------

    def next_token(self, block_ms: int) -> Token | None:
        """The next token for this decoder, or None if none comes within block_ms milliseconds (0: now)."""
        asked = time.monotonic()
        may_wait = asked - self._own_empty_at > EMPTY_SECONDS
        if not self._held and self.resident and may_wait and self._own_in_a_row < OWN_BEFORE_SHARED:
            found = self._read({self._own: ">"}, 0, count=OWN_BEFORE_SHARED - self._own_in_a_row)
            self._held.extend(self._by_need(found))
            self._own_in_a_row += max(1, len(found))
        if not self._held:
            streams = {self._own: ">", self._keys.work: ">"} if self.resident else {self._keys.work: ">"}
            self._held.extend(self._read(streams, block_ms))
            self._own_in_a_row = 0
            now = time.monotonic()
            if now - asked > EMPTY_SECONDS:
                self._own_empty_at = now  # it had to wait, so nothing was there before
        return self._held.popleft() if self._held else None

    @property
    def others_wait(self) -> bool:
        """Whether more tracks are known to wait for this decoder than the one whose token it took last."""
        return bool(self._held)

    def _by_need(self, tokens: list[Token]) -> list[Token]:
        """In order: the call that needs somebody most comes first, and within a call its customer, who is the
        reason."""
        if len(tokens) < 2:
            return tokens
        attention = self._redis.zmscore(self._keys.live, [token.call_id for token in tokens])
        need = {
            token.name: (-float(score or 0), token.track in AGENT_TRACKS)
            for token, score in zip(tokens, attention, strict=True)
        }
        return sorted(tokens, key=lambda token: need[token.name])

    def _read(self, streams: dict[str, str], block_ms: int, count: int = 1) -> list[Token]:
        wait = ("BLOCK", block_ms) if block_ms else ()
        group = ("XREADGROUP", "GROUP", keys.DECODERS, self.worker, "COUNT", count, *wait)
        try:
            [answer] = ask(self._redis, (*group, "STREAMS", *streams, *streams.values()))
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._register()  # the server came back without its last second
            return []
        tokens = []
        for stream, entries in answer or ():
            for entry_id, fields in read_entries(entries):
                if fields:  # a pending entry of our own that was deleted meanwhile comes back empty
                    tokens.append(read_token(stream, entry_id, fields))
                else:
                    self._redis.xack(stream, keys.DECODERS, entry_id)
        return tokens

    # -- leases -------------------------------------------------------------------------------------------

    def open(self, token: Token, warm_at: str, warm_seq: int) -> Lease | None:
        """Take the lease that `token` stands for.

        Args:
            token: as read.
            warm_at: the `Lease.id` of this decoder's last commit for the track; "" if it has no recogniser.
            warm_seq: the last chunk that this recogniser has seen.

        Returns:
            The lease. None if the token is not the track's live one; then the token is dropped.

        Raises:
            redis.RedisError: as the client does. The lease may be taken; `open` may be repeated.
        """
        self._leases += 1
        lease_id = f"{self.worker}.{self._leases}"
        after = warm_seq if warm_at else 0
        try:
            answer, state, entries = self._open(token, lease_id, warm_at, after)
        except redis.exceptions.NoScriptError:
            self._shard.load()
            answer, state, entries = self._open(token, lease_id, warm_at, after)
        if answer.pop("outcome") == "STALE":
            return None
        if not answer["warm"]:
            entries = self._read_back(token, answer["done_seq"], None if after else entries)
        # Chunks that came after the lease belong to the next one. A server that forgets its last writes may keep this
        # lease and forget those chunks. A commit would then have chunks that nobody has (state/model:
        # READS_BEYOND_ITS_LEASE).
        entries = [entry for entry in entries if seq_of(entry[0]) <= answer["last_seq"]]
        journal = [read_journal_chunk(entry_id, fields) for entry_id, fields in entries]
        return Lease(id=lease_id, token=token, state=state, journal=journal, **answer)

    def _open(self, token: Token, lease_id: str, warm_at: str, after: int) -> tuple[dict[str, Any], bytes, list[Any]]:
        fields = {
            "call_id": token.call_id,
            "track": token.track,
            "token": token.name,
            "lease": lease_id,
            "owner": self.worker if self.resident else "",
        }
        if warm_at:
            fields["warm_at"] = warm_at
        # Audio is read beside the script, not through it: Lua would copy every byte twice.
        audio = self._keys.audio(token.call_id, token.track)
        since, count = (f"({after}-0", LEASE_CHUNKS) if after else ("-", JOURNAL_CHUNKS)
        (packed, state), entries = ask(
            self._redis, self._shard.command("open", (), fields), ("XRANGE", audio, since, "+", "COUNT", count)
        )
        return read_answer(packed), state, read_entries(entries)

    def _read_back(self, token: Token, done_seq: int, entries: list[Any] | None) -> list[Any]:
        """The journal from the open utterance on, up to a chunk not decoded yet (`entries`: its beginning, if read)."""
        key = self._keys.audio(token.call_id, token.track)
        if entries is None:
            entries = cast(list[Any], self._redis.xrange(key, count=JOURNAL_CHUNKS))
        while entries and len(entries) % JOURNAL_CHUNKS == 0 and seq_of(entries[-1][0]) <= done_seq:
            after = f"({entries[-1][0].decode()}"
            more = cast(list[Any], self._redis.xrange(key, min=after, count=JOURNAL_CHUNKS))
            if not more:
                break
            entries += more
        return entries

    def commit(self, lease: Lease, change: Commit) -> str:
        """Apply a lease's effects, once.

        Args:
            lease: as `open` gave it.
            change: what the decoder made under it.

        Returns:
            OK, ENDED, AGAIN or STALE, as the head of lua/commit.lua says.

        Raises:
            redis.RedisError: as the client does. The commit may be applied; it may be repeated.
        """
        shown = change.finals if change.shown is None else change.shown
        last = max((final for final in shown if final.text), key=lambda final: final.end, default=None)
        answer = self._shard.run(
            "commit",
            change.state,
            *(chunk.audio for chunk in change.dead),
            call_id=lease.token.call_id,
            track=lease.token.track,
            retention_seconds=self._retention_seconds,
            lease=lease.id,
            base_seq=lease.done_seq,
            done_seq=change.done_seq,
            done_samples=change.done_samples,
            open_seq=change.open_seq,
            final_count=change.final_count,
            partial=change.partial,
            wordless=change.wordless,
            chunks=change.chunks,
            audio_ms=change.audio_ms,
            audio_bytes=change.audio_bytes,
            finals=[  # a mark gets no score
                {"id": final.id, "utterance": _pack(final), "scored": final.mark is None} for final in change.finals
            ],
            events=change.events,
            dead_chunks=[
                {"seq": chunk.seq, "reason": chunk.reason, "encoding": chunk.encoding} for chunk in change.dead
            ],
            finish=change.finish,
            to_everybody=change.to_everybody,
            **carried(),
            **({"last": _pack(msgspec.structs.replace(last, words=[])), "last_end": last.end} if last else {}),
        )
        return str(answer["outcome"])

    def release(self, lease: Lease) -> None:
        """Give a lease back unused; it costs no try. Raises redis.RedisError as the client does."""
        self._shard.run("release", call_id=lease.token.call_id, track=lease.token.track, lease=lease.id)

    def drop(self, token: Token) -> None:
        """Take a token out of its stream if its track cannot even be opened."""
        self.others.drop(token)

    def give_up(self, token: Token, forgive: int = 0) -> None:
        """Put a leased token back for everybody. That costs the try, except `forgive` times in a row."""
        self.others.move(token, force=True, forgive=forgive)


def residents(shard: Shard) -> int:
    """Number of decoders at home in a shard. Dead ones count until they are buried."""
    return shard.redis.scard(shard.keys.residents)


def worker_name(host: str, pid: int) -> str:
    """A name for one incarnation of a decoder. A restarted decoder gets another name, even with the same pid."""
    return f"{host}-{pid}-{time.time_ns() & 0xFFFFFFFF:08x}{random.getrandbits(16):04x}"
