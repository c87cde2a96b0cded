"""A key that somebody has damaged harms its own call, but no other call and no decoder."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import pytest
import redis

from state import keys
from state.calls.feed import Tail, joined
from state.calls.ingest import Chunk, Ingest
from state.calls.reads import Reads
from state.server.shards import shards_of
from state.settings import Settings
from state.types import Utterance
from webapp.page.recent import Recent
from workers.decoder.loop import DecodeLoop
from workers.engines.stub import StubModel

AUDIO, TRACK = keys.audio("c", "t"), keys.track("c", "t")


class Decoder:
    """A decode loop that runs until a condition holds, and the sender beside it."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        settings = Settings()
        self.ingest = Ingest(client, settings)
        self.loop = DecodeLoop(client, StubModel(), "d", settings, lambda: self.done)
        self.done = False

    def put(self, call: str, first: int, last: int) -> None:
        for seq in range(first, last + 1):
            assert self.ingest.put(call, "t", seq, Chunk(bytes([seq]) * 800, "mulaw", 8000)).outcome == "OK"

    def until(self, condition: Callable[[], bool]) -> None:
        """Run the real loop until the condition holds. It is checked between two turns."""
        deadline = time.monotonic() + 60
        turn = self.loop._turn

        def checked() -> None:
            self.done = condition()
            assert self.done or time.monotonic() < deadline, "not in time"
            if not self.done:
                turn()

        self.done = False
        self.loop._turn = checked  # type: ignore[method-assign]
        self.loop.run()
        self.loop._turn = turn  # type: ignore[method-assign]

    def decoded(self, call: str, seq: int) -> Callable[[], bool]:
        return lambda: int(self.client.hget(keys.track(call, "t"), "done_seq") or 0) >= seq

    def finished(self, call: str) -> Callable[[], bool]:
        return lambda: self.client.hget(keys.call(call), "open_tracks") == b"0"


@pytest.fixture
def decoder(store: redis.Redis) -> Decoder:
    return Decoder(store)


def lose_all(client: redis.Redis) -> None:
    client.delete(AUDIO)


def lose_the_beginning(client: redis.Redis) -> None:
    client.xdel(AUDIO, client.xrange(AUDIO, count=1)[0][0])


def lose_what_comes_next(client: redis.Redis) -> None:
    client.xdel(AUDIO, "5-0")


def lose_one_further_on(client: redis.Redis) -> None:
    client.xdel(AUDIO, "6-0")


def garble_the_state(client: redis.Redis) -> None:
    client.hset(TRACK, mapping={"state": b"\x91", "committed": "another decoder"})


@pytest.mark.parametrize(
    "damage", [lose_all, lose_the_beginning, lose_what_comes_next, lose_one_further_on, garble_the_state]
)
def test_a_journal_that_contradicts_its_hash_is_given_up_and_the_call_goes_on(
    damage: Callable[[redis.Redis], None], decoder: Decoder
) -> None:
    decoder.put("c", 1, 4)
    decoder.until(decoder.decoded("c", 4))
    decoder.put("c", 5, 8)
    damage(decoder.client)
    decoder.put("c", 9, 12)
    decoder.ingest.end("c")
    decoder.until(decoder.finished("c"))
    stored = decoder.client.hgetall(keys.utterances("c")).values()
    said = sorted((msgspec.msgpack.decode(packed, type=Utterance) for packed in stored), key=lambda u: u.index)
    assert "dead" in [utterance.mark for utterance in said], "the lost part is marked"
    assert said[-1].end == 1.2 and said[-1].mark is None, "what comes after it is decoded"
    load = decoder.client.hgetall(keys.LOAD)
    assert load == {b"chunks": b"0", b"audio_ms": b"0", b"audio_bytes": b"0"}


def test_a_commit_that_is_always_refused_stalls_nobody_else(decoder: Decoder) -> None:
    decoder.put("c", 1, 4)
    decoder.ingest.end("c")
    decoder.client.set(keys.utterances("c"), "no hash")
    decoder.put("other", 1, 4)
    decoder.ingest.end("other")
    decoder.until(decoder.finished("other"))


def test_a_track_that_cannot_be_opened_stalls_nobody_else(decoder: Decoder) -> None:
    decoder.put("c", 1, 4)
    decoder.client.set(TRACK, "no hash")
    decoder.put("other", 1, 4)
    decoder.ingest.end("other")
    decoder.until(decoder.finished("other"))
    assert decoder.client.xpending(keys.WORK, keys.DECODERS)["pending"] == 0


WRONG: list[tuple[str, bytes]] = [
    ("metadata", b"{"),
    ("metadata", b'{"agent": 1}'),
    ("state", b"\xff"),
    ("started_at_ms", b"noon"),
    ("ended_at_ms", b"nan"),
    ("tracks", b"\xff"),
    ("standing", b"\xc1"),
    ("handling", b"\xc1"),
    ("last", b"\xc1"),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_call_that_cannot_be_read_is_left_out_and_all_others_are_shown(
    decoder: Decoder, field: str, value: bytes
) -> None:
    for call in ("a", "c", "z"):
        decoder.put(call, 1, 1)
    decoder.client.hset(keys.call("c"), field, value)
    reads = Reads(decoder.client)
    assert sorted(row.call_id for row in reads.table()[0]) == ["a", "z"]
    assert sorted(row.call_id for row in reads.rows("live", 10, None)[0]) == ["a", "z"]
    assert reads.call("c") is None
    assert reads.call("z") is not None


@pytest.mark.parametrize("key", [keys.call("c"), keys.track("c", "t")])
def test_a_key_of_another_kind_hides_no_other_call(decoder: Decoder, key: str) -> None:
    for call in ("a", "c", "z"):
        decoder.put(call, 1, 1)
    decoder.client.set(key, "a string")
    assert sorted(row.call_id for row in Reads(decoder.client).table()[0]) == ["a", "z"]


def test_an_entry_of_the_feed_that_is_none_holds_up_nobody(decoder: Decoder) -> None:
    feeds = Reads(decoder.client).feeds
    before = feeds.tips()
    decoder.client.xadd(shards_of(decoder.client)[0].keys.feed, {"foreign": "hand"})
    decoder.put("c", 1, 1)
    told = feeds.after(before, 10)
    assert told[0].event == b"" and len(told) > 1
    recent = Recent([Tail(tip, []) for tip in before])
    recent.add(told)
    assert recent.tips == feeds.tips()
    assert [len(batch.events) for batch in recent.after(joined(before))] == [len(told) - 1]
