"""Scripts of audio that comes over sockets."""

from __future__ import annotations

import redis

from state import keys
from state.calls.streams import Streams
from state.settings import Settings
from tests.harness.protocol import Play, Unchanged


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
