"""How tokens find a decoder: warm first, nobody starves, stalled and lost ones come back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from state import keys
from state.calls import finals, fleet, rescue
from state.calls.finals import Finals
from state.calls.fleet import OWN_BEFORE_SHARED
from state.calls.ingest import Ingest
from state.calls.rescue import RELIEVE_AFTER_MS, STALLED_AFTER_MS
from state.moments import DAY_MS
from state.settings import Settings
from tests.harness.invariants import violations
from tests.harness.protocol import Play
from workers.decoder.loop import DecodeLoop
from workers.engines.stub import StubModel


def warm_tracks(play: Play, count: int, name: str = "d") -> None:
    """Make `count` tracks that decoder `name` is warm for. The token of each waits in the decoder's own stream."""
    for n in range(count):
        play.put(1, track=f"warm{n}")
        play.put(2, track=f"warm{n}")
        lease = play.lease(name)
        assert play.commit(lease, name, upto=1) == "OK"
        assert play.track("c", f"warm{n}")["token"].startswith(keys.work(name).encode() + b"|")
        play.decoder(name)._own_in_a_row = 0
        held = play.decoder(name).next_token(0)  # keep it out of the way while the next is made
        assert held is not None
    play.decoder(name).join()  # as after a reconnection: what it holds comes again


def test_the_own_stream_comes_first_but_the_shared_one_is_not_starved(store: redis.Redis) -> None:
    play = Play(store, heartbeat_seconds=60)
    decoder = play.decoder("d")
    for n in range(10):
        store.xadd(keys.work("d"), {"c": "c", "t": f"warm{n}"})
    store.xadd(keys.WORK, {"c": "c", "t": "cold"})
    order = []
    while (token := decoder.next_token(0)) is not None:
        order.append(token.track)
    assert order[0] == "warm0"
    assert OWN_BEFORE_SHARED <= order.index("cold") <= OWN_BEFORE_SHARED + 1
    assert sorted(order) == sorted(["cold", *(f"warm{n}" for n in range(10))])


def test_what_was_delivered_and_never_arrived_comes_first_after_a_reconnection(store: redis.Redis) -> None:
    play = Play(store, heartbeat_seconds=60)
    warm_tracks(play, 3)
    again = [play.token().track for _ in range(3)]
    assert sorted(again) == ["warm0", "warm1", "warm2"]


def test_sentiment_workers_that_died_are_forgotten_when_their_work_is_done(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = Play(store)
    play.put(1)
    play.commit(play.lease())
    scorer, dead = play.finals, Finals(play.shard, "dead")
    [unscored] = [*scorer.join(), *dead.join(), *dead.next()]
    monkeypatch.setattr(finals, "FORGOTTEN_AFTER_MS", -1)
    monkeypatch.setattr(finals, "ABANDONED_AFTER_MS", 0)

    def known() -> set[bytes]:
        return {consumer["name"] for consumer in store.xinfo_consumers(keys.FINALS, keys.SENTIMENT)}

    scorer.forget_dead()
    assert known() == {b"dead"}, "it has an utterance without a score"
    [again] = scorer.abandoned()
    assert (again.entry, again.tries, again.redelivered) == (unscored.entry, 0, True)
    scorer.forget_dead()
    assert known() == {b"scorer"}


def test_an_idle_decoder_takes_what_waits_too_long_for_a_busy_one(store: redis.Redis) -> None:
    play = Play(store, heartbeat_seconds=60)
    play.put(1)
    play.put(2)
    play.commit(play.lease(), upto=1)
    idle = play.decoder("e")
    idle.others._now_ms = lambda: now
    now = int(store.time()[0]) * 1000 - 5000
    assert idle.others.relieve() == 0, "it has only just come"
    now += 10_000 + RELIEVE_AFTER_MS
    assert idle.others.relieve() == 1
    assert play.lease("e").done_seq == 1
    assert violations(store) == []


def test_a_token_pending_for_somebody_nobody_knows_is_rescued(store: redis.Redis) -> None:
    """The registry of decoders may have been rolled back, so time alone decides."""
    play = Play(store, heartbeat_seconds=60)
    play.put(1)
    token = play.token("ghost")
    store.srem(keys.WORKERS, "ghost")
    store.delete(keys.worker("ghost"))
    rescuer = play.decoder("e")
    assert rescuer.others.rescue_stalled() == 0
    entry = token.name.partition("|")[2]
    store.xclaim(keys.WORK, keys.DECODERS, "ghost", 0, [entry], idle=STALLED_AFTER_MS + 1000)
    assert rescuer.others.rescue_stalled() == 1
    assert play.lease("e").last_seq == 1


def test_audio_does_not_pass_through_the_open_script(store: redis.Redis) -> None:
    play = Play(store, heartbeat_seconds=60)
    play.put(1)
    token = play.token()
    answer, state, entries = play.decoder("d")._open(token, "d.1", "", 0)
    assert len(repr(answer)) < 300 and state == b""
    assert len(entries) == 1


def test_a_cold_lease_brings_a_new_chunk_however_long_the_open_utterance(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a new chunk, a decoder that keeps nothing warm would never commit anything."""
    monkeypatch.setattr(fleet, "JOURNAL_CHUNKS", 2)
    play = Play(store, heartbeat_seconds=60)
    for seq in range(1, 7):
        play.put(seq)
    for done in (1, 2, 3, 4, 5):
        lease = play.lease()
        assert not lease.warm and done in [chunk.seq for chunk in lease.journal]
        assert play.commit(lease, upto=done, open_from=1) == "OK"


def test_looking_after_a_large_fleet_takes_no_more_round_trips(store: redis.Redis) -> None:
    play = Play(store, heartbeat_seconds=60)
    rescuer = play.decoder("rescuer").others

    def reads(look: Callable[[], int]) -> int:
        """The number of times that the server reads from its connections during a look."""
        before = store.info("stats")["total_reads_processed"]
        assert look() == 0
        return int(store.info("stats")["total_reads_processed"]) - before

    looks = (rescuer.sweep, rescuer.relieve, rescuer.rescue_stalled)
    few = [reads(look) for look in looks]
    for n in range(200):
        play.decoder(f"d{n}")
    many = [reads(look) for look in looks]
    # a long pipeline may be read in two or three pieces
    assert all(now <= before + 4 for now, before in zip(many, few, strict=True)), (few, many)


def test_one_decoder_at_a_time_looks_after_the_others(store: redis.Redis) -> None:
    play = Play(store, heartbeat_seconds=60)
    one, other = play.decoder("one").others, play.decoder("other").others
    assert one.turn("sweep", 60_000)
    assert not other.turn("sweep", 60_000) and not one.turn("sweep", 60_000)
    assert other.turn("relieve", 60_000)
    store.delete(keys.turn("sweep"))
    assert other.turn("sweep", 60_000)
    store.pexpire(keys.turn("sweep"), DAY_MS)  # as if the server's clock had been set back by a day
    assert not one.turn("sweep", 60_000)
    assert one.turn("sweep", 60_000)
    store.delete(keys.turn("sweep"))
    store.config_set("maxmemory", 1)
    try:
        assert one.turn("sweep", 60_000) and other.turn("sweep", 60_000), "a full server is looked after, too"
    finally:
        store.config_set("maxmemory", 0)


def test_a_thousand_idle_calls_end_in_a_few_turns_of_a_decoder(store: redis.Redis) -> None:
    settings = Settings(call_idle_seconds=1)
    ingest = Ingest(store, settings)
    for n in range(1000):
        ingest.create(f"c{n}", ["t"], {})
        store.zadd(keys.IDLE, {f"c{n}": 1})
    post = DecodeLoop(store, StubModel(), "d", settings, lambda: False)._post(0, resident=True)
    for _ in range(6):
        post.look_after()
    assert store.zcard(keys.ENDED) == 1000


def test_a_heartbeat_from_before_the_clock_was_set_back_is_not_believed_for_a_day(store: redis.Redis) -> None:
    play = Play(store, heartbeat_seconds=60)
    sweeper = play.decoder("one").others
    play.decoder("dead")
    store.pexpire(keys.worker("dead"), DAY_MS)
    sweeper.sweep()
    assert 0 < store.pttl(keys.worker("dead")) <= rescue.LONGEST_BEAT_MS
