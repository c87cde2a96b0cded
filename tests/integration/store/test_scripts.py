"""Every documented answer of every script, on every kind of server; and a refusal changes no byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import redis

from state import keys
from state.calls.departures import Departures
from state.calls.ingest import MAX_GAP, MAX_TRACKS, Chunk, EndAnswer
from state.calls.leases import Token
from state.calls.retention import Retention
from state.calls.streams import Streams
from state.calls.summaries import Outstanding
from state.models import introduce_model
from state.people.audit import Audit, Deed
from state.server.scripts import SCRIPTS, Scripts
from state.settings import Settings
from tests.harness.invariants import at_rest, violations
from tests.harness.protocol import RATE, Play, change, chunk, contents
from tests.harness.servers import KINDS, Server, start_server


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(request.param, dir=tmp_path_factory.mktemp(request.param))
    yield server
    server.kill()


@pytest.fixture
def client(server: Server) -> Iterator[redis.Redis]:
    with server.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def play(client: redis.Redis) -> Iterator[Play]:
    """The sender, decoders and scorer; afterwards the store must be sound, whatever the test did."""
    play = Play(client, heartbeat_seconds=60, backlog_limit_seconds=1000)
    yield play
    assert violations(client) == []


class Unchanged:
    """`with Unchanged(client): ...`: what happens inside leaves every key as it is, byte for byte."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def __enter__(self) -> None:
        self._before = contents(self._client)

    def __exit__(self, *_: object) -> None:
        assert contents(self._client) == self._before


def run(client: redis.Redis, script: str, **fields: object) -> dict[str, Any]:
    """A script's answer, past what the store makes of it."""
    return Scripts(client, keys.STORE).run(script, **fields)


# -- ingest -----------------------------------------------------------------------------------------------


def test_ingest_accepts_in_order_and_repeats_harmlessly(play: Play, client: redis.Redis) -> None:
    assert [play.put(seq) for seq in (1, 2, 3)] == ["OK"] * 3
    with Unchanged(client):
        assert [play.put(seq) for seq in (1, 2, 3)] == ["DUP"] * 3
        assert play.put(2, mark=1) == "OTHER"
        answer = play.ingest.put("c", "t", 9, chunk(9))
        assert (answer.outcome, answer.seq, answer.next_seq) == ("GAP", 9, 4)
        assert play.ingest.put("c", "t", 4 + MAX_GAP + 1, chunk(4), skip_gap=True).outcome == "GAP"
        assert play.ingest.put("c", "t", 4, Chunk(b"\xff" * 800, "mulaw", 16000)).outcome == "RATE"
    assert play.ingest.put("c", "t", None, chunk(4)).seq == 4
    assert client.xlen(keys.WORK) == 1, "one token a track"
    assert play.track()["last_seq"] == b"4"


def test_ingest_skips_a_gap_and_the_clock_goes_on(play: Play) -> None:
    play.put(1)
    assert play.put(4, skip=True) == "OK"
    lease = play.lease()
    assert [(c.seq, c.at, c.gap_from) for c in lease.journal] == [(1, 0, None), (4, 240, 2)]
    assert play.track()["gaps"] == b"[[2,3]]"
    assert play.put(2) == "DUP", "a chunk given up does not come back"
    assert play.commit(lease) == "OK"


def test_ingest_forgets_the_bytes_of_what_is_trimmed(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.commit(play.lease())
    with Unchanged(client):
        assert play.put(1, mark=1) == "DUP"


def test_ingest_refuses_what_came_after_the_end(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.ingest.end("c")
    with Unchanged(client):
        assert play.put(2) == "CLOSED"
        assert play.put(1) == "DUP"
        assert play.put(1, track="other") == "CLOSED"
    play.commit(play.lease())


def test_ingest_bounds_the_tracks_of_a_call(play: Play, client: redis.Redis) -> None:
    for n in range(MAX_TRACKS):
        assert play.put(1, track=f"t{n}") == "OK"
    with Unchanged(client):
        assert play.put(1, track="one-more") == "TRACKS"


def test_ingest_is_busy_for_new_calls_first_then_for_one_track_then_for_all(client: redis.Redis) -> None:
    play = Play(client, backlog_limit_seconds=10, track_backlog_seconds=8)
    second = Chunk(b"\xff" * RATE, "mulaw", RATE)
    for seq in range(1, 9):
        assert play.ingest.put("old", "t", seq, second).outcome == "OK"
    with Unchanged(client):
        assert play.ingest.put("old", "t", 9, second).outcome == "BUSY", "the track's own limit"
    assert play.ingest.put("new", "t", 1, second).outcome == "OK"
    with Unchanged(client):
        assert play.ingest.put("newer", "t", 1, second).outcome == "BUSY"
    assert play.ingest.put("new", "t", 2, second).outcome == "OK", "an old call may still use the last tenth"
    with Unchanged(client):
        assert play.ingest.put("new", "t", 3, second).outcome == "BUSY"
        assert play.ingest.create("newest", ["t"], {}) == "BUSY"
    assert violations(client) == []


# -- create and end ---------------------------------------------------------------------------------------


def test_create_declares_once(play: Play, client: redis.Redis) -> None:
    assert play.ingest.create("c", ["t"], {"agent": "Ann"}) == "CREATED"
    with Unchanged(client):
        assert play.ingest.create("c", ["t"], {"agent": "Ann"}) == "SAME"
        assert play.ingest.create("c", ["t"], {"agent": "Bob"}) == "DIFFERS"
        assert play.ingest.create("c", ["t", "u"], {"agent": "Ann"}) == "DIFFERS"


def test_a_call_made_by_its_first_chunk_is_described_by_its_first_declaration(play: Play, client: redis.Redis) -> None:
    play.put(1, track="first")
    assert play.ingest.create("c", ["t"], {"agent": "Ann"}) == "CREATED"
    assert client.hmget(keys.call("c"), "tracks", "metadata") == [b"first t", b'{"agent":"Ann"}']
    play.put(1, call="ending")
    play.ingest.end("ending")
    assert play.ingest.create("ending", ["t"], {"agent": "Ann"}) == "CREATED", "also a sender that was late with it"
    assert client.hget(keys.call("ending"), "state") == b"ending"


def test_end_answers_as_it_says(play: Play, client: redis.Redis) -> None:
    with Unchanged(client):
        assert play.ingest.end("c").outcome == "UNKNOWN"
    play.put(1)
    with Unchanged(client):
        assert play.ingest.end("c", {"t": 2}) == EndAnswer("SHORT", "t", 2)
        assert play.ingest.end("c", {"t": 1, "never-was": 1}) == EndAnswer("SHORT", "never-was", 1)
    assert play.ingest.end("c", {"t": 1}).outcome == "ENDING"
    with Unchanged(client):
        assert play.ingest.end("c").outcome == "SAME"
    assert play.commit(play.lease()) == "OK"
    (entry,) = play.unscored()
    assert play.score(entry) == "ENDED"
    with Unchanged(client):
        assert play.ingest.end("c").outcome == "SAME"
    play.decoders["d"].leave()
    assert at_rest(client) == []


def test_a_call_without_audio_ends_at_once(play: Play, client: redis.Redis) -> None:
    play.ingest.create("c", ["t"], {})
    assert play.ingest.end("c").outcome == "ENDING"
    assert client.hget(keys.call("c"), "state") == b"ended"


def test_end_idle_spares_a_call_whose_chunk_came_in_between(play: Play, client: redis.Redis) -> None:
    play.put(1)
    seconds, _ = client.time()
    before_ms = seconds * 1000 - 60_000
    with Unchanged(client):
        given = {"sender": "inside", "sender_reads": True, "idle_before_ms": before_ms}
        answer = run(client, "end", call_id="c", retention_seconds=60, reason="idle", posted=[], **given)
        assert answer == {"outcome": "ACTIVE"}
        assert play.ingest.end_idle(play.shard, 60) == []
    client.zadd(keys.IDLE, {"c": 1000, "never-was": 1000})
    assert play.ingest.end_idle(play.shard, 60) == ["c"]
    assert client.hmget(keys.call("c"), "state", "end_reason") == [b"ending", b"idle"]
    assert client.zscore(keys.IDLE, "never-was") is None


def test_calls_that_go_on_do_not_keep_others_from_being_ended(play: Play, client: redis.Redis) -> None:
    now_ms = client.time()[0] * 1000
    calls = [f"on{n}" for n in range(30)]
    for call in [*calls, "over"]:
        play.put(1, call=call)
    client.zadd(keys.IDLE, dict.fromkeys(calls, 1000) | {"over": 2000})
    client.zadd(keys.STREAMING, dict.fromkeys(calls, now_ms + 60_000))
    assert play.ingest.end_idle(play.shard, 60) == ["over"], "the others are on hold: a socket is at them"
    play.put(1, call="gone")
    client.zadd(keys.IDLE, dict.fromkeys(calls, now_ms + 60_000) | {"gone": 1000})
    client.zadd(keys.STREAMING, dict.fromkeys(calls, 1000) | {"gone": 2000})
    assert play.ingest.end_dropped(play.shard) == ["gone"], "the others go on over HTTP"


# -- open, commit, release, move --------------------------------------------------------------------------


def test_open_takes_the_lease_cold_or_warm(play: Play) -> None:
    play.put(1)
    play.put(2)
    lease = play.lease()
    assert (lease.done_seq, lease.last_seq, lease.open_seq, lease.tries) == (0, 2, 1, 1)
    assert (lease.warm, lease.state) == (False, b"")
    assert play.commit(lease, upto=1, open_from=1) == "OK"
    warm = play.decoder("d").open(play.token(), lease.id, 1)
    assert warm is not None and warm.warm and warm.state == b"" and [c.seq for c in warm.journal] == [2]
    play.decoder("d").release(warm)
    cold = play.decoder("e").open(play.token("e"), "somebody.else", 1)
    assert cold is not None and not cold.warm and cold.state == b"1-1" and [c.seq for c in cold.journal] == [1, 2]


def test_a_chunk_that_comes_while_the_lease_is_taken_is_left_for_the_next_one(
    play: Play, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that forgets its last writes may keep the lease and lose that chunk: then it must not be committed."""
    play.put(1)
    decoder = play.decoder("d")
    really = decoder._open

    def and_then_a_chunk(*args: Any) -> Any:
        answer, state, _ = really(*args)
        play.put(2)
        return answer, state, client.xrange(keys.audio("c", "t"))

    monkeypatch.setattr(decoder, "_open", and_then_a_chunk)
    lease = play.lease()
    assert (lease.last_seq, [chunk.seq for chunk in lease.journal]) == (1, [1])
    assert play.commit(lease) == "OK"
    monkeypatch.undo()
    assert [chunk.seq for chunk in play.lease().journal] == [2]


def test_open_drops_a_token_that_is_not_the_live_one(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.decoder("d")
    stale = client.xadd(keys.WORK, {"c": "c", "t": "t"})
    tokens = [play.token(), play.token()]
    with_lease = [play.decoder("d").open(token, "", 0) for token in tokens]
    assert [lease is not None for lease in with_lease] == [True, False]
    assert client.xrange(keys.WORK, stale, stale) == []
    unknown = Token(f"{keys.WORK}|1-1", "nobody", "t")
    with Unchanged(client):
        assert play.decoder("d").open(unknown, "", 0) is None


def test_commit_applies_once(play: Play, client: redis.Redis) -> None:
    play.put(1)
    lease = play.lease()
    assert play.commit(lease) == "OK"
    with Unchanged(client):
        assert play.commit(lease) == "AGAIN"
    assert client.hget(keys.utterances("c"), "t:0") is not None
    assert client.xlen(keys.audio("c", "t")) == 0 and play.track()["token"] == b""


def test_commit_is_stale_without_the_live_lease_or_from_another_base(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.put(2)
    first = play.lease()
    play.decoder("e").give_up(first.token)
    second = play.lease("e")
    with Unchanged(client):
        assert play.commit(first) == "STALE"
        wrong_base = msgspec.structs.replace(second, done_seq=1)
        no_such_call = msgspec.structs.replace(second, token=Token("x", "nobody", "t"))
        for wrong in (wrong_base, no_such_call):
            assert play.decoder("e").commit(wrong, change(second)) == "STALE"
    assert play.commit(second, "e") == "OK"


def test_commit_sends_the_next_token_to_the_warm_decoder_while_it_lives(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.put(2)
    play.commit(play.lease(), upto=1)
    assert play.track()["token"].startswith(keys.work("d").encode() + b"|")
    lease = play.lease()
    client.delete(keys.worker("d"))
    play.put(3)
    play.commit(lease, upto=2)
    assert play.track()["token"].startswith(keys.WORK.encode() + b"|")
    assert play.commit(play.lease("e")) == "OK"
    play.put(4)
    to_everybody = msgspec.structs.replace(change(lease := play.lease("e"), upto=3), to_everybody=True)
    assert play.decoder("e").commit(lease, to_everybody) == "OK"
    assert play.track()["token"].startswith(keys.WORK.encode() + b"|")


def test_commit_keeps_dead_chunks_aside_and_marks_them(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.put(2)
    lease = play.lease()
    assert play.decoder("d").commit(lease, change(lease, dead=(2,))) == "OK"
    ((_, dead),) = client.xrange(keys.DEAD)
    assert [dead[name] for name in (b"c", b"t", b"seq", b"reason", b"r")] == [b"c", b"t", b"2", b"test", b"8000"]
    assert dead[b"a"] == chunk(2).audio
    assert play.track()["gaps"] == b"[[2,2]]"


def test_gaps_are_listed_as_they_come(play: Play) -> None:
    for seq in (2, 3, 10, 11, 1_013):
        assert play.put(seq, skip=True) == "OK"
    lease = play.lease()
    assert play.decoder("d").commit(lease, change(lease, dead=(3, 11))) == "OK"
    assert play.track()["gaps"] == b"[[1,1],[4,9],[12,1012],[3,3],[11,11]]"


def test_commit_ends_a_call_that_has_nothing_to_be_scored(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.ingest.end("c")
    lease = play.lease()
    silent = msgspec.structs.replace(change(lease), finals=[], final_count=0)
    assert play.decoder("d").commit(lease, silent) == "ENDED"
    assert client.hget(keys.call("c"), "state") == b"ended" and play.track()["finished"] == b"1"


def test_a_call_that_ends_under_a_lease_is_finished_by_the_next(play: Play) -> None:
    play.put(1)
    lease = play.lease()
    play.ingest.end("c")
    assert play.commit(lease) == "OK"
    last = play.lease()
    assert last.closed and last.done_seq == last.last_seq
    assert play.commit(last) == "OK"
    assert play.track()["finished"] == b"1"


def test_release_gives_the_try_back(play: Play, client: redis.Redis) -> None:
    play.put(1)
    lease = play.lease()
    play.decoder("d").release(lease)
    assert (play.track()["tries"], play.track()["lease"]) == (b"0", b"")
    with Unchanged(client):
        play.decoder("d").release(lease)
        assert play.commit(lease) == "STALE"
    assert play.lease("e").tries == 1


def test_move_hands_a_token_on_but_not_from_under_a_lease_unless_forced(play: Play, client: redis.Redis) -> None:
    def move(token: Token, force: bool, forgive: int = 0) -> str:
        answer = run(client, "move", call_id="c", track="t", token=token.name, force=force, forgive=forgive)
        return str(answer["outcome"])

    play.put(1)
    token = play.token()
    assert move(token, False) == "MOVED"
    with Unchanged(client):
        assert move(token, False) == "STALE"
        assert move(token, True) == "STALE"
    lease = play.lease()
    with Unchanged(client):
        assert move(lease.token, False) == "LEASED"
    assert move(lease.token, True) == "MOVED"
    assert play.track()["lease"] == b"" and play.track()["tries"] == b"1"
    for tries in (1, 1, 2):  # a loss that proves nothing is forgiven, but not more often than said
        assert move(play.lease().token, True, 2) == "MOVED"
        assert int(play.track()["tries"]) == tries
    assert play.commit(play.lease()) == "OK"
    assert (play.track()["tries"], play.track()["forgiven"]) == (b"0", b"0")


# -- register and bury ------------------------------------------------------------------------------------


def test_bury_spares_the_living_and_who_holds_anything(play: Play, client: redis.Redis) -> None:
    def bury(name: str) -> str:
        return str(run(client, "bury", worker=name)["outcome"])

    play.put(1)
    token = play.token("d")
    with Unchanged(client):
        assert bury("d") == "ALIVE"
    client.delete(keys.worker("d"))
    with Unchanged(client):
        assert bury("d") == "HOLDS", "a token of the shared stream is pending here"
    lease = play.decoder("e").open(token, "", 0)
    assert lease is not None
    play.put(2)
    client.set(keys.worker("d"), 1)
    play.decoder("d").commit(msgspec.structs.replace(lease), change(lease, upto=1))
    client.delete(keys.worker("d"))
    assert play.decoder("e").others.sweep() in (0, 1)
    assert not client.sismember(keys.WORKERS, "d") and not client.exists(keys.work("d"))
    assert "d" not in [c["name"].decode() for c in client.xinfo_consumers(keys.WORK, keys.DECODERS)]
    assert play.lease("e").done_seq == 1


def test_register_can_be_repeated(play: Play, client: redis.Redis) -> None:
    fleet = play.decoder("d")
    fleet.beat()
    with Unchanged(client):
        fleet._register()
        fleet.beat()
    client.delete(keys.worker("d"))
    fleet.beat()
    assert 0 < client.pttl(keys.worker("d")) <= 60_000


# -- score and summarise ----------------------------------------------------------------------------------


def test_score_counts_once_and_conflicts_are_told(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.commit(play.lease())
    play.put(2)
    play.commit(play.lease())
    one, two = play.unscored()
    given = {"entry": two.entry, "utterance_id": two.utterance_id, "score": b"x", "standing": b"s", "attention": 0.5}
    with Unchanged(client):
        answer = run(client, "score", call_id="c", retention_seconds=60, scored_before=7, event=b"{}", **given)
        assert answer == {"outcome": "CONFLICT"}
    assert [play.score(one), play.score(two)] == ["OK", "OK"]
    with Unchanged(client):
        assert play.score(one) == "AGAIN"
    assert client.hget(keys.call("c"), "unscored") == b"0" and client.xlen(keys.FINALS) == 0
    assert client.zscore(keys.LIVE, "c") == 0.2


def test_score_of_a_call_that_has_expired_is_dropped(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.ingest.end("c")
    play.commit(play.lease())
    (entry,) = play.unscored()
    client.delete(keys.call("c"), keys.utterances("c"), keys.track("c", "t"))
    assert play.score(entry) == "GONE"
    assert client.xlen(keys.FINALS) == 0
    client.zrem(keys.LIVE, "c")


def test_summarise_stores_once(play: Play, client: redis.Redis) -> None:
    play.ingest.create("c", ["t"], {})
    play.ingest.end("c")
    outstanding = Outstanding(client)
    assert outstanding.take() == ["c"] and outstanding.take() == []
    assert outstanding.store("c", {"a": 1}) == "OK"
    with Unchanged(client):
        assert outstanding.store("c", {"a": 2}) == "AGAIN"
        assert outstanding.store("never-was", {}) == "GONE"
    assert client.hget(keys.call("c"), "summary") == b'{"a":1}' and client.scard(keys.UNSUMMARISED) == 0


def test_spooled_says_how_far_the_store_of_recordings_has_a_track(play: Play, client: redis.Redis) -> None:
    def spooled(upto: str) -> str:
        return str(run(client, "spooled", call_id="c", track="t", upto=upto)["outcome"])

    with Unchanged(client):
        assert spooled("0-1") == "GONE"
    play.put(1)
    assert spooled("0-1") == "OK" and client.hget(keys.track("c", "t"), "spooled") == b"0-1"


def test_happen_notes_what_changes_something(play: Play, client: redis.Redis) -> None:
    def happen(
        kind: str, most: int = 3, track: str = "t", sender: str = "inside", reads: bool = True, who: str = ""
    ) -> str:
        told = {"call_id": "c", "kind": kind, "track": track, "to": "", "who": who, "most": most}
        return str(run(client, "happen", **told, sender=sender, sender_reads=reads)["outcome"])

    with Unchanged(client):
        assert happen("hold") == "UNKNOWN"
    play.put(1)
    with Unchanged(client):
        assert happen("hold", sender="another", reads=False) == "FOREIGN"
        assert happen("recording-paused") == "OFF"
        assert [happen(kind) for kind in ("resume", "unmute", "recording-resumed")] == ["SAME"] * 3
    assert [happen(kind) for kind in ("hold", "mute", "dtmf")] == ["OK", "OK", "SAME"]
    with Unchanged(client):
        assert [happen(kind) for kind in ("hold", "mute")] == ["SAME"] * 2
    assert happen("mute", track="u") == "OK"
    with Unchanged(client):
        assert [happen("transfer"), happen("mute", track="v")] == ["FULL"] * 2
    assert [happen("unmute"), happen("resume"), happen("unmute", track="u")] == ["OK"] * 3
    assert client.hget(keys.call("c"), "muted") == b" "
    assert [happen("join", 9, who=who) for who in ("Ann", "Ben")] == ["OK"] * 2
    with Unchanged(client):
        assert happen("join", 9, who="Ben") == "SAME"
    assert [happen("leave", 9), happen("leave", 9), happen("join", 99, who="Ben")] == ["OK", "SAME", "OK"]
    play.ingest.end("c")
    with Unchanged(client):
        assert happen("hold") == "CLOSED"


def test_archived_lets_go_of_what_was_written_as_it_stands(play: Play, client: redis.Redis) -> None:
    departures, retention = Departures(client), Retention(client, Settings(database_url="sqlite:///anywhere"))
    play.ingest.create("c", ["t"], {})
    play.ingest.end("c")
    soon = client.time()[0] * 1000 + 60_000
    assert Outstanding(client).store("c", {"a": 1}, archive=True) == "OK"
    assert departures.take() == ["c"] and departures.take() == []
    with Unchanged(client):
        assert departures.settle("c", b"other handling") == "CHANGED"
        assert departures.settle("never-was") == "GONE"
        assert not retention.erase("c", soon), "the database does not have it"
    client.config_set("maxmemory", 1)
    try:
        assert departures.settle("c") == "OK"
        assert retention.erase("c", soon), "a full server is freed by it"
    finally:
        client.config_set("maxmemory", 0)
    assert departures.settle("c") == "GONE" and departures.outstanding() == []


def test_handle_changes_what_it_was_made_from_and_nothing_else(play: Play, client: redis.Redis) -> None:
    def handle(call: str, before: str | None, after: str) -> str:
        known = {} if before is None else {"before": before}
        answer = run(client, "handle", call_id=call, after=after, event="{}", deed="{}", deeds_kept=100, **known)
        return str(answer["outcome"])

    play.ingest.create("c", ["t"], {})
    with Unchanged(client):
        assert handle("never-was", None, "1") == "GONE"
        assert handle("c", "0", "1") == "CONFLICT"
    assert handle("c", None, "1") == "OK"
    with Unchanged(client):
        assert handle("c", None, "2") == "CONFLICT"
    assert client.hget(keys.call("c"), "handling") == b"1" and client.xlen(keys.AUDIT_ACTS) == 1


def test_forget_strikes_off_the_dead_that_hold_nothing(play: Play, client: redis.Redis) -> None:
    def forget(idle_ms: int) -> int:
        return int(run(client, "forget", idle_ms=idle_ms)["forgotten"])

    def known() -> list[bytes]:
        return [consumer["name"] for consumer in client.xinfo_consumers(keys.FINALS, keys.SENTIMENT)]

    play.put(1)
    play.commit(play.lease())
    play.unscored()
    client.xgroup_createconsumer(keys.FINALS, keys.SENTIMENT, "dead")
    with Unchanged(client):
        assert forget(60_000) == 0
    assert forget(-1) == 1
    assert known() == [b"scorer"], "it has something that is not scored"
    client.xgroup_createconsumer(keys.FINALS, keys.SENTIMENT, "dead")
    client.config_set("maxmemory", 1)
    try:
        assert forget(-1) in (0, 1), "a full server may refuse it, and scoring goes on"
    finally:
        client.config_set("maxmemory", 0)


# -- a server that forgot, or is full ---------------------------------------------------------------------


def test_erase_takes_all_of_a_call_in_any_state_but_spares_the_young(play: Play, client: redis.Redis) -> None:
    retention = Retention(client, play.settings)
    for call in ("leased", "live", "ending", "held"):
        play.put(1, call)
        play.put(4, call, skip=True)
    lease = play.lease()
    play.ingest.end("ending")
    Streams(client, play.settings).hold("held", "socket", ["t"], True)
    long_ago, soon = client.time()[0] * 1000 - 60_000, client.time()[0] * 1000 + 60_000
    with Unchanged(client):
        assert not any(retention.erase(call, long_ago) for call in ("leased", "live", "ending", "held"))
        assert not retention.erase("held", soon), "a socket is at it"
    assert retention.erase("ending", soon) and retention.erase("live") and retention.erase("held")
    client.config_set("maxmemory", 1)
    try:
        assert retention.erase("leased"), "a full server is freed by it"
    finally:
        client.config_set("maxmemory", 0)
    assert play.commit(lease) == "STALE"
    left = {key.decode() for key in client.scan_iter()}
    assert {key for key in left if key.startswith(keys.PREFIX)} <= {
        keys.WORK, keys.WORKERS, keys.STORE.residents, keys.LOAD, keys.FEED, keys.FINALS,
        keys.worker("d"), keys.work("d"),
    }, left  # fmt: skip
    assert retention.erase("live"), "again: there is nothing left to erase"


def test_a_server_that_forgot_its_scripts_is_told_them_again(play: Play, client: redis.Redis) -> None:
    play.decoder("d")
    client.script_flush()
    play.put(1)
    token = play.token()
    client.script_flush()
    lease = play.decoder("d").open(token, "", 0)
    assert lease is not None
    client.script_flush()
    assert play.commit(lease) == "OK"


def test_a_full_server_takes_nothing_in_and_still_drains(play: Play, client: redis.Redis) -> None:
    """Trap: newer servers refuse a script whose first write may grow. All but ingest and create begin by freeing."""
    for seq in range(1, 5):
        play.put(seq)
        play.put(seq, call="moved")
    play.decoder("d")
    introduce_model(client, "stub", "Stub", "digest")
    play.unscored()
    client.config_set("maxmemory", 1)
    try:
        with Unchanged(client), pytest.raises(redis.exceptions.ResponseError, match="maxmemory"):
            play.put(5)
        with Unchanged(client), pytest.raises(redis.exceptions.ResponseError, match="maxmemory"):
            play.put(1, call="new")
        with Unchanged(client), pytest.raises(redis.exceptions.ResponseError, match="maxmemory"):
            play.ingest.create("new", ["t"], {})
        late = play.decoder("e")  # a decoder may also join, be known, and beat
        late.beat()
        Audit(client).record_read(Deed("key crm", "read", "c", origin="key"))  # and people may read
        assert introduce_model(client, "stub", "Stub", "digest") == "digest"
        late.release(play.lease("e"))
        late.give_up(play.token("e"))
        play.ingest.end("c")
        play.ingest.end("moved")
        for _ in range(2):
            while (token := late.next_token(0)) is not None:
                lease = late.open(token, "", 0)
                if lease is not None:
                    assert play.commit(lease, "e", upto=min(lease.last_seq, lease.done_seq + 2)) == "OK"
        waiting = play.unscored()
        assert len(waiting) == 4
        assert [play.score(entry) for entry in waiting][-1] == "ENDED"
        late.leave()
        play.decoders["d"].leave()
        assert at_rest(client) == []
    finally:
        client.config_set("maxmemory", 0)


# -- hold, end of a socket -----------------------------------------------------------------------------------------


def test_the_newest_socket_has_a_track_and_the_older_one_never_again(play: Play, client: redis.Redis) -> None:
    streams = Streams(client, Settings())
    play.put(1)
    held, [place] = streams.hold("c", "old", ["t"], take_over=True)
    assert (held, place.next_seq, place.samples) == ("HELD", 2, int(client.hget(keys.track("c", "t"), "samples") or 0))
    assert streams.hold("c", "old", ["t"], take_over=False)[0] == "HELD"
    with Unchanged(client):
        assert streams.hold("c", "new", ["t"], take_over=False) == ("TAKEN", [])
    assert streams.hold("c", "new", ["t"], take_over=True)[0] == "HELD"
    with Unchanged(client):
        assert streams.hold("c", "old", ["t"], take_over=True)[0] == "TAKEN"
        assert streams.hold("c", "old", [], take_over=False)[0] == "TAKEN"
    streams.hold("c", "another", ["u"], take_over=True)
    assert play.ingest.end("c", socket="new").outcome == "OTHERS"
    assert streams.hold("c", "third", ["t"], take_over=False)[0] == "HELD", "its track is free"
    play.ingest.end("c", socket="another")
    assert play.ingest.end("c", socket="third").outcome == "ENDING", "the older one does not count"


def test_the_last_socket_that_is_done_ends_the_call(play: Play, client: redis.Redis) -> None:
    streams = Streams(client, Settings())
    play.ingest.create("c", ["t", "u"], {})
    for socket, track in (("a", "t"), ("b", "u")):
        assert streams.hold("c", socket, [track], take_over=True)[0] == "HELD"
    assert play.ingest.end("c", socket="a").outcome == play.ingest.end("c", socket="a").outcome == "OTHERS"
    assert play.ingest.end("c", socket="b").outcome == "ENDING"
    assert play.ingest.end("c", socket="b").outcome == "SAME"
    assert client.exists(keys.STREAMING, keys.streams("c")) == 0
    with Unchanged(client):
        assert streams.hold("c", "late", ["t"], take_over=True) == ("CLOSED", [])


def test_a_socket_that_agrees_on_its_clock_with_a_call_that_just_ended_leaves_nothing_for_ever(
    play: Play, client: redis.Redis
) -> None:
    streams = Streams(client, Settings())
    play.ingest.create("c", ["t"], {})
    streams.hold("c", "a", ["t"], take_over=True)
    play.ingest.end("c")
    assert streams.clock_zero("c", "x", 5.0) == 5.0
    assert client.ttl(keys.streams("c")) > 0


def test_a_call_that_was_never_made_does_not_stay_due(play: Play, client: redis.Redis) -> None:
    Streams(client, Settings()).hold("ghost", "a", [], take_over=False)
    client.zadd(keys.STREAMING, {"ghost": 1000})
    assert play.ingest.end_dropped(play.shard) == []
    assert client.zscore(keys.STREAMING, "ghost") is None


def test_fold_makes_one_entry_of_repeats(client: redis.Redis) -> None:
    trail = Audit(client)
    for about in ("c1", "c2", "c1"):
        trail.record_read(Deed("key crm", "read", about, origin="key"))
    assert [(entry.deed.about, entry.count) for entry in trail.read("reads", 9)] == [("c1", 2), ("c2", 1)]


def test_every_script_is_tested_here() -> None:
    """A new script must come with its answers."""
    assert set(SCRIPTS) == {
        "ingest", "create", "end", "open", "commit", "release", "move", "register", "bury", "score", "summarise",
        "hold", "handle", "forget", "erase", "fold", "archived", "spooled", "happen",
    }  # fmt: skip
