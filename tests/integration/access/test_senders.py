"""A call belongs to the sender whose audio came first. Others are refused, unless they may read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from state import keys
from state.calls.streams import OtherSender, Streams
from state.settings import Settings
from state.types import Sender
from tests.harness.protocol import Play, Unchanged, chunk


@pytest.fixture
def play(store: redis.Redis) -> Play:
    return Play(store)


A, B, READER = Sender("key a", False), Sender("key b", False), Sender("key c", True)


def put(play: Play, seq: int, sender: Sender) -> str:
    return play.ingest.put("c", "t", seq, chunk(seq), sender=sender).outcome


def test_a_call_belongs_to_the_sender_whose_audio_came_first(play: Play, store: redis.Redis) -> None:
    streams = Streams(store, Settings())
    assert play.ingest.create("c", ["t"], {"agent": "Ann"}, A) == "CREATED"
    with Unchanged(store):
        assert play.ingest.create("c", ["t"], {"agent": "Ann"}, B) == "DIFFERS", (
            "a stranger must not find out by guessing what was declared"
        )
        assert play.ingest.create("c", ["t"], {"agent": "Ann"}, A) == "SAME"
        assert play.ingest.create("c", ["t"], {"agent": "Ann"}, READER) == "SAME"
    assert put(play, 1, A) == "OK"
    with Unchanged(store):
        for seq in (1, 2, 5):
            assert put(play, seq, B) == "FOREIGN"
        assert play.ingest.create("c", ["t"], {"agent": "Ann"}, B) == "FOREIGN"
        assert play.ingest.end("c", sender=B).outcome == "FOREIGN"
        assert streams.hold("c", "s", ["t"], True, B) == streams.hold("c", "s", [], False, B) == ("FOREIGN", [])
        with pytest.raises(OtherSender):
            streams.heard("c", "t", 0, B)
    assert streams.heard("c", "t", 0, A) == streams.heard("c", "t", 0, READER)
    assert (put(play, 1, A), put(play, 2, A)) == ("DUP", "OK")
    assert play.ingest.end("c", sender=A).outcome == "ENDING"
    with Unchanged(store):
        assert put(play, 1, B) == "FOREIGN", "even after the end"


def test_a_sender_that_may_read_takes_a_call_over_and_the_first_one_hears_no_more(
    play: Play, store: redis.Redis
) -> None:
    streams = Streams(store, Settings())
    assert put(play, 1, A) == "OK"
    assert put(play, 2, READER) == "OK"
    assert put(play, 3, A) == "FOREIGN"
    with pytest.raises(OtherSender):
        streams.heard("c", "t", 0, A)


def test_a_socket_that_has_begun_a_track_has_the_call_before_its_first_chunk(play: Play, store: redis.Redis) -> None:
    streams = Streams(store, Settings())
    play.ingest.create("c", ["t"], {}, A)
    assert streams.hold("c", "a", ["t"], True, A)[0] == "HELD"
    assert streams.hold("c", "b", ["t"], True, B) == ("FOREIGN", [])
    assert put(play, 1, B) == "FOREIGN"
    assert put(play, 1, A) == "OK"


def test_a_socket_that_comes_as_the_last_one_says_goodbye_has_its_call(play: Play, store: redis.Redis) -> None:
    """If the new socket reaches the store first, the call goes on. If not, the socket is told that it has ended."""
    streams = Streams(store, Settings())
    for turn in range(50):
        call = f"c{turn}"
        play.ingest.create(call, ["t"], {})
        streams.hold(call, "old", ["t"], True)
        with ThreadPoolExecutor(2) as both:
            ended = both.submit(play.ingest.end, call, socket="old")
            held = both.submit(streams.hold, call, "new", ["t"], True)
        assert (ended.result().outcome, held.result()[0]) in (("OTHERS", "HELD"), ("ENDING", "CLOSED"))
        state = store.hget(keys.call(call), "state")
        assert (state == b"live") == (held.result()[0] == "HELD")
