"""The feed's cursor: a page that saw events which no longer exist is told so, whatever happened to the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from state import keys
from state.calls.feed import START, FeedLost, Tail
from state.calls.reads import Reads

NOBODY = "0" * 16


def tell(store: redis.Redis, entry_id: str, call_id: str) -> None:
    """Write an event under this id. A server whose clock stands still could give it."""
    store.xadd(keys.FEED, {"j": f'{{"kind":"partial","call_id":"{call_id}"}}'}, id=entry_id)


@contextmanager
def rolled_back(store: redis.Redis) -> Iterator[None]:
    """The store forgets what happens inside, as after a fail-over to a replica that had not got it."""
    copy = {key: store.dump(key) for key in store.scan_iter()}
    yield
    store.flushall()
    for key, value in copy.items():
        store.restore(key, 0, value)


@pytest.mark.parametrize("given_to_another", ["7-0", "7-1"], ids=["the same id", "a later id"])
def test_a_cursor_from_before_a_rollback_is_told_from_a_good_one_even_when_new_events_have_come(
    store: redis.Redis, given_to_another: str
) -> None:
    reads = Reads(store)
    tell(store, "6-0", "kept")
    kept = reads.tip()
    with rolled_back(store):
        tell(store, "7-0", "lost")
        lost = reads.tip()
    tell(store, given_to_another, "new")
    assert [told for _, told in reads.feed(kept, 10)] == [b'{"kind":"partial","call_id":"new"}']
    with pytest.raises(FeedLost):
        reads.feed(lost, 10)


def test_an_empty_feed_is_followed_too_and_what_it_loses_meanwhile_is_noticed(store: redis.Redis) -> None:
    reads = Reads(store)
    assert reads.tip() == START and reads.feed(START, 10) == []
    tell(store, "6-0", "old")
    store.xtrim(keys.FEED, maxlen=0, approximate=False)
    empty = reads.tip()
    assert reads.feed(empty, 10) == []
    tell(store, "7-0", "new")
    assert [cursor for cursor, _ in reads.feed(empty, 10)] == [reads.tip()]
    tell(store, "8-0", "newer")
    store.xtrim(keys.FEED, maxlen=1, approximate=False)
    with pytest.raises(FeedLost):
        reads.feed(empty, 10)


def test_a_cursor_that_is_cut_off_or_never_was_is_lost(store: redis.Redis) -> None:
    reads = Reads(store)
    tell(store, "6-0", "a")
    first = reads.tip()
    assert len(reads.feed(START, 10)) == 1
    tell(store, "7-0", "b")
    store.xtrim(keys.FEED, maxlen=1, approximate=False)
    far = "99999999999999999999-0"
    for cursor in (
        first,
        START,
        "7-0",
        f"7-0.{NOBODY}",
        f"1-1.{NOBODY}",
        f"{far}.{NOBODY}",
        f"{far}+0",
        "",
        "x-y",
        "--+0",
    ):
        with pytest.raises(FeedLost):
            reads.feed(cursor, 10)
    assert reads.feed(reads.tip(), 10) == []
    assert reads.feeds.tails(10) == [Tail(reads.tip(), [])], "a cursor before the feed's first event has missed some"


def test_the_end_of_a_feed_says_what_it_follows(store: redis.Redis) -> None:
    reads = Reads(store)
    assert reads.feeds.tails(10) == [Tail(START, [])]
    cursors = []
    for entry_id in ("6-0", "7-0"):
        tell(store, entry_id, "a")
        cursors.append(reads.tip())
    whole, part = reads.feeds.tails(2)[0], reads.feeds.tails(1)[0]
    assert whole.since == START and [told.cursor for told in whole.told] == cursors
    assert part.since == cursors[0] and [told.cursor for told in part.told] == cursors[1:]
    store.xtrim(keys.FEED, maxlen=0, approximate=False)
    assert reads.feeds.tails(10) == [Tail(reads.tip(), [])]
