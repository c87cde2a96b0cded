"""The decoders' side of the protocol: tokens, leases and commits.

At any instant a track with work has either one token in a work stream or one lease, never both and never two;
so no two decoders commit for one track, and nobody needs to own a call. ARCHITECTURE.md draws it.
"""

from __future__ import annotations

import random
import time
from collections import deque
from typing import Any, cast

import msgspec
import redis

from state import keys
from state.connection import BLOCK_MS
from state.leases import Commit, Lease, Token, read_journal_chunk, read_token, seq_of
from state.rescue import FORGIVEN_LOSSES, Rescue
from state.scripts import Argument, Scripts
from state.settings import Settings

LEASE_CHUNKS = 256
"""New chunks read for one lease at most; the decode loop stops earlier, by seconds of audio."""

JOURNAL_CHUNKS = 1024
"""Chunks read at once to rebuild a cold recogniser; read on until there is one that is not decoded yet."""

OWN_BEFORE_SHARED = 4
"""Tokens of the own stream taken in a row before the shared stream is looked at: warm first, but nobody starves."""

_pack = msgspec.msgpack.Encoder().encode


class Fleet:
    """One decoder's view of the fleet. `worker` names this incarnation and is never used again."""

    def __init__(self, client: redis.Redis, worker: str, settings: Settings) -> None:
        self.worker = worker
        self._redis = client
        self._scripts = Scripts(client)
        self.others = Rescue(client, worker)
        self._heartbeat_ms = int(settings.heartbeat_seconds * 1000)
        self._retention_seconds = settings.retention_hours * 3600
        self._own = keys.work(worker)
        self._held: deque[Token] = deque()
        self._own_in_a_row = 0
        self._leases = 0

    # -- presence -----------------------------------------------------------------------------------------

    def join(self) -> None:
        """Announce this decoder. Also after a lost connection: then tokens it may still hold come first."""
        self._scripts.load()
        self._register()
        self._held.clear()
        for stream in (self._own, keys.WORK):
            self._held.extend(self._read({stream: "0"}, block=False, count=100))

    def introduce_model(self, identity: str, display_name: str, digest: str) -> str:
        """Tell the fleet which model this decoder runs, and what its self-check gave.

        Returns the digest the fleet agreed on for this identity: the first one told. Another one than `digest`
        means that this decoder would change transcripts and must not take work.
        """
        field = f"selfcheck:{identity}"
        agreed, shown = cast(list[bytes | None], self._redis.hmget(keys.FLEET, field, "model"))
        if agreed is None:
            self._redis.hsetnx(keys.FLEET, field, digest)
            agreed = cast(bytes, self._redis.hget(keys.FLEET, field))
        # Nothing is written that stands there already: a decoder must be able to start while memory is full.
        if agreed == digest.encode() and shown != display_name.encode():
            self._redis.hset(keys.FLEET, "model", display_name)
        return agreed.decode()

    def beat(self) -> None:
        """Say that this decoder lives. Renewing frees memory for nobody but needs none either."""
        if not self._redis.pexpire(keys.worker(self.worker), self._heartbeat_ms):
            self._register()

    def leave(self, crashed: bool = False) -> None:
        """Hand over every token held or waiting here, then vanish. A no-op if already buried.

        crashed: this decoder is known to have died of what it was doing; the chunk it had begun is charged.
        """
        self._redis.delete(keys.worker(self.worker))
        self.others.bury(self.worker, 0 if crashed else FORGIVEN_LOSSES)

    def _register(self) -> None:
        self._scripts.call(
            "register",
            [keys.WORKERS, keys.WORK, self._own, keys.worker(self.worker)],
            [self.worker, self._heartbeat_ms],
        )

    # -- tokens -------------------------------------------------------------------------------------------

    def next_token(self, block: bool = True) -> Token | None:
        """The next token for this decoder, or None after BLOCK_MS (at once without block)."""
        if not self._held and self._own_in_a_row < OWN_BEFORE_SHARED:
            self._held.extend(self._read({self._own: ">"}, block=False))
            self._own_in_a_row += 1
        if not self._held:
            self._held.extend(self._read({self._own: ">", keys.WORK: ">"}, block=block))
            self._own_in_a_row = 0
        return self._held.popleft() if self._held else None

    def _read(self, streams: dict[str, str], block: bool, count: int = 1) -> list[Token]:
        try:
            answer = self._redis.xreadgroup(
                keys.DECODERS, self.worker, cast(Any, streams), count=count, block=BLOCK_MS if block else None
            )
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._register()  # the server came back without its last second
            return []
        tokens = []
        for stream, entries in cast(list[Any], answer) or []:
            for entry_id, fields in entries:
                if fields:  # an own pending entry that was deleted since comes back empty
                    tokens.append(read_token(stream, entry_id, fields))
                else:
                    self._redis.xack(stream, keys.DECODERS, entry_id)
        return tokens

    # -- leases -------------------------------------------------------------------------------------------

    def open(self, token: Token, warm_version: str, warm_done: int) -> Lease | None:
        """Take the lease `token` stands for; None if the token is not the track's live one (it is dropped).

        warm_version: the `Lease.id` of this decoder's last commit for the track, "" if it has no recogniser;
        warm_done: the last chunk that recogniser has seen.
        """
        self._leases += 1
        lease_id = f"{self.worker}.{self._leases}"
        after = warm_done if warm_version else 0
        stream = token.name.partition("|")[0]
        call_track = (token.call_id, token.track)
        asked = ([keys.track(*call_track), stream], [token.name, lease_id, self.worker, warm_version])
        try:
            answer, entries = self._open(*asked, call_track, after)
        except redis.exceptions.NoScriptError:
            self._scripts.load()
            answer, entries = self._open(*asked, call_track, after)
        if answer[0] == b"STALE":
            return None
        done, last, utt, uidx, tries, closed, rate, samples, done_samples, warm, careful = map(int, answer[1:12])
        if not warm:
            if after:
                entries = self._redis.xrange(keys.audio(*call_track), count=JOURNAL_CHUNKS)
            while len(entries) % JOURNAL_CHUNKS == 0 and entries and seq_of(entries[-1][0]) <= done:
                more = self._redis.xrange(
                    keys.audio(*call_track), min=f"({entries[-1][0].decode()}", count=JOURNAL_CHUNKS
                )
                if not more:
                    break
                entries += more
        return Lease(
            id=lease_id,
            token=token,
            done=done,
            last=last,
            utt=utt,
            uidx=uidx,
            tries=tries,
            closed=bool(closed),
            rate=rate,
            samples=samples,
            done_samples=done_samples,
            warm=bool(warm),
            careful=careful,
            state=answer[12],
            journal=[read_journal_chunk(entry_id, fields) for entry_id, fields in cast(list[Any], entries)],
        )

    def _open(
        self, script_keys: list[str], args: list[str], call_track: tuple[str, str], after: int
    ) -> tuple[list[Any], Any]:
        pipe = self._redis.pipeline(transaction=False)
        self._scripts.queue(pipe, "open", script_keys, args)
        # Audio is read beside the script, not through it: Lua would copy every byte twice.
        pipe.xrange(
            keys.audio(*call_track),
            min=f"({after}-0" if after else "-",
            count=LEASE_CHUNKS if after else JOURNAL_CHUNKS,
        )
        answer, entries = pipe.execute()
        return answer, entries

    def commit(self, lease: Lease, change: Commit) -> str:
        """Apply a lease's effects: OK, ENDED, AGAIN or STALE, as lua/commit.lua says."""
        call_id, track = lease.token.call_id, lease.token.track
        args: list[Argument] = [
            lease.id,
            lease.done,
            change.done,
            change.utt,
            change.done_samples,
            -change.chunks,
            -change.audio_ms,
            change.state,
            change.partial,
            change.uidx,
            call_id,
            track,
            int(change.finish),
            int(change.to_everybody),
            self._retention_seconds,
        ]
        shown = change.finals if change.shown is None else change.shown
        spoken = [utterance for utterance in shown if utterance.text]
        last = max(spoken, key=lambda utterance: utterance.end, default=None)
        args += [last.end, _pack(msgspec.structs.replace(last, words=[]))] if last else ["", ""]
        args.append(len(change.finals))
        for utterance in change.finals:
            args += [utterance.id, _pack(utterance), int(utterance.mark is None)]  # a mark is not scored
        args += [len(change.events), *change.events, len(change.dead)]
        for chunk in change.dead:
            args += [chunk.seq, chunk.reason, chunk.encoding, chunk.audio]
        answer = self._scripts.call(
            "commit",
            [
                keys.track(call_id, track),
                keys.audio(call_id, track),
                keys.call(call_id),
                keys.utterances(call_id),
                keys.FINALS,
                keys.LOAD,
                keys.FEED,
                keys.DEAD,
                keys.WORK,
                keys.LIVE,
            ],
            args,
        )
        return str(answer.decode())

    def release(self, lease: Lease) -> None:
        """Give a lease back unused, without charging the try."""
        token = lease.token
        self._scripts.call(
            "release",
            [keys.track(token.call_id, token.track), keys.WORK],
            [lease.id, token.call_id, token.track],
        )

    def drop(self, token: Token) -> None:
        """Take a token out of its stream, for a track that cannot even be opened."""
        self.others.drop(token)

    def give_up(self, token: Token) -> None:
        """Put a leased token back for everybody; the try stays charged."""
        self.others.move(token, force=True, forgive=0)


def worker_name(host: str, pid: int) -> str:
    """A name for one incarnation of a decoder: a restarted one, even with the same pid, is another."""
    return f"{host}-{pid}-{time.time_ns() & 0xFFFFFFFF:08x}{random.getrandbits(16):04x}"
