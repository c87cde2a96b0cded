"""Each event of a call is written down once for those who want it, whatever the feed has dropped meanwhile."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import redis

from scripts.operating.webhooks import main as command
from state import keys
from state.archive.erase import erase_call
from state.archive.opening import Archive
from state.calls.feed import Feeds, joined
from state.calls.handling import Handler
from state.calls.ingest import Ingest
from state.moments import DAY_MS
from state.rules import RulesStore
from state.server.shards import Shards, shards_of, shards_on
from state.settings import Settings
from state.webhooks import deliveries, endpoints
from state.webhooks.endpoints import Endpoint
from state.webhooks.happenings import EVENT_TYPES, EventType
from tests.integration.keeping.test_archive import ended, rows
from workers.sentiment.assessor import Assessor
from workers.webhooks.follow import Follower

ALL = list(EVENT_TYPES)
OF_HELP = {"help.asked", "help.answered", "help.cancelled"}
"""Events that come only if an agent asks for help."""


def add(archive: Archive, store: Shards | redis.Redis, events: list[EventType], name: str = "all") -> Endpoint:
    shards = shards_of(store)
    now_ms = shards[0].now_ms()
    return endpoints.add(
        archive, "https://example.com/", events, "standard", name, now_ms, joined(Feeds(shards).tips())
    )


def follow(archive: Archive, store: Shards | redis.Redis, redact: bool = True) -> list[Any]:
    """Follow the feed to its end. Returns the bodies of all messages that are written down."""
    follower = Follower(shards_of(store), archive, "me", redact)
    assert follower.turn()
    while follower.step():
        pass
    return bodies(archive)


def bodies(archive: Archive) -> list[Any]:
    return [msgspec.json.decode(row.body) for row in rows(archive, "messages")]


def kinds(told: list[Any]) -> list[str]:
    return [one["type"] for one in told]


def test_every_event_of_a_call_is_told_once(store: redis.Redis, assessor: Assessor, archive: Archive) -> None:
    add(archive, store, ALL)
    ended(store, assessor, agent="Dana")
    Handler(store, "sam").set_state("c", "taken")
    told = follow(archive, store)
    assert set(kinds(told)) == set(ALL) - OF_HELP
    assert [kinds(told).count(kind) for kind in ("call.started", "call.ended", "summary.ready")] == [1, 1, 1]
    by_kind = {one["type"]: one["data"] for one in told}
    assert all(data["call_id"] == "c" and data["metadata"] == {"agent": "Dana"} for data in by_kind.values())
    assert by_kind["call.handled"]["handling"]["by"] == "sam"
    assert by_kind["summary.ready"]["summary"]["duration_seconds"] > 0
    assert by_kind["call.alert"]["alert"]["reason"]
    said = [one["data"]["utterance"]["text"] for one in told if one["type"] == "transcript.final"]
    assert len(said) == 4 and "manager" in " ".join(said)
    assert not any(word in str(told) for word in ("zero", " five", " six")), "nothing unmasked is told"
    before = rows(archive, "messages")
    with archive.writing() as connection:
        connection.exec_driver_sql("UPDATE positions SET cursor = '0-0+0'")  # all of it once more
    store.delete(keys.turn("webhooks"))
    follow(archive, store)
    assert rows(archive, "messages") == before and len(rows(archive, "deliveries")) == len(before)


@pytest.mark.parametrize("dropped", [False, True])
def test_requests_for_help_are_told_with_what_became_of_them(
    store: redis.Redis, archive: Archive, dropped: bool
) -> None:
    add(archive, store, [kind for kind in ALL if kind in OF_HELP])
    Ingest(store, Settings()).create("c", ["t"], {"agent": "Dana"})
    dana, sam = Handler(store, "dana"), Handler(store, "sam")
    dana.ask_help("c", "refund")
    dana.ask_help("c", "refund over 500")  # the same request: she waits
    dana.cancel_help("c")
    dana.ask_help("c", "")
    sam.set_state("c", "taken")
    sam.set_state("c", "open")
    dana.ask_help("c", "again")
    sam.send_message("c", "say yes")
    if dropped:
        store.xtrim(keys.FEED, maxlen=0, approximate=False)
        Ingest(store, Settings()).create("next", ["t"], {})
        store.xtrim(keys.FEED, maxlen=0, approximate=False)
    told = [one for one in follow(archive, store) if one["type"] in OF_HELP]
    made = [(one["type"], one["data"]["help"]["answered_by"]) for one in told]
    assert made == [
        ("help.asked", ""),
        ("help.cancelled", ""),
        ("help.asked", ""),
        ("help.answered", "sam"),
        ("help.asked", ""),
        ("help.answered", "sam"),
    ]
    assert told[0]["data"]["help"]["reason"] == ("refund over 500" if dropped else "refund")
    assert told[0]["data"]["help"]["by"] == "dana" and told[0]["data"]["metadata"] == {"agent": "Dana"}
    assert all(one["data"]["help"]["waited_seconds"] >= 0 for one in told)
    assert len(rows(archive, "deliveries")) == 6


def test_what_the_feed_has_dropped_is_told_from_the_calls(
    store: redis.Redis, assessor: Assessor, archive: Archive
) -> None:
    add(archive, store, ALL)
    Ingest(store, Settings()).create("first", ["t"], {})
    first = follow(archive, store)
    ended(store, assessor)
    Handler(store, "sam").add_note("c", "rang back")
    store.xtrim(keys.FEED, maxlen=0, approximate=False)
    store.delete(keys.turn("webhooks"))
    told = follow(archive, store)
    assert told[: len(first)] == first and kinds(told).count("call.started") == 2
    assert set(kinds(told)) == set(ALL) - OF_HELP and kinds(told).count("transcript.final") == 4
    assert not any(word in str(told) for word in ("zero", " five", " six"))
    store.delete(keys.turn("webhooks"))
    assert follow(archive, store) == told, "it goes on from there"
    add(archive, store, ALL, "later")
    store.xtrim(keys.FEED, maxlen=0, approximate=False)
    Ingest(store, Settings()).create("next", ["t"], {})
    store.xtrim(keys.FEED, maxlen=0, approximate=False)
    store.delete(keys.turn("webhooks"))
    assert kinds(follow(archive, store)[len(told) :]) == ["call.started"]
    later = [row for row in rows(archive, "deliveries") if row.endpoint == "later"]
    assert len(later) == 1, "it gets nothing from before it was made"


def test_everybody_gets_what_they_want_and_a_rule_calls_its_own(
    store: redis.Redis, assessor: Assessor, archive: Archive
) -> None:
    for name, events in (("ends", ["call.ended"]), ("alerts", ["call.alert"]), ("bare", []), ("off", ALL)):
        add(archive, store, events, name)  # type: ignore[arg-type]
    with archive.writing() as connection:
        connection.exec_driver_sql("UPDATE endpoints SET gone_at_ms = 1 WHERE name = 'off'")
    rule = "{id: boss, title: Boss, severity: low, phrases: [manager], webhook: bare}"
    quiet = (
        "{id: card, title: Card, severity: low, track: agent, about: compliance, phrases: [card number], webhook: bare}"
    )
    RulesStore(store).save(f"version: 2\nrules: [{rule}, {quiet}]\n", 1, 2)
    assessor.follow(RulesStore(store))
    ended(store, assessor)
    follow(archive, store)
    by_number = {row.number: msgspec.json.decode(row.body)["data"] for row in rows(archive, "messages")}
    got: dict[str, set[str]] = {}
    for row in rows(archive, "deliveries"):
        data = by_number[row.message]
        got.setdefault(row.endpoint, set()).add(data["alert"]["kind"] if "alert" in data else data["end_reason"])
    assert got["ends"] == {"sender"} and got["bare"] == {"rule:boss", "rule:card"} and "off" not in got
    assert "rule:boss" in got["alerts"] and "rule:card" not in got["alerts"], "a finding is no alert"


def test_an_erased_call_is_not_told(store: redis.Redis, assessor: Assessor, archive: Archive) -> None:
    add(archive, store, ALL)
    ended(store, assessor)
    assert follow(archive, store)
    erase_call(archive, "c", set(), shards_of(store)[0].now_ms())
    assert rows(archive, "messages") == rows(archive, "deliveries") == []
    with archive.writing() as connection:
        connection.exec_driver_sql("UPDATE positions SET cursor = '0-0+0'")
    store.delete(keys.turn("webhooks"))
    assert follow(archive, store) == []


def test_nobody_to_tell_means_nothing_is_followed(store: redis.Redis, archive: Archive) -> None:
    Ingest(store, Settings()).create("before", ["t"], {})
    assert follow(archive, store) == []
    add(archive, store, ALL)
    Ingest(store, Settings()).create("after", ["t"], {})
    store.delete(keys.turn("webhooks"))
    assert [one["data"]["call_id"] for one in follow(archive, store)] == ["after"]
    assert endpoints.remove(archive, "all") and rows(archive, "deliveries") == []


def test_shards_have_a_cursor_each(store: redis.Redis, archive: Archive) -> None:
    shards = shards_on(store, 3)
    add(archive, shards, ["call.started"])
    ingest = Ingest(shards, Settings())
    for n in range(20):
        ingest.create(f"c{n}", ["t"], {})
    follower = Follower(shards, archive, "me", True)
    assert follower.turn() and not Follower(shards, archive, "other", True).turn(), "one at a time"
    while follower.step():
        pass
    store.xtrim(shards[1].keys.feed, maxlen=0, approximate=False)
    for n in range(20, 30):
        ingest.create(f"c{n}", ["t"], {})
    while follower.step():
        pass
    assert sorted(one["data"]["call_id"] for one in bodies(archive)) == sorted(f"c{n}" for n in range(30))


def test_what_is_old_goes(store: redis.Redis, archive: Archive) -> None:
    add(archive, store, ALL)
    Ingest(store, Settings()).create("c", ["t"], {})
    follow(archive, store)
    now_ms = shards_of(store)[0].now_ms()
    assert deliveries.forget_old(archive, now_ms + DAY_MS) == 0
    assert deliveries.forget_old(archive, now_ms + 3 * DAY_MS) == 1 and rows(archive, "deliveries") == []


def test_operators_do_the_same_by_command(
    store: redis.Redis, archive: Archive, command_line: None, capsys: Any
) -> None:
    assert command(["add", "https://hooks.example.com/x", "--events", "call.started,call.ended"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("whsec_") and "hooks-example-com" in told.err
    assert command(["add", "https://hooks.example.com/x", "--name", "hooks-example-com"]) == 1
    capsys.readouterr()
    for wrong in ("ftp://a", "https://", "https://a:b@c/", "https://a b", "https://[x", "https://a/#b"):
        assert command(["add", wrong]) == 1 and len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(SystemExit):
        command(["add", "https://a", "--events", "call.nothing"])
    Ingest(store, Settings()).create("c", ["t"], {})
    follow(archive, store)
    [row] = rows(archive, "messages")
    capsys.readouterr()
    assert command(["log"]) == 0 and row.id in (shown := capsys.readouterr().out) and "waiting" in shown
    assert command(["list"]) == 0 and "whsec_" not in capsys.readouterr().out
    assert command(["redeliver", "hooks-example-com", row.id]) == 0
    assert command(["redeliver", "hooks-example-com", "msg_x"]) == 1
    assert command(["enable", "nothing"]) == 1 and command(["enable", "hooks-example-com"]) == 0
    assert command(["remove", "hooks-example-com"]) == 0 and command(["remove", "hooks-example-com"]) == 1
