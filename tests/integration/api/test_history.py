"""GET /v1/calls over live and archived calls: every filter, order and page, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import redis
from flask.testing import FlaskClient

from state.archive.opening import Archive
from state.archive.write import write
from state.calls.departures import Departures
from state.calls.handling import Handler
from state.calls.ingest import Ingest
from state.settings import Settings
from tests.harness.api import app_client, problem
from tests.harness.calls.archived import archived
from tests.harness.servers import Server
from tests.integration.api.test_find import say


@pytest.fixture
def archive(history: Archive) -> Archive:
    return history


@pytest.fixture
def http(valkey: Server, store: redis.Redis, archive: Archive, database_url: str) -> FlaskClient:
    return app_client(valkey, database_url=database_url)


def listed(http: FlaskClient, **query: object) -> list[str]:
    """Ids of the list, page after page."""
    names: list[str] = []
    cursor: dict[str, object] = {}
    while True:
        answer = http.get("/v1/calls", query_string={"state": "ended", **query, **cursor})
        assert answer.status_code == 200, answer.text
        names += [call["call_id"] for call in answer.get_json()["calls"]]
        if answer.get_json()["next_cursor"] is None:
            return names
        cursor = {"cursor": answer.get_json()["next_cursor"]}


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_orders_and_pages(http: FlaskClient, limit: int) -> None:
    assert listed(http, limit=limit) == ["a1", "a3", "a2", "a0", "a4"], "attention, then id"
    assert listed(http, limit=limit, sort="time") == ["a4", "a3", "a2", "a1", "a0"]
    assert listed(http, limit=limit, text="parcel") == ["a0", "a1"], "a0 has the word three times"
    assert listed(http, limit=limit, text="parcel", sort="time") == ["a1", "a0"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"agent": "Dana"}, {"a0", "a1", "a2"}),
        ({"agent": "dana"}, set()),
        ({"queue": "billing", "handled": "yes"}, {"a0", "a2", "a4"}),
        ({"handled": "no"}, {"a1", "a3"}),
        ({"customer": "+15552"}, {"a2"}),
        ({"tag": "vip"}, {"a2"}),
        ({"alert": "churn"}, {"a1"}),
        ({"attention": "0.5"}, {"a1", "a2", "a3"}),
        ({"from": "2026-01-01T13:00:00Z", "to": "2026-01-01T16:00:00+01:00"}, {"a1", "a2"}),
        ({"from": "2026-01-02"}, set()),
        ({"text": "refund"}, {"a1", "a2"}),
        ({"text": "refund parcel"}, {"a1"}),
        ({"text": "IT'S"}, {"a2"}),
        ({"text": "über fluß"}, {"a4"}),
        ({"text": "refun"}, set()),
        ({"text": "sam"}, {"a0", "a2", "a4"}),
        ({"text": "refund", "agent": "Dana", "handled": "yes", "tag": "vip"}, {"a2"}),
        ({"text": 'parcel\' OR "1" NEAR -refund & | ! :* )'}, set()),
    ],
)
def test_every_filter(http: FlaskClient, query: dict[str, str], names: set[str]) -> None:
    assert set(listed(http, **query)) == names


def test_the_hit_is_shown(http: FlaskClient) -> None:
    hits = http.get("/v1/calls?state=ended&text=parcel").get_json()["hits"]
    assert hits["a0"] == {"utterance_id": "customer:1", "track": "customer", "start": 10.0, "text": "my parcel is lost"}
    assert http.get("/v1/calls?state=ended&text=sam").get_json()["hits"] == {}, (
        "sam took these calls; nobody said the word"
    )


def test_what_sounds_like_a_long_word_is_found_in_the_archive_on_demand(http: FlaskClient, archive: Archive) -> None:
    write(archive, archived(5, "the on budsman will hear of it", attention=0.3), "test")
    write(archive, archived(6, "my ombudsman", attention=0.4), "test")
    assert listed(http, text="ombudsman") == ["a6"]
    for query in ({"sort": "time"}, {"sort": "time", "limit": 1}, {"sort": "attention", "limit": 1}):
        assert listed(http, text="ombudsman", sounding="yes", **query) == ["a6", "a5"]
    told = http.get("/v1/calls?state=ended&sort=time&text=ombudsman&sounding=yes").get_json()
    assert told["hits"]["a5"]["text"] == "the on budsman will hear of it"
    assert sorted(listed(http, text="ombudsman", sounding="yes", limit=1)) == ["a5", "a6"], (
        "page after page, each call once"
    )
    assert listed(http, text="ombudsman", sounding="yes", agent="Dana") == []


def test_an_archived_call_has_the_shape_of_a_live_one(http: FlaskClient, store: redis.Redis) -> None:
    Ingest(store, Settings()).create("live", ["customer"], {"agent": "Dana"})
    live, ended = http.get("/v1/calls/live").get_json(), http.get("/v1/calls/a1").get_json()
    assert live.keys() == ended.keys()
    assert ended["state"] == "ended" and ended["utterances"][0]["text"] == "i want a refund for the parcel"
    assert http.get("/v1/calls/a1/transcript.txt").text.endswith("customer: i want a refund for the parcel\n")
    problem(http.get("/v1/calls/never-was"), 404, "unknown_call")


def test_live_waiting_and_archived_calls_are_one_list(http: FlaskClient, store: redis.Redis, archive: Archive) -> None:
    """A call stands in the list once: if it is live, waits for the database, or was changed after it got there."""
    ingest = Ingest(store, Settings())
    for name in ("live", "waits", "moved"):
        ingest.create(name, ["customer"], {"agent": "Dana"})
        say(store, name, 0, "a refund please")
    for name in ("waits", "moved"):
        ingest.end(name)
        store.sadd("{earshot}:unarchived", name)
        store.srem("{earshot}:unsummarised", name)
    leaving = Departures(store).read("moved")
    assert leaving is not None
    write(archive, msgspec.structs.replace(leaving.call, summary={}), "test")
    assert Departures(store).settle("moved") == "OK"
    for n in (1, 100):
        assert sorted(listed(http, state="any", agent="Dana", limit=n)) == ["a0", "a1", "a2", "live", "moved", "waits"]
        assert sorted(listed(http, state="any", text="refund", limit=n)) == ["a1", "a2", "live", "moved", "waits"]
        assert set(listed(http, state="any", sort="time", limit=n)[:3]) == {"live", "waits", "moved"}
    assert sorted(listed(http, agent="Dana")) == ["a0", "a1", "a2", "moved", "waits"]
    assert listed(http, state="live", agent="Dana") == ["live"]
    Handler(store, "sam").add_tag("moved", "late")
    assert listed(http, tag="late") == ["moved"], "Redis has the newer state until the database gets it"
    assert http.get("/v1/calls?state=any&text=refund").get_json()["hits"]["live"]["text"] == "a refund please"


@pytest.mark.parametrize(
    "query",
    [
        *("from=yesterday", "to=1e999", "attention=2", "attention=nan", "handled=maybe", "sort=up", "sort=relevance"),
        *("cursor=x", "cursor=1_", "cursor=e_a", "agent=" + "x" * 513, "text=%3F", "state=all"),
    ],
)
def test_what_makes_no_sense_is_refused(http: FlaskClient, query: str) -> None:
    problem(http.get(f"/v1/calls?{'' if query.startswith('state') else 'state=ended&'}{query}"), 400, "invalid")


def test_live_calls_are_served_while_the_database_is_away(valkey: Server, store: redis.Redis) -> None:
    http = app_client(valkey, database_url="postgresql://earshot@/history?host=/nowhere")
    Ingest(store, Settings()).create("live", ["customer"], {"agent": "Dana"})
    assert [call["call_id"] for call in http.get("/v1/calls").get_json()["calls"]] == ["live"]
    assert http.get("/v1/calls/live").status_code == 200
    problem(http.get("/v1/calls?state=ended"), 503, "archive_away")
    problem(http.get("/v1/calls/a1"), 503, "archive_away")


def test_without_an_archive_filters_look_at_what_redis_has(valkey: Server, store: redis.Redis) -> None:
    http: Any = app_client(valkey)
    ingest = Ingest(store, Settings())
    for name, agent in (("c1", "Dana"), ("c2", "Tom")):
        ingest.create(name, ["customer"], {"agent": agent})
        ingest.end(name)
    assert listed(http, agent="Dana") == ["c1"] and len(listed(http, sort="time")) == 2
    problem(http.get("/v1/calls/a1"), 404, "unknown_call")
