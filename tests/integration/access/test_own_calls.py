"""Agents see only their own calls, with words masked as for everybody; they ask for help, and take that back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from state import keys
from state.calls.handling import Handler
from state.calls.ingest import Ingest
from state.people.access import Access
from state.people.audit import Audit
from state.settings import Settings
from tests.harness.api import problem
from tests.harness.line import Line
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, csrf_of, sign_in
from tests.integration.api.test_find import say
from webapp.app import create_app
from workers.sentiment.assessor import Assessor

Asked = Callable[..., TestResponse]


@pytest.fixture
def http(valkey: Server, store: redis.Redis) -> FlaskClient:
    ingest = Ingest(store, Settings())
    for call_id, agent in (("ann-1", "Ann Lee"), ("bob-1", "Bob"), ("nobody-1", "")):
        ingest.create(call_id, ["customer"], {"agent": agent, "customer": "Kim", "queue": "claims"})
        say(store, call_id, 0, f"these are the words of {call_id}")
    return create_app(Settings(redis_url=valkey.url)).test_client()


@pytest.fixture
def ann(http: FlaskClient, store: redis.Redis) -> Asked:
    """Asks as Ann's softphone does."""
    shown = bearer(Access(store).api_keys.add("ann", ("agent",), "ann lee"))
    return lambda method, path="", headers=(), **more: http.open(
        f"/v1/desk{path}", method=method, headers={**shown, **dict(headers)}, **more
    )


def desk(ann: Asked) -> dict[str, Any]:
    answer = ann("GET")
    assert answer.status_code == 200, answer.text
    [call] = answer.get_json()["calls"]
    return dict(call)


def act(http: FlaskClient, store: redis.Redis, method: str, path: str, body: dict[str, Any]) -> TestResponse:
    """Does something as the supervisor Dana."""
    if Access(store).users.find("dana") is None:
        Access(store).users.add("dana", "supervisor", PASSWORD)
        sign_in(http, "dana")
    token = {"X-CSRF-Token": csrf_of(http.get("/").text)}
    return http.open(path, method=method, json=body, headers=token)


def deeds(store: redis.Redis) -> list[tuple[str, str, str]]:
    return [
        (one.deed.who, one.deed.what.partition(" after")[0], one.deed.about) for one in Audit(store).read("acts", 9)
    ]


def test_a_page_that_knows_the_desk_is_told_only_that_nothing_has_changed(
    ann: Asked, store: redis.Redis, assessor: Assessor
) -> None:
    def ask(etag: str) -> TestResponse:
        return ann("GET", headers={"If-None-Match": etag})

    line = Line(store, assessor, ["customer"], "ann-2", agent="Ann Lee")
    first = ann("GET")
    known = first.headers["ETag"]
    reads = Audit(store).read("reads", 9)
    assert (ask(known).status_code, ask(known).text) == (304, "")
    assert ask(known).headers["ETag"] == known
    assert Audit(store).read("reads", 9) == reads, "an answer without words is no reading"
    changes: list[Callable[[], object]] = [
        lambda: line.say("customer", 0.0, "hello it is five five five one two three four"),
        line.score,
        lambda: ann("PUT", "/calls/ann-2/help", json={"reason": "refund"}),
        lambda: Handler(store, "dana").send_message("ann-2", "say yes"),
        line.end,
    ]
    for n, change in enumerate(changes):
        change()
        answer = ask(known)
        assert (answer.status_code, n) == (200, n)
        assert answer.headers["ETag"] != known
        known = answer.headers["ETag"]
    assert ask(known).status_code == 304


def test_an_agent_reads_the_own_live_call_and_no_other(ann: Asked, store: redis.Redis) -> None:
    call = desk(ann)
    assert (call["call_id"], call["customer"], call["queue"]) == ("ann-1", "Kim", "claims")
    assert [line["text"] for line in call["lines"]] == ["these are the words of ann-1"]
    assert not {"sentiment", "attention", "alerts", "handling", "notes", "metadata"} & set(call)
    for method, path in (
        ("PUT", "/calls/bob-1/help"),
        ("PUT", "/calls/nobody-1/help"),
        ("DELETE", "/calls/bob-1/help"),
    ):
        problem(ann(method, path, json={}), 404, "unknown_call")
    problem(ann("GET", query_string={"agent": "Bob"}), 400)
    [read] = Audit(store).read("reads", 9)
    assert (read.deed.who, read.deed.what, read.deed.about) == ("key ann", "own-call", "ann-1")
    store.hset(keys.call("ann-1"), "metadata", '{"agent":"Bob"}')
    assert ann("GET").get_json()["calls"] == [], "after a transfer the call is no longer Ann's"


def test_words_are_masked_for_agents_too(valkey: Server, store: redis.Redis, ann: Asked) -> None:
    say(store, "ann-1", 1, "my card is four zero zero zero one two three four five six seven eight nine zero one two")
    masked = create_app(Settings(redis_url=valkey.url, redact=True)).test_client()
    Access(store).api_keys.revoke("ann")
    headers = bearer(Access(store).api_keys.add("ann", ("agent",), "Ann Lee"))
    answer = masked.get("/v1/desk", headers=headers)
    assert "my card is" in answer.text and "four five six" not in answer.text


def test_help_is_asked_for_answered_and_timed_in_the_trail(http: FlaskClient, ann: Asked, store: redis.Redis) -> None:
    for _ in range(2):
        asked = ann("PUT", "/calls/ann-1/help", json={"reason": " needs  an approval "})
        assert asked.get_json()["help"]["reason"] == "needs an approval"
    row = act(http, store, "POST", "/v1/calls/ann-1/messages", {"text": "Up to 50 is fine"}).get_json()
    assert row["help"]["answered_by"] == "dana"
    call = desk(ann)
    assert [(one["by"], one["text"]) for one in call["messages"]] == [("dana", "Up to 50 is fine")]
    assert call["help"]["answered_at"] is not None
    assert ann("DELETE", "/calls/ann-1/help").get_json()["help"] is not None, (
        "somebody answered: there is nothing to take back"
    )
    assert deeds(store) == [("dana", "message (help", "ann-1"), ("key ann", "help-asked", "ann-1")]


def test_help_opens_a_snoozed_call_again_and_may_be_taken_back(
    http: FlaskClient, ann: Asked, store: redis.Redis
) -> None:
    act(http, store, "PUT", "/v1/calls/ann-1/handling", {"state": "snoozed", "seconds": 600})
    ann("PUT", "/calls/ann-1/help", json={})
    row = act(http, store, "PUT", "/v1/calls/ann-1/tags/vip", {}).get_json()
    assert (row["state"], row["until"], row["help"]["answered_at"]) == ("open", None, None)
    assert ann("DELETE", "/calls/ann-1/help").get_json() == {"call_id": "ann-1", "help": None}
    ann("PUT", "/calls/ann-1/help", json={})
    row = act(http, store, "PUT", "/v1/calls/ann-1/handling", {"state": "taken"}).get_json()
    assert (row["help"]["answered_by"], desk(ann)["on_it"]) == ("dana", "dana")


def test_no_help_is_asked_for_when_the_call_is_over(http: FlaskClient, ann: Asked, store: redis.Redis) -> None:
    store.hset(keys.call("ann-1"), "state", "ending")
    problem(ann("PUT", "/calls/ann-1/help", json={}), 409, "ended")
    problem(act(http, store, "POST", "/v1/calls/ann-1/messages", {"text": "hello"}), 409, "ended")
    problem(ann("PUT", "/calls/ann-1/help", json={"reason": "x" * 121}), 400)


def test_a_personal_link_signs_in_and_ends_with_its_key(http: FlaskClient, store: redis.Redis) -> None:
    access = Access(store)
    key, other = access.api_keys.add("ann", ("agent",), "Ann Lee"), access.api_keys.add("crm", ("read",))
    form = {"csrf_token": csrf_of(http.get("/enter").text)}
    for wrong in (other, "esk_wrong", ""):
        assert http.post("/enter", data={**form, "key": wrong}).status_code == 403
    entered = http.post("/enter", data={**form, "key": key})
    assert (entered.status_code, entered.location) == (303, "/desk")
    assert http.get("/").location == "/desk", "an agent has this page only"
    assert [call["call_id"] for call in http.get("/v1/desk").get_json()["calls"]] == ["ann-1"]
    problem(http.put("/v1/desk/calls/ann-1/help", json={}), 403, "csrf")
    assert access.sessions.all()[0].name == "ann:link"
    access.api_keys.revoke("ann")
    problem(http.get("/v1/desk"), 401)


def test_an_agents_account_reaches_the_calls_of_its_name(http: FlaskClient, store: redis.Redis) -> None:
    Access(store).users.add("bob", "agent", PASSWORD)
    sign_in(http, "bob")
    assert [call["call_id"] for call in http.get("/v1/desk").get_json()["calls"]] == ["bob-1"]
    assert http.get("/v1/session").get_json()["scopes"] == ["agent"]


@pytest.mark.parametrize("scopes", [("agent",), ("agent", "read")])
def test_an_agents_key_is_somebodys_and_has_no_other_scope(http: FlaskClient, store: redis.Redis, scopes: Any) -> None:
    agent = "" if len(scopes) == 1 else "Ann"
    Access(store).users.add("lee", "admin", PASSWORD)
    sign_in(http, "lee")
    token = {"X-CSRF-Token": csrf_of(http.get("/").text)}
    problem(http.post("/v1/keys", json={"name": "x", "scopes": scopes, "agent": agent}, headers=token), 409, "refused")
