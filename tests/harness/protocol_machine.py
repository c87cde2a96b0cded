"""For hypothesis to play the protocol: the store, a model of it, and what must hold after every step.

tests/integration/store/test_protocol_model.py has the steps.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from state import keys
from state.calls.assessments import Unscored
from state.calls.leases import Lease, Token
from state.types import Utterance
from tests.harness.invariants import at_rest, violations
from tests.harness.protocol import Play, change, contents, dump
from tests.harness.servers import Server

WORKERS = ("w1", "w2", "w3")
COPIES_KEPT = 4
"""At most so many writing steps that a rollback loses."""


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


class Machine(RuleBasedStateMachine):
    """The store and the model. hypothesis builds it without arguments, so `server` belongs to the class."""

    server: ClassVar[Server]

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(self.server.client(), heartbeat_seconds=60)
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
        """After any steps, everything can end, is decoded and scored, and leaves nothing behind."""
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

    # -- for the steps ------------------------------------------------------------------------------------------

    def _lease(self, data: st.DataObject) -> tuple[str, Lease]:
        name = data.draw(st.sampled_from([name for name in WORKERS if self.leases[name]]))
        return name, data.draw(st.sampled_from(self.leases[name]))

    def _data(self) -> dict[bytes, object]:
        """All keys except streams with groups: the append-only file leaves out their idle consumers."""
        streams = (keys.WORK.encode(), keys.FINALS.encode())
        return {key: value for key, value in contents(self.client).items() if not key.startswith(streams)}

    def _remember(self) -> None:
        now = (dump(self.client), copy.deepcopy(self.tracks), dict(self.calls))
        self.copies = [*self.copies[1 - COPIES_KEPT :], now]

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
