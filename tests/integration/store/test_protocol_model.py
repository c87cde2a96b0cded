"""The protocol against a model of it: hypothesis plays senders, decoders, scorers and disasters in any order.

After every step the store must satisfy the invariants of tests/harness/invariants.py, and these of answers:
J4 finals and open state cover 1..done once, in order; J5 done moves only by an accepted commit; J7 a chunk answered
OK is in the journal or decoded. Decoders keep what they hold over kills and rollbacks, as processes do.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from state import keys
from state.calls.assessments import Unscored
from state.calls.leases import Lease, Token
from state.server.scripts import Scripts
from state.types import Utterance
from tests.harness.invariants import at_rest, violations
from tests.harness.protocol import Play, change, contents, dump
from tests.harness.servers import Server, start_server

CALLS = ("a", "a", "a", "b")
TRACKS = ("x", "y")
WORKERS = ("w1", "w2", "w3")
COPIES_KEPT = 4
"""At most so many writing steps are lost with a rollback."""

SERVER: Server


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    global SERVER  # noqa: PLW0603 - hypothesis builds the machine without arguments
    folder: Path = tmp_path_factory.mktemp("model")
    # "everysec" puts off a write while the disk is slow, so a killed server would lose what it has answered.
    SERVER = start_server("valkey9", dir=folder, args=["--appendonly", "yes", "--appendfsync", "no"])
    yield SERVER
    SERVER.kill()


class Track(msgspec.Struct):
    """What the sender and the model know of a track."""

    accepted: list[int] = []
    missing: list[int] = []
    done: int = 0
    open_seq: int = 1
    finals: list[tuple[int, int]] = []
    scored: set[int] = set()

    @property
    def last(self) -> int:
        return self.accepted[-1] if self.accepted else 0


class Protocol(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.play = Play(SERVER.client(), heartbeat_seconds=60)
        self.client = self.play.client
        self.client.flushall()
        self.tracks: dict[tuple[str, str], Track] = {}
        self.calls: dict[str, str] = {}
        self.copies: list[tuple[Any, Any, Any]] = []
        self.held: dict[str, list[Token]] = {name: [] for name in WORKERS}
        self.leases: dict[str, list[Lease]] = {name: [] for name in WORKERS}
        self.committed: list[tuple[str, Lease, int, int]] = []
        self.waiting: list[Unscored] = []

    @initialize()
    def begin(self) -> None:
        for name in WORKERS:
            self.play.decoder(name)

    def teardown(self) -> None:
        """Whatever happened: everything ends, is decoded and scored, and nothing is left."""
        for name in WORKERS[1:]:
            self.play.decoder(name).leave()
        for call in self.calls:
            self.play.ingest.end(call)
        last = self.play.decoder(WORKERS[0])
        last.join()
        for _ in range(200):
            token = last.next_token(0)
            if token is None:
                break
            lease = last.open(token, "", 0)
            if lease is not None:
                self._commit(WORKERS[0], lease, lease.last_seq, lease.last_seq + 1)
        for entry in self.play.unscored() + self.waiting:
            self.play.score(entry)
        last.leave()
        assert violations(self.client) == []
        assert at_rest(self.client) == []
        for call in self.calls:
            assert self.client.hget(keys.call(call), "state") == b"ended"
        for (call, track), known in self.tracks.items():
            assert known.done == known.last
            scores = self.client.hkeys(keys.scores(call))
            assert {f"{track}:{n}".encode() for n in range(len(known.finals))} <= set(scores)
        self.client.close()

    # -- the sender ---------------------------------------------------------------------------------------

    @rule(call=st.sampled_from(CALLS), track=st.sampled_from(TRACKS), skip=st.integers(0, 2), bridge=st.booleans())
    def put(self, call: str, track: str, skip: int, bridge: bool) -> None:
        self._remember()
        known = self.tracks.get((call, track), Track())
        seq = known.last + 1 + skip
        outcome = self.play.put(seq, call, track, skip=bridge)
        if self.calls.get(call, "live") != "live":
            assert outcome == "CLOSED"
        elif skip and not bridge:
            assert outcome == "GAP"
        else:
            assert outcome == "OK"
            self.calls.setdefault(call, "live")
            known.missing = [*known.missing, *range(known.last + 1, seq)]
            known.accepted = [*known.accepted, seq]
            self.tracks[call, track] = known

    @precondition(lambda self: self.tracks)
    @rule(data=st.data(), other_bytes=st.booleans())
    def put_again(self, data: st.DataObject, other_bytes: bool) -> None:
        call, track = data.draw(st.sampled_from(sorted(self.tracks)))
        known = self.tracks[call, track]
        seq = data.draw(st.integers(1, known.last))
        before = contents(self.client)
        outcome = self.play.put(seq, call, track, mark=int(other_bytes))
        kept = seq in known.accepted and bool(self.client.xrange(keys.audio(call, track), f"{seq}-0", f"{seq}-0"))
        assert outcome == ("OTHER" if other_bytes and kept else "DUP")
        assert contents(self.client) == before

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), really=st.integers(0, 3))
    def end(self, data: st.DataObject, really: int) -> None:
        if really:
            return  # or most of every run would play with calls that take nothing any more
        self._remember()
        call = data.draw(st.sampled_from(sorted(self.calls)))
        assert self.play.ingest.end(call).outcome == ("ENDING" if self.calls[call] == "live" else "SAME")
        self.calls[call] = "closed"

    # -- decoders -----------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(WORKERS))
    def deliver(self, name: str) -> None:
        self._remember()
        token = self.play.decoder(name).next_token(0)
        if token is not None:
            self.held[name].append(token)

    @rule(name=st.sampled_from(WORKERS))
    def deliver_and_lose_the_reply(self, name: str) -> None:
        """The token is pending; after the reconnection it comes first."""
        self._remember()
        self.play.decoder(name).next_token(0)
        self.play.decoder(name).join()

    @rule(name=st.sampled_from(WORKERS))
    def deliver_and_open(self, name: str) -> None:
        self._remember()
        token = self.play.decoder(name).next_token(0)
        lease = self.play.decoder(name).open(token, "", 0) if token is not None else None
        if lease is not None:
            self.leases[name].append(lease)

    @rule(name=st.sampled_from(WORKERS))
    def decode_half(self, name: str) -> None:
        """What mostly happens: a token is read, opened, and some of its chunks are committed."""
        self._remember()
        token = self.play.decoder(name).next_token(0)
        lease = self.play.decoder(name).open(token, "", 0) if token is not None else None
        if lease is not None:
            self._commit(name, lease, (lease.done_seq + lease.last_seq + 1) // 2, lease.done_seq + 1)

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data(), again=st.booleans())
    def open(self, data: st.DataObject, again: bool) -> None:
        self._remember()
        name = data.draw(st.sampled_from([name for name in WORKERS if self.held[name]]))
        token = data.draw(st.sampled_from(self.held[name]))
        live = self.client.hget(keys.track(token.call_id, token.track), "token") == token.name.encode()
        lease = self.play.decoder(name).open(token, "", 0)
        assert (lease is not None) == live
        if lease is not None:
            assert lease.done_seq == self.tracks[token.call_id, token.track].done
            self.leases[name].append(lease)
        if not again:
            self.held[name].remove(token)

    @precondition(lambda self: any(self.leases.values()))
    @rule(data=st.data(), keep=st.booleans())
    def commit(self, data: st.DataObject, keep: bool) -> None:
        self._remember()
        name, lease = self._lease(data)
        upto = data.draw(st.integers(lease.done_seq, lease.last_seq))
        open_from = data.draw(st.integers(lease.open_seq, upto + 1))
        self._commit(name, lease, upto, open_from)
        if not keep:
            self.leases[name].remove(lease)

    def _commit(self, name: str, lease: Lease, upto: int, open_from: int) -> None:
        call, track = lease.token.call_id, lease.token.track
        upto = max((c.seq for c in lease.journal if c.seq <= upto), default=lease.done_seq)
        upto = max(upto, lease.done_seq)
        open_from = upto + 1 if lease.closed and upto == lease.last_seq else min(open_from, upto + 1)
        known = self.tracks.get((call, track))
        live, committed = self.client.hmget(keys.track(call, track), "lease", "committed")
        answer = self.play.decoder(name).commit(lease, change(lease, upto, open_from))
        if committed == lease.id.encode():
            assert answer == "AGAIN"
        elif live != lease.id.encode():
            assert answer == "STALE"
        else:
            assert answer in ("OK", "ENDED") and known is not None
            assert lease.done_seq == known.done, "J5"
            self.committed.append((name, lease, upto, open_from))
            if open_from > lease.open_seq:
                known.finals = [*known.finals, (lease.open_seq, open_from - 1)]
            known.done, known.open_seq = upto, open_from

    @precondition(lambda self: self.committed)
    @rule(data=st.data())
    def commit_again(self, data: st.DataObject) -> None:
        """A reply was lost: the same commit comes once more, perhaps long after, perhaps after a rollback."""
        self._remember()
        name, lease, upto, open_from = data.draw(st.sampled_from(self.committed))
        self._commit(name, lease, upto, open_from)

    @precondition(lambda self: any(self.leases.values()))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self._remember()
        name, lease = self._lease(data)
        self.play.decoder(name).release(lease)

    @precondition(lambda self: any(self.leases.values()))
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        self._remember()
        name, lease = self._lease(data)
        self.play.decoder(name).give_up(lease.token)

    @rule(name=st.sampled_from(WORKERS), other=st.sampled_from(WORKERS))
    def relieve(self, name: str, other: str) -> None:
        self._remember()
        for entry_id, fields in self.client.xrange(keys.work(other)):
            token = Token(f"{keys.work(other)}|{entry_id.decode()}", fields[b"c"].decode(), fields[b"t"].decode())
            self.play.decoder(name).others.move(token, force=False)

    @rule(name=st.sampled_from(WORKERS), by=st.sampled_from(WORKERS))
    def heart_stops_and_another_sweeps(self, name: str, by: str) -> None:
        self._remember()
        self.client.delete(keys.worker(name))
        self.play.decoder(by).others.sweep()

    @rule(name=st.sampled_from(WORKERS))
    def heart_stops_and_the_burial_comes_at_once(self, name: str) -> None:
        """As if its tokens had arrived after the look: a decoder that holds something must not be buried."""
        self._remember()
        self.client.delete(keys.worker(name))
        Scripts(self.client, keys.STORE).run("bury", worker=name)

    @rule(name=st.sampled_from(WORKERS))
    def leave(self, name: str) -> None:
        self._remember()
        self.play.decoder(name).leave()

    @rule(name=st.sampled_from(WORKERS))
    def beat(self, name: str) -> None:
        self._remember()
        self.play.decoder(name).beat()

    @rule(name=st.sampled_from(WORKERS))
    def killed_and_replaced(self, name: str) -> None:
        """The process and all it held is gone; its parent hands its tokens on, and a new one starts."""
        self._remember()
        self.held[name].clear()
        self.leases[name].clear()
        self.play.decoder(name).leave()
        self.play.decoders.pop(name)
        self.play.decoder(name)._leases = 1000 * (1 + len(self.committed))  # a new incarnation's leases are its own

    # -- scorers ------------------------------------------------------------------------------------------

    @rule()
    def read_finals(self) -> None:
        self._remember()
        self.waiting += self.play.unscored()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), again=st.booleans())
    def score(self, data: st.DataObject, again: bool) -> None:
        self._remember()
        entry = data.draw(st.sampled_from(self.waiting))
        scored = self.client.hexists(keys.scores(entry.call_id), entry.utterance_id)
        exists = self.client.exists(keys.call(entry.call_id))
        answer = self.play.score(entry)
        assert answer == "GONE" if not exists else answer == "AGAIN" if scored else answer in ("OK", "ENDED")
        if not again:
            self.waiting.remove(entry)

    # -- disasters ----------------------------------------------------------------------------------------

    @rule(kill=st.integers(0, 9))
    def server_killed(self, kill: int) -> None:
        """kill -9: the append-only file has everything that was answered. (One in ten, it takes 0.1 s.)"""
        if kill:
            return
        before = self._data()
        SERVER.kill()
        SERVER.restart()
        self.client.connection_pool.disconnect()
        assert self._data() == before

    @precondition(lambda self: self.copies)
    @rule(data=st.data())
    def rolled_back(self, data: st.DataObject) -> None:
        """A fail-over to a copy a moment old: the sender and the decoders know more than the server."""
        server, tracks, calls = self.copies.pop(data.draw(st.integers(0, len(self.copies) - 1)))
        self.copies.clear()
        self.client.flushall()
        for key, (value, _) in server.items():
            self.client.restore(key, 0, value)
        self.tracks, self.calls = tracks, calls
        for call in self.calls:
            if self.client.hget(keys.call(call), "state") == b"ended":
                self.client.expire(keys.call(call), 1000)

    # -- what must hold -----------------------------------------------------------------------------------

    @invariant()
    def store_is_sound(self) -> None:
        assert violations(self.client) == []

    @invariant()
    def everything_accepted_is_kept_or_decoded_once_in_order(self) -> None:
        for (call, track), known in self.tracks.items():
            t = self.play.track(call, track)
            stands = tuple(int(t[name]) for name in ("last_seq", "done_seq", "open_seq"))
            assert stands == (known.last, known.done, known.open_seq), "J5"
            journal = [int(entry_id.partition(b"-")[0]) for entry_id, _ in self.client.xrange(keys.audio(call, track))]
            if not t.get("finished"):
                assert journal == [seq for seq in known.accepted if seq >= known.open_seq], "J3, J7"
            stored = self.client.hgetall(keys.utterances(call))
            finals = [stored[f"{track}:{n}".encode()] for n in range(len(known.finals))]
            texts = [msgspec.msgpack.decode(packed, type=Utterance).text for packed in finals]
            assert texts == [f"{first}-{last}" for first, last in known.finals], "J4"
            covered = [seq for first, last in known.finals for seq in range(first, last + 1)]
            assert covered == list(range(1, known.open_seq)), "J4"

    # -- helpers ------------------------------------------------------------------------------------------

    def _lease(self, data: st.DataObject) -> tuple[str, Lease]:
        name = data.draw(st.sampled_from([name for name in WORKERS if self.leases[name]]))
        return name, data.draw(st.sampled_from(self.leases[name]))

    def _data(self) -> dict[bytes, object]:
        """All but the streams with groups, whose idle consumers the append-only file leaves out."""
        streams = (keys.WORK.encode(), keys.FINALS.encode())
        return {key: value for key, value in contents(self.client).items() if not key.startswith(streams)}

    def _remember(self) -> None:
        now = (dump(self.client), copy.deepcopy(self.tracks), dict(self.calls))
        self.copies = [*self.copies[1 - COPIES_KEPT :], now]


def test_no_order_of_events_breaks_an_invariant() -> None:
    run_state_machine_as_test(
        Protocol,
        settings=settings(
            max_examples=70,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
