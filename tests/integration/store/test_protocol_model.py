"""The protocol against a model of it: hypothesis plays senders, decoders, scorers and disasters in any order.

After every step the store must satisfy the invariants of tests/harness/invariants.py, and these of answers:
J4 finals and open state cover 1..done once, in order; J5 done moves only by an accepted commit; J7 a chunk answered
OK is in the journal or decoded. Decoders keep what they hold over kills and rollbacks, as processes do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from state import keys
from state.calls.leases import Token
from state.server.scripts import Scripts
from tests.harness.protocol import contents
from tests.harness.protocol_machine import WORKERS, Machine, Track
from tests.harness.servers import Server, start_server

CALLS = ("a", "a", "a", "b")
TRACKS = ("x", "y")


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("model")
    # "everysec" puts off a write while the disk is slow, so a killed server would lose what it has answered.
    Machine.server = start_server("valkey9", dir=folder, args=["--appendonly", "yes", "--appendfsync", "no"])
    yield Machine.server
    Machine.server.kill()


class Protocol(Machine):
    """The steps."""

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
            return  # or in most of each run, calls would take nothing any more
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
        """The usual way: a decoder reads a token, opens it, and commits some of its chunks."""
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
        """As if its tokens arrived after the sweep looked: a decoder that holds something must not be buried."""
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
        """The process and all it held are gone. Its parent hands its tokens on, and a new process starts."""
        self._remember()
        self.held[name].clear()
        self.leases[name].clear()
        self.play.decoder(name).leave()
        self.play.decoders.pop(name)
        self.play.decoder(name)._leases = 1000 * (1 + len(self.committed))  # the new one's leases have other names

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
        """kill -9: the append-only file has everything that was answered. (It takes 0.1 s, so one in ten is done.)"""
        if kill:
            return
        before = self._data()
        self.server.kill()
        self.server.restart()
        self.client.connection_pool.disconnect()
        assert self._data() == before

    @precondition(lambda self: self.copies)
    @rule(data=st.data())
    def rolled_back(self, data: st.DataObject) -> None:
        """A fail-over leads to a copy a moment old, so the sender and the decoders know more than the server."""
        server, tracks, calls = self.copies.pop(data.draw(st.integers(0, len(self.copies) - 1)))
        self.copies.clear()
        self.client.flushall()
        for key, (value, _) in server.items():
            self.client.restore(key, 0, value)
        self.tracks, self.calls = tracks, calls
        for call in self.calls:
            if self.client.hget(keys.call(call), "state") == b"ended":
                self.client.expire(keys.call(call), 1000)


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
