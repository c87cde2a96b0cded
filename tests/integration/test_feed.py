"""The feed's cursor: a page that was shown what no longer exists is told so, however the server got there."""

from __future__ import annotations

import pytest
import redis

from state.reads import FeedLost, Reads
from tests.protocol import Play


def test_a_cursor_from_before_a_rollback_is_told_from_a_good_one_even_when_new_events_have_come(
    store: redis.Redis,
) -> None:
    """After a fail-over the feed's last event may be newer than the cursor, and yet a part was lost in between."""
    play, reads = Play(store), Reads(store)
    play.ingest.create("kept", ["t"], {})
    kept = reads.tip()
    copy = {key: store.dump(key) for key in store.scan_iter()}
    play.ingest.create("lost", ["t"], {})
    lost = reads.tip()
    store.flushall()
    for key, value in copy.items():
        store.restore(key, 0, value)
    play.ingest.create("new", ["t"], {})
    assert reads.tip() > lost
    assert len(reads.feed(kept, 10)) == 1
    with pytest.raises(FeedLost):
        reads.feed(lost, 10)


def test_a_cursor_that_is_cut_off_or_never_was_is_lost(store: redis.Redis) -> None:
    play, reads = Play(store), Reads(store)
    assert reads.feed("0-0", 10) == []
    play.ingest.create("a", ["t"], {})
    first = reads.tip()
    assert len(reads.feed("0-0", 10)) == 1
    play.ingest.create("b", ["t"], {})
    store.xtrim("{earshot}:feed", maxlen=1, approximate=False)
    for cursor in (first, "0-0", "1-1", "9999999999999-0", "99999999999999999999-0", "", "x-y"):
        with pytest.raises(FeedLost):
            reads.feed(cursor, 10)
    assert reads.feed(reads.tip(), 10) == []
