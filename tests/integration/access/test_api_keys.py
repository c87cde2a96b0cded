"""API keys: where a client may send one, when it ends, and how often it may be used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from state import keys
from state.people.access import Access
from tests.harness.api import contents, problem
from tests.harness.routes import client
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, sign_in
from webapp.http.limits import AHEAD, BAD_KEYS_A_MINUTE, Limits


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a=b",
        "Bearer \xff\x00",
        "Basic !!",
        "Basic Og==",
        "Digest x",
        "esk_x",
        "=" * 9000,
    ],
)
def test_a_malformed_authorization_is_a_strangers(valkey: Server, store: redis.Redis, shown: str) -> None:
    problem(client(valkey).get("/v1/calls", headers={"Authorization": shown}), 401)


def test_a_key_goes_before_a_cookie(valkey: Server, access: Access) -> None:
    http = client(valkey)
    access.users.add("dana", "admin", PASSWORD)
    sign_in(http, "dana")
    assert http.get("/v1/session").get_json()["name"] == "dana"
    shown = http.get("/v1/session", headers=bearer(access.api_keys.add("crm", ("read",)))).get_json()
    assert shown == {"kind": "key", "name": "crm", "origin": "key", "scopes": ["read"], "until": None}
    problem(http.get("/v1/calls", headers=bearer("esk_wrong")), 401, "invalid_key")


def test_a_revoked_key_is_refused_at_once_by_every_process(valkey: Server, access: Access) -> None:
    processes = [client(valkey) for _ in range(3)]
    key = access.api_keys.add("crm", ("read",))
    assert [http.get("/v1/calls", headers=bearer(key)).status_code for http in processes] == [200] * 3
    assert access.api_keys.revoke("CRM") and not access.api_keys.revoke("crm")
    assert [http.get("/v1/calls", headers=bearer(key)).status_code for http in processes] == [401] * 3


def test_only_streams_take_a_key_elsewhere_than_in_the_bearer_header(valkey: Server, access: Access) -> None:
    key = access.api_keys.add("pbx", ("ingest", "read"))
    http = client(valkey)
    problem(http.get(f"/v1/calls?access_token={key}"), 401, "no_key")
    problem(http.get("/v1/calls", auth=("pbx", key)), 401, "no_key")
    with http.application.test_request_context(f"/v1/streams/audio?access_token={key}"):
        from webapp.access.identity import identify

        who = identify()
        assert who is not None and who.name == "pbx" and key not in repr(who)
    with http.application.test_request_context("/v1/streams/audio", auth=("anything", key)):
        who = identify()
        assert who is not None and who.name == "pbx"


def test_no_key_stands_in_redis_in_the_clear_and_its_use_is_noted(
    valkey: Server, store: redis.Redis, access: Access
) -> None:
    key = access.api_keys.add("crm", ("read",))
    assert access.api_keys.all()[0].used_at_ms is None
    assert client(valkey).get("/v1/calls", headers=bearer(key)).status_code == 200
    used = access.api_keys.all()[0].used_at_ms
    assert used is not None and used >= access.api_keys.all()[0].created_at_ms
    assert key.encode() not in b"".join(contents(store).values())
    assert key.encode() not in b"".join([*store.hgetall(keys.API_KEYS).values(), *store.hgetall(keys.API_KEYS)])


def test_a_key_that_is_used_too_often_is_told_to_wait(valkey: Server, access: Access) -> None:
    http, headers = client(valkey, key_requests_per_second=1), bearer(access.api_keys.add("crm", ("read",)))
    other = bearer(access.api_keys.add("other", ("read",)))
    answers = (http.get("/v1/calls", headers=headers) for _ in range(50))
    refused = next(answer for answer in answers if answer.status_code != 200)
    problem(refused, 429, "rate_limit")
    assert http.get("/v1/calls", headers=other).status_code == 200


def granted_within_a_window(store: redis.Redis, ask: Callable[[], Iterable[bool]]) -> int:
    """How many requests were granted. A window lasts a second, so a slower run says nothing: it is done again."""
    while True:
        store.flushdb()
        began = time.monotonic()
        granted = sum(ask())
        if time.monotonic() - began < 1.0:
            return granted


def test_processes_together_let_a_key_make_no_more_requests_than_it_may(store: redis.Redis) -> None:
    """Each process counts two requests in advance."""

    def ask() -> Iterable[bool]:
        processes = Limits(store, 2 * AHEAD), Limits(store, 2 * AHEAD)
        return (process.key_used("pbx") for _ in range(2 * AHEAD) for process in processes)

    assert granted_within_a_window(store, ask) == 2 * AHEAD


def test_a_burst_of_a_key_may_use_all_its_requests(store: redis.Redis) -> None:
    """When several threads find nothing left, only one of them counts in advance."""

    def ask() -> Iterable[bool]:
        with ThreadPoolExecutor(16) as threads:
            return list(threads.map(Limits(store, 10 * AHEAD).key_used, ["pbx"] * 9 * AHEAD))

    assert granted_within_a_window(store, ask) == 9 * AHEAD


def test_wrong_keys_from_one_address_are_slowed_down_and_right_ones_are_not(valkey: Server, access: Access) -> None:
    http = client(valkey)
    here, there = {"REMOTE_ADDR": "203.0.113.7"}, {"REMOTE_ADDR": "203.0.113.8"}
    for _ in range(BAD_KEYS_A_MINUTE):
        http.get("/v1/calls", headers=bearer("esk_wrong"), environ_base=here)
    problem(http.get("/v1/calls", headers=bearer("esk_wrong"), environ_base=here), 429, "too_many_wrong_keys")
    problem(http.get("/v1/calls", headers=bearer("esk_wrong"), environ_base=there), 401, "invalid_key")
    key = bearer(access.api_keys.add("crm", ("read",)))
    assert http.get("/v1/calls", headers=key, environ_base=here).status_code == 200
