"""What a streamed call does when the store does not take its audio. With a real store, without an engine."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from state import keys
from state.calls.ingest import Chunk, Ingest
from state.settings import Settings
from state.types import INSIDE
from tests.harness.servers import Server
from webapp.store import Store, open_store
from webapp.streams import streamed_call
from webapp.streams import writer as writer_module
from webapp.streams.binary import BinaryParser
from webapp.streams.insisting import TryLater
from webapp.streams.streamed_call import StreamedCall
from webapp.streams.writer import PATIENCE_SECONDS

SECOND = 8000


def here(valkey: Server, client: redis.Redis, **settings: Any) -> Store:
    return open_store(Settings(redis_url=valkey.url, **settings), client)


def begun(store: Store, call_id: str = "call-1") -> StreamedCall:
    call = StreamedCall(store, BinaryParser({"call_id": call_id, "encoding": "ulaw"}), INSIDE)
    call.take(json.dumps({"agent": "Ann"}))
    return call


def audio(first: int, seconds: float) -> bytes:
    """Mu-law in which every half second differs from the others."""
    return b"".join(bytes([1 + n % 250]) * (SECOND // 2) for n in range(int(2 * first), int(2 * (first + seconds))))


def say(call: StreamedCall, sound: bytes) -> None:
    call.take(sound)
    call.put()


def journal(client: redis.Redis, call_id: str = "call-1") -> list[tuple[int, bytes, int]]:
    entries = client.xrange(keys.audio(call_id, "customer"))
    return [(int(name.partition(b"-")[0]), fields[b"a"], int(fields[b"n"])) for name, fields in entries]


def whole(client: redis.Redis) -> bytes:
    entries = journal(client)
    assert [seq for seq, *_ in entries] == list(range(1, len(entries) + 1))
    at = 0
    for _, sound, first in entries:
        assert first == at
        at += len(sound)
    return b"".join(sound for _, sound, _ in entries)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(streamed_call, "TICK_SECONDS", 0.0)


def free(client: redis.Redis) -> None:
    """Count all audio as decoded, as decoders do."""
    client.delete(keys.LOAD)
    track = keys.track("call-1", "customer")
    client.hset(track, "done_samples", client.hget(track, "samples") or 0)


def test_audio_waits_while_the_backlog_is_full_and_nothing_is_lost(
    valkey: Server, store: redis.Redis, impatient: None
) -> None:
    call = begun(here(valkey, store, track_backlog_seconds=5))
    say(call, audio(0, 20))
    assert len(journal(store)) == 10
    for _ in range(3):
        free(store)
        call.tick()
    assert whole(store) == audio(0, 20)


def test_what_cannot_wait_any_longer_is_dropped_and_recorded_as_a_gap_of_its_length(
    valkey: Server, store: redis.Redis, impatient: None
) -> None:
    call = begun(here(valkey, store, track_backlog_seconds=5))
    for n in range(60):
        say(call, audio(n, 1))
    [track] = call._tracks.values()
    assert track.writer._waiting_samples == PATIENCE_SECONDS * SECOND
    for _ in range(10):
        free(store)
        call.tick()
    entries = journal(store)
    assert b"".join(sound for _, sound, _ in entries) == audio(0, 5) + audio(30, 30)
    assert entries[10][2] == 30 * SECOND, "the clock counts what is missing"
    assert json.loads(store.hget(keys.track("call-1", "customer"), "gaps") or b"") == [[11, 60]]


def test_a_message_longer_than_the_patience_is_taken_whole(valkey: Server, store: redis.Redis) -> None:
    call = begun(here(valkey, store))
    say(call, audio(0, PATIENCE_SECONDS + 10))
    assert whole(store) == audio(0, PATIENCE_SECONDS + 10)


def test_a_store_that_lost_its_last_second_gets_it_again(valkey: Server, store: redis.Redis, impatient: None) -> None:
    call = begun(here(valkey, store))
    say(call, audio(0, 5))
    track = keys.track("call-1", "customer")
    store.xdel(keys.audio("call-1", "customer"), "9-0", "10-0")
    store.hset(track, mapping={"last_seq": 8, "samples": 4 * SECOND})
    # A server that lost the entries would not know their ids. XDEL remembers them, so the stream is written anew.
    kept = store.xrange(keys.audio("call-1", "customer"))
    store.delete(keys.audio("call-1", "customer"), keys.listen("call-1", "customer"))
    for name, fields in kept:
        store.xadd(keys.audio("call-1", "customer"), fields, id=name)
    say(call, audio(5, 5))
    assert whole(store) == audio(0, 10)


def test_two_sockets_without_a_clock_lose_nothing_when_one_is_late_to_go(valkey: Server, store: redis.Redis) -> None:
    """The old socket's last half second arrives after the new socket has asked where the journal ends."""
    older, newer = begun(here(valkey, store)), begun(here(valkey, store))
    say(older, audio(0, 2) + audio(2, 0.5)[:1000])
    say(newer, b"\x7f" * 100)
    places = newer._tracks["customer"].writer._place
    Ingest(store, Settings()).put("call-1", "customer", places.next_seq, chunk(b"\x01" * 500))
    say(newer, b"\x7f" * 3900 + audio(3, 2))
    assert whole(store) == audio(0, 2) + b"\x01" * 500 + b"\x7f" * 4000 + audio(3, 2)
    assert newer._tracks["customer"].joiner.end == int(store.hget(keys.track("call-1", "customer"), "samples") or 0)


def chunk(sound: bytes) -> Chunk:
    return Chunk(sound, "mulaw", SECOND)


def test_a_quiet_senders_last_words_do_not_lie_around(valkey: Server, store: redis.Redis, impatient: None) -> None:
    call = begun(here(valkey, store))
    say(call, b"\x7f" * 1000)
    call.tick()
    call.tick()
    assert whole(store) == b"\x7f" * 1000


def test_a_new_call_is_put_off_where_there_is_no_room_and_held_ones_are_not_ended_as_idle(
    valkey: Server, store: redis.Redis
) -> None:
    full = here(valkey, store, backlog_limit_seconds=10)
    store.hset(keys.LOAD, "audio_ms", 9_500)
    with pytest.raises(TryLater):
        say(begun(full, "call-2"), audio(0, 1))
    assert not store.exists(keys.call("call-2"))


def test_a_call_at_which_a_socket_is_does_not_end_as_idle_and_ends_when_nobody_holds_it(
    valkey: Server, store: redis.Redis
) -> None:
    opened = here(valkey, store, stream_grace_seconds=60)
    call = begun(opened)
    say(call, audio(0, 1))
    (shard,) = opened.shards
    store.zadd(keys.IDLE, {"call-1": 1})  # its last chunk is long ago
    assert opened.ingest.end_idle(shard, 0) == []
    assert opened.ingest.end_dropped(shard) == []
    call.drop()
    assert opened.ingest.end_dropped(shard) == []
    assert 0 < store.zscore(keys.STREAMING, "call-1") - shard.now_ms() <= 60_000
    store.zadd(keys.STREAMING, {"call-1": 1})  # the grace time passes
    assert opened.ingest.end_dropped(shard) == ["call-1"]
    assert store.hget(keys.call("call-1"), "end_reason") == b"dropped"
    assert not store.exists(keys.streams("call-1")) and not store.exists(keys.STREAMING)


def test_a_leg_without_audio_is_no_call_and_legs_of_one_call_say_who_and_when(
    valkey: Server, store: redis.Redis
) -> None:
    here_now = here(valkey, store)
    consultation = begun(here_now, "nobody-answers")
    consultation.tick()
    consultation.stop()
    assert not store.exists(keys.call("nobody-answers"))
    ann = begun(here_now)
    say(ann, audio(0, 2))
    ben = StreamedCall(here_now, BinaryParser({"call_id": "call-1", "track": "agent-2", "agent": "Ben"}), INSIDE)
    say(ben, bytes(16000))
    again = StreamedCall(here_now, BinaryParser({"call_id": "call-1", "track": "agent-2", "agent": "Ben"}), INSIDE)
    say(again, bytes(16000))
    again.stop()
    say(ann, audio(2, 1))
    view = here_now.reads.call("call-1")
    assert view is not None and set(view.tracks) == {"customer", "agent-2"}
    legs = [(event.kind, event.at, event.track, event.who) for event in view.events]
    assert legs == [("join", 2.0, "agent-2", "Ben"), ("leave", 2.0, "agent-2", "")]


def test_a_call_that_also_comes_over_http_goes_on_when_its_socket_is_gone(valkey: Server, store: redis.Redis) -> None:
    opened = here(valkey, store, stream_grace_seconds=60)
    begun(opened).drop()
    assert opened.ingest.put("call-1", "agent", 1, chunk(b"\x01" * 800)).outcome == "OK"
    (shard,) = opened.shards
    store.zadd(keys.STREAMING, {"call-1": 1})  # the socket is gone for longer than the grace time
    assert opened.ingest.end_dropped(shard) == []
    store.zadd(keys.IDLE, {"call-1": shard.now_ms() - 10_000})
    assert opened.ingest.end_dropped(shard) == []
    store.zadd(keys.IDLE, {"call-1": shard.now_ms() - 60_001})
    assert opened.ingest.end_dropped(shard) == ["call-1"]
