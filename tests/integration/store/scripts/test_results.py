"""Scripts for what follows from the words: scores, summaries, marks, what leaves Redis."""

from __future__ import annotations

import redis

from state import keys
from state.calls.departures import Departures
from state.calls.retention import Retention
from state.calls.summaries import Outstanding
from state.people.audit import Audit, Deed
from state.settings import Settings
from tests.harness.protocol import Play, Unchanged, run


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
        assert retention.erase("c", soon), "it frees a full server"
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
    assert known() == [b"scorer"], "the scorer has something that is not scored"
    client.xgroup_createconsumer(keys.FINALS, keys.SENTIMENT, "dead")
    client.config_set("maxmemory", 1)
    try:
        assert forget(-1) in (0, 1), "a full server may refuse it, and scoring goes on"
    finally:
        client.config_set("maxmemory", 0)


def test_fold_makes_one_entry_of_repeats(client: redis.Redis) -> None:
    trail = Audit(client)
    for about in ("c1", "c2", "c1"):
        trail.record_read(Deed("key crm", "read", about, origin="key"))
    assert [(entry.deed.about, entry.count) for entry in trail.read("reads", 9)] == [("c1", 2), ("c2", 1)]
