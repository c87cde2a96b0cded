"""Only people take calls, one person a call. All pages hear of it, and it stands in the trail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from state import keys
from state.calls.feed import START
from state.calls.handling import MAX_NOTES, MAX_TAGS, Handler, Refused
from state.calls.ingest import Ingest
from state.calls.reads import Reads
from state.events import Event, HandlingEvent
from state.people.access import Access
from state.people.audit import Audit
from state.settings import Settings
from tests.harness.api import app_client
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, csrf_of, sign_in
from webapp.app import create_app


@pytest.fixture
def call(store: redis.Redis) -> str:
    Ingest(store, Settings()).create("c", ["customer"], {"agent": "Ann"})
    return "c"


@pytest.fixture
def http(valkey: Server, call: str) -> FlaskClient:
    return app_client(valkey)


def events(store: redis.Redis) -> list[HandlingEvent]:
    told = [msgspec.json.decode(encoded, type=Event) for _, encoded in Reads(store).feed(START, 1000)]
    return [one for one in told if isinstance(one, HandlingEvent)]


def deeds(store: redis.Redis) -> list[tuple[str, str, str]]:
    return [(e.deed.who, e.deed.what, e.deed.about) for e in reversed(Audit(store).read("acts", 1000))]


def put(http: FlaskClient, **asked: Any) -> TestResponse:
    return http.put("/v1/calls/c/handling", json=asked)


def reason(answer: TestResponse) -> tuple[int, str, str]:
    body = answer.get_json(force=True)
    return answer.status_code, body["reason"], body["detail"]


def test_of_many_who_take_a_call_at_once_one_has_it(store: redis.Redis, call: str, valkey: Server) -> None:
    def take(who: str) -> str:
        with valkey.client() as client:
            try:
                Handler(client, who).set_state(call, "taken")
            except Refused as refused:
                assert refused.present is not None
                return f"{refused.reason} {refused.present.by}"
            return "taken"

    names = [f"s{n}" for n in range(16)]
    with ThreadPoolExecutor(len(names)) as pool:
        answers = dict(zip(names, pool.map(take, names), strict=True))
    [winner] = [name for name, answer in answers.items() if answer == "taken"]
    assert {answer for name, answer in answers.items() if name != winner} == {f"held {winner}"}
    [event] = events(store)
    assert (event.handling.state, event.handling.by, event.handling.revision) == ("taken", winner, 1)
    assert deeds(store) == [(winner, "take", call)]


def test_notes_of_many_at_once_are_all_kept(store: redis.Redis, call: str, valkey: Server) -> None:
    def note(number: int) -> None:
        with valkey.client() as client:
            Handler(client, f"s{number}").add_note(call, f"note {number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(note, range(MAX_NOTES)))
    row = Reads(store).table()[0][0]
    assert {one.text for one in row.handling.notes} == {f"note {n}" for n in range(MAX_NOTES)}
    assert row.handling.revision == MAX_NOTES == len(events(store)) == len(deeds(store))
    with pytest.raises(Refused, match="full"):
        Handler(store, "s").add_note(call, "one too many")


def test_a_call_is_taken_handed_back_acknowledged_and_snoozed(http: FlaskClient, store: redis.Redis) -> None:
    taken = put(http, state="taken", by="Dana").get_json()
    assert (taken["state"], taken["by"], taken["revision"]) == ("taken", "Dana", 1)
    assert put(http, state="taken", by="Dana").get_json() == taken, "taking it again changes nothing"
    for state, more in (("taken", {}), ("acknowledged", {}), ("open", {}), ("snoozed", {"seconds": 60})):
        assert reason(put(http, state=state, by="Tom", **more)) == (409, "held", "Dana is on it.")

    assert reason(put(http, state="taken", by="Tom", revision=0)) == (409, "changed", "Dana is on it.")
    over = put(http, state="taken", by="Tom", revision=1).get_json()
    assert (over["by"], over["revision"]) == ("Tom", 2)

    assert put(http, state="open", by="Tom").get_json()["state"] == "open"
    seen = put(http, state="acknowledged", by="Dana", seen=33.5).get_json()
    assert (seen["state"], seen["seen"], seen["until"]) == ("acknowledged", 33.5, None)
    snoozed = put(http, state="snoozed", by="Tom", seconds=300).get_json()
    assert (snoozed["seen"], snoozed["until"] > snoozed["at"]) == (33.5, True)
    row = http.get("/v1/calls").get_json()["calls"][0]
    assert row["handling"] == http.get("/v1/calls/c").get_json()["handling"] == snoozed
    assert deeds(store) == [
        ("Dana", "take", "c"),
        ("Tom", "take", "c"),
        ("Tom", "hand-back", "c"),
        ("Dana", "acknowledge", "c"),
        ("Tom", "snooze", "c"),
    ]


@pytest.mark.parametrize("text", ["12\u00a0€, twice", "می\u200cخواهد", "👩\u200d💻 knows", "first\nsecond", "a\tb"])
def test_a_note_takes_what_people_type_and_paste(http: FlaskClient, call: str, text: str) -> None:
    made = http.post("/v1/calls/c/notes", json={"text": text})
    assert made.get_json()["notes"][0]["text"] == text.replace("\u00a0", " ").replace("\t", " ")


def test_notes_and_tags_go_with_the_call(http: FlaskClient, store: redis.Redis) -> None:
    made = http.post("/v1/calls/c/notes", json={"text": " ring back <b>today</b> ", "by": "Dana"}).get_json()
    [note] = made["notes"]
    assert (note["by"], note["text"]) == ("Dana", "ring back <b>today</b>")
    for tag in ("vip", "ring back", "vip"):
        made = http.put(f"/v1/calls/c/tags/{tag}?by=Tom").get_json()
    assert made["tags"] == ["ring back", "vip"]
    for _ in range(2):
        assert http.delete("/v1/calls/c/tags/vip?by=Dana").get_json()["tags"] == ["ring back"]
    assert [event.handling.tags for event in events(store)][-1] == ["ring back"]
    assert deeds(store) == [
        ("Dana", "note", "c"),
        ("Tom", "tag vip", "c"),
        ("Tom", "tag ring back", "c"),
        ("Dana", "untag vip", "c"),
    ]
    for number in range(1, MAX_TAGS):
        http.put(f"/v1/calls/c/tags/t{number}")
    assert reason(http.put("/v1/calls/c/tags/more"))[:2] == (409, "full")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"state": "gone"},
        {"state": "snoozed"},
        {"state": "taken", "seconds": 5},
        {"state": "snoozed", "seconds": 0},
        {"state": "snoozed", "seconds": 10**6},
        {"state": "taken", "by": "x\u0007"},
        {"state": "taken", "by": "x" * 65},
        {"state": "taken", "who": "me"},
        {"state": "acknowledged", "seen": -1},
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    http: FlaskClient, store: redis.Redis, asked: dict[str, Any]
) -> None:
    assert put(http, **asked).status_code == 400
    assert not store.hexists(keys.call("c"), "handling")
    assert not events(store) and not deeds(store)


def test_what_is_no_note_or_tag_or_call_is_refused(http: FlaskClient) -> None:
    for text in ("", "  ", "a\x00b", "x" * 501):
        assert http.post("/v1/calls/c/notes", json={"text": text}).status_code == 400
    for tag in ("-x", "x" * 33, "a%0Ab", "<b>"):
        assert http.put(f"/v1/calls/c/tags/{tag}").status_code == 400
    assert http.post("/v1/calls/c/notes", data="x").status_code == 415
    assert reason(http.put("/v1/calls/nobody/handling", json={"state": "taken"}))[:2] == (404, "unknown_call")
    assert not store_exists(http, "nobody")


def store_exists(http: FlaskClient, call_id: str) -> bool:
    return http.get(f"/v1/calls/{call_id}").status_code == 200


def test_a_program_or_a_stranger_cannot_take_a_call(valkey: Server, store: redis.Redis, call: str) -> None:
    http = create_app(Settings(redis_url=valkey.url, api_keys="crm:ingest+read:0123456789abcdef")).test_client()
    with_key = {"Authorization": "Bearer 0123456789abcdef"}
    assert http.put("/v1/calls/c/handling", json={"state": "taken"}, headers=with_key).status_code == 403
    assert http.put("/v1/calls/c/handling", json={"state": "taken"}).status_code == 401
    assert not events(store)


def test_what_was_done_with_a_call_goes_when_the_call_goes(store: redis.Redis, call: str) -> None:
    Handler(store, "Dana").set_state(call, "taken")
    Ingest(store, Settings(retention_hours=1)).end(call)
    assert 0 < store.ttl(keys.call(call)) <= 3600
    Handler(store, "Dana").add_note(call, "after the end")
    assert 0 < store.ttl(keys.call(call)) <= 3600


def test_who_signed_in_is_who_acts_and_only_from_our_own_page(valkey: Server, store: redis.Redis, call: str) -> None:
    Access(store).users.add("dana", "supervisor", PASSWORD)
    http = create_app(Settings(redis_url=valkey.url)).test_client()
    sign_in(http, "dana")
    assert reason(put(http, state="taken"))[:2] == (403, "csrf")
    token = {"X-CSRF-Token": csrf_of(http.get("/").text)}
    as_another = http.put("/v1/calls/c/handling", json={"state": "taken", "by": "Tom"}, headers=token)
    assert as_another.status_code == 400
    made = http.put("/v1/calls/c/handling", json={"state": "taken"}, headers=token).get_json()
    assert (made["state"], made["by"]) == ("taken", "dana")
    assert deeds(store)[-1] == ("dana", "take", "c")
