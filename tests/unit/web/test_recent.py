"""The feed's last events, as a process sends them to its pages."""

from __future__ import annotations

import msgspec
import pytest

from state.calls.feed import START, Tail, Told
from state.events import CallEvent, Event, PartialEvent, encode
from webapp.page import recent
from webapp.page.recent import Batch, Recent


def partial(text: str, track: str = "customer", call_id: str = "c") -> PartialEvent:
    return PartialEvent(call_id, track, text, 0.0, 1)


def begun(call_id: str) -> CallEvent:
    return CallEvent(call_id, "live", 0, None, {})


def entries(*events: Event, first: int = 1, shard: int = 0) -> list[Told]:
    return [Told(shard, f"{n}-0.d", encode(event)) for n, event in enumerate(events, first)]


def told(batches: list[Batch]) -> list[str]:
    """What each event says: a partial's words, or a call's id."""
    said = [msgspec.json.decode(event) for batch in batches for event in batch.events]
    return [event.get("partial", event["call_id"]) for event in said]


def test_after_a_cursor_comes_all_that_was_told_since() -> None:
    kept = Recent([Tail(START, [])])
    assert START in kept and kept.tip == START
    kept.add(entries(begun("a"), begun("b")))
    kept.add(entries(begun("c"), first=3))
    assert told(list(kept.after(START))) == ["a", "b", "c"]
    assert told(list(kept.after("2-0.d"))) == ["c"]
    assert [batch.events for batch in kept.after("3-0.d")] == [[]]
    assert "3-0.other" not in kept and "9-0.d" not in kept


def test_what_was_before_the_first_event_is_not_known() -> None:
    kept = Recent([Tail("1-0.d", entries(begun("b"), first=2))])
    assert START not in kept and "1-0.d" in kept and kept.tip == "2-0.d"
    assert told(list(kept.after("1-0.d"))) == ["b"]


def test_a_page_that_had_seen_nothing_of_one_shard_gets_all_of_it() -> None:
    kept = Recent([Tail(START, entries(begun("a"))), Tail("4-0.d", entries(begun("b"), first=5, shard=1))])
    assert f"{START},4-0.d" in kept and told(list(kept.after(f"{START},4-0.d"))) == ["a", "b"]


def test_a_partial_that_was_replaced_is_left_out_for_who_is_behind() -> None:
    kept = Recent([Tail(START, [])])
    kept.add(entries(partial("one"), partial("other track", "agent"), begun("a"), partial("one two")))
    assert told(list(kept.after(START))) == ["other track", "a", "one two"]
    assert told(list(kept.after("4-0.d"))) == []


def test_much_comes_in_parts_that_follow_on_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "BATCH_EVENTS", 2)
    kept = Recent([Tail(START, [])])
    kept.add(entries(*(begun(f"{n}") for n in range(5)), partial("")))
    batches = list(kept.after(START))
    assert [(batch.since, batch.cursor) for batch in batches] == [
        (START, "2-0.d"),
        ("2-0.d", "4-0.d"),
        ("4-0.d", "6-0.d"),
    ]
    assert told(batches) == ["0", "1", "2", "3", "4", ""]


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "EVENTS", 3)
    kept = Recent([Tail(START, [])])
    for n in range(1, 8):
        kept.add(entries(begun(f"{n}"), first=n))
    assert [n for n in range(8) if f"{n}-0.d" in kept] == [4, 5, 6, 7]
    assert told(list(kept.after("4-0.d"))) == ["5", "6", "7"]


def test_an_event_nobody_understands_moves_the_cursor_and_is_not_told() -> None:
    kept = Recent([Tail(START, [])])
    kept.add([Told(0, "1-0.d", b'{"kind":"newer"}'), *entries(begun("a"), first=2), Told(0, "3-0.d", b"\xff")])
    [batch] = kept.after(START)
    assert told([batch]) == ["a"] and batch.cursor == "3-0.d"


def test_each_shard_has_a_cursor_of_its_own() -> None:
    kept = Recent([Tail(START, []), Tail(START, [])])
    first = kept.tip
    kept.add(entries(begun("a"), begun("b"), shard=1))
    behind = kept.tip
    kept.add(entries(begun("c"), shard=0))
    assert told(list(kept.after(first))) == ["c", "a", "b"] and told(list(kept.after(behind))) == ["c"]
    assert f"1-0.d,{START}" in kept, "the cursor of another process, which read the shards in another order"
    assert told(list(kept.after(f"1-0.d,{START}"))) == ["a", "b"]
    assert START not in kept, "the cursor of a store with one shard"
