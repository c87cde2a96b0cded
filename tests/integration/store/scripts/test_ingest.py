"""Scripts that take audio in, and begin and end calls."""

from __future__ import annotations

import redis

from state import keys
from state.calls.ingest import MAX_GAP, MAX_TRACKS, Chunk, EndAnswer
from tests.harness.invariants import at_rest, violations
from tests.harness.protocol import RATE, Play, Unchanged, chunk, run


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
    assert play.ingest.create("ending", ["t"], {"agent": "Ann"}) == "CREATED", "a late declaration counts, too"
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
    assert play.ingest.end_idle(play.shard, 60) == ["over"], "a socket holds the others"
    play.put(1, call="gone")
    client.zadd(keys.IDLE, dict.fromkeys(calls, now_ms + 60_000) | {"gone": 1000})
    client.zadd(keys.STREAMING, dict.fromkeys(calls, 1000) | {"gone": 2000})
    assert play.ingest.end_dropped(play.shard) == ["gone"], "the others go on over HTTP"
