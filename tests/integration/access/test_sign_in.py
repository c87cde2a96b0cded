"""Signing in and out with a password: cookies, forged forms, what ends a session, and the trail."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient

from state import keys
from state.people.access import Access
from state.people.audit import Audit, Deed
from tests.harness.api import contents, problem
from tests.harness.routes import client
from tests.harness.servers import KINDS, Kind, Server, start_server
from tests.harness.signing_in import PASSWORD, bearer, client_of, csrf_of, sign_in, signed_in, trail, try_sign_in
from webapp.http import limits

HTTPS = "https://earshot.example"


def test_a_supervisor_signs_in_sees_the_calls_and_signs_out(http: FlaskClient, store: redis.Redis) -> None:
    refused = http.get("/")
    assert (refused.status_code, refused.location) == (302, "/sign-in")
    answer = try_sign_in(http, "Dana")
    assert (answer.status_code, answer.location) == (303, "/")
    page = http.get("/")
    assert page.status_code == 200 and "Sign out</button> <span>dana</span>" in page.text
    assert http.get("/v1/calls").status_code == 200
    shown = http.get("/v1/session").get_json()
    assert (shown["kind"], shown["name"], shown["scopes"]) == ("user", "dana", ["act", "read"])
    assert http.get("/sign-in").location == "/"

    kept = http.get_cookie("earshot")
    assert kept is not None
    left = http.post("/sign-out", data={"csrf_token": csrf_of(page.text)})
    assert (left.status_code, left.location) == (303, "/sign-in")
    assert not signed_in(http)
    http.set_cookie("earshot", kept.value)
    assert not signed_in(http), "a copy of the cookie no longer works"
    assert [deed[:3] for deed in trail(store)] == [("dana", "sign-in", "password"), ("dana", "sign-out", "")]


def test_who_signs_out_after_the_session_has_ended_comes_to_the_sign_in(http: FlaskClient, accounts: Access) -> None:
    sign_in(http, "dana")
    page = http.get("/").text
    accounts.users.set_password("dana", PASSWORD + " anew")
    left = http.post("/sign-out", data={"csrf_token": csrf_of(page)})
    assert (left.status_code, left.location) == (302, "/sign-in?ended=1")


def test_the_cookie_is_out_of_reach_for_scripts_other_sites_and_plain_http(valkey: Server, accounts: Access) -> None:
    for base, secure in ((HTTPS, True), ("http://earshot.example", False)):
        http = client(valkey)
        token = csrf_of(http.get("/sign-in", base_url=base).text)
        form = {"csrf_token": token, "name": "dana", "password": PASSWORD}
        answer = http.post("/sign-in", data=form, base_url=base)
        flags = {part.strip().partition("=")[0].lower() for part in answer.headers["Set-Cookie"].split(";")}
        assert {"httponly", "samesite", "expires", "path"} <= flags and "domain" not in flags
        assert "SameSite=Lax" in answer.headers["Set-Cookie"]
        assert ("secure" in flags) is secure


def test_behind_a_trusted_proxy_that_speaks_tls_the_cookie_is_secure(valkey: Server, accounts: Access) -> None:
    forwarded = {"X-Forwarded-Proto": "https"}
    assert "Secure" in client(valkey, trusted_proxies=1).get("/sign-in", headers=forwarded).headers["Set-Cookie"]
    assert "Secure" not in client(valkey).get("/sign-in", headers=forwarded).headers["Set-Cookie"]


def test_neither_password_nor_token_stands_in_redis(http: FlaskClient, store: redis.Redis, accounts: Access) -> None:
    sign_in(http, "dana")
    cookie = http.get_cookie("earshot")
    assert cookie is not None
    with http.session_transaction() as session:
        token = session["_user_id"]
    everything = b"".join([*contents(store), *contents(store).values()])
    user = accounts.users.find("dana")
    assert user is not None and user.password_hash.startswith("$argon2id$")
    assert user.password_hash.encode() in b"".join(store.hvals(keys.USERS))
    assert len(token) >= 43 and token.encode() not in everything and PASSWORD.encode() not in everything


@pytest.mark.parametrize("change", ["password", "role", "remove", "lost"])
def test_what_ends_a_session_ends_it_on_every_process(
    change: str, valkey: Server, accounts: Access, store: redis.Redis
) -> None:
    first, second = client(valkey), client(valkey)
    sign_in(first, "dana")
    cookie = first.get_cookie("earshot")
    assert cookie is not None
    second.set_cookie("earshot", cookie.value)
    assert signed_in(first) and signed_in(second)
    if change == "password":
        assert accounts.users.set_password("dana", PASSWORD)
    elif change == "role":
        assert accounts.users.set_role("dana", "admin")
    elif change == "remove":
        assert accounts.users.remove("dana")
    else:
        store.delete(*store.scan_iter(keys.session("*")))
    assert not signed_in(first) and not signed_in(second)
    ended = first.get("/?view=wallboard")
    assert ended.location == "/sign-in?next=%2F%3Fview%3Dwallboard&ended=1"
    assert "You are signed out" in first.get(ended.location).text


def test_a_session_runs_out(http: FlaskClient, store: redis.Redis) -> None:
    sign_in(http, "dana")
    [session] = store.scan_iter(keys.session("*"))
    assert 12 * 3600 - 60 < store.ttl(session) <= 12 * 3600


def test_processes_share_the_secret_that_signs_cookies_and_one_may_be_given(valkey: Server, accounts: Access) -> None:
    first = client(valkey)
    sign_in(first, "dana")
    cookie = first.get_cookie("earshot")
    assert cookie is not None
    for settings, good in (({}, True), ({"secret_key": "s" * 32}, False)):
        other = client(valkey, **settings)
        other.set_cookie("earshot", cookie.value)
        assert signed_in(other) is good


@pytest.mark.parametrize("kind", KINDS)
def test_it_works_on_every_supported_server(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TRIES_OF_ACCOUNT_AND_ADDRESS", 2)
    server = start_server(kind, dir=tmp_path)
    try:
        with server.client() as store:
            accounts = Access(store)
            accounts.users.add("dana", "supervisor", PASSWORD)
            http, key = client(server), accounts.api_keys.add("crm", ("read",))
            assert http.get("/v1/calls", headers=bearer(key)).status_code == 200
            assert [try_sign_in(http, "dana", word).status_code for word in ("wrong", PASSWORD)] == [403, 303]
            assert [try_sign_in(client_of(http), "dana", "wrong").status_code for _ in range(3)] == [403, 403, 429]
            assert accounts.users.set_role("dana", "admin") and not signed_in(http)
            assert len(trail(store)) == 5
    finally:
        server.kill()


# -- forms --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "leads_to"),
    [
        ("/?view=wallboard#call=1", "/?view=wallboard#call=1"),
        ("/docs", "/docs"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/\t/evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_after_signing_in_one_goes_on_within_this_host_only(http: FlaskClient, given: str, leads_to: str) -> None:
    assert try_sign_in(http, "dana", next=given).location == leads_to
    assert http.get("/sign-in", query_string={"next": given}).location == leads_to


def test_a_forged_form_neither_signs_in_nor_out(http: FlaskClient, store: redis.Redis) -> None:
    http.get("/sign-in")
    before = contents(store)
    for sent in ({}, {"csrf_token": ""}, {"csrf_token": "forged"}):
        answer = http.post("/sign-in", data={"name": "dana", "password": PASSWORD, **sent})
        assert answer.status_code == 403 and "too old" in answer.text
    assert contents(store) == before and not signed_in(http)
    other = client_of(http)
    token = csrf_of(other.get("/sign-in").text)
    assert http.post("/sign-in", data={"name": "dana", "password": PASSWORD, "csrf_token": token}).status_code == 403

    sign_in(http, "dana")
    problem(http.post("/sign-out"), 403, "csrf")
    problem(http.post("/sign-out", data={"csrf_token": token}), 403, "csrf")
    assert signed_in(http)


def test_the_token_of_a_stranger_is_not_that_of_the_session_that_follows(http: FlaskClient) -> None:
    before = csrf_of(http.get("/sign-in").text)
    sign_in(http, "dana")
    problem(http.post("/sign-out", data={"csrf_token": before}), 403, "csrf")


def test_no_account_yet_says_how_to_make_one(valkey: Server, store: redis.Redis) -> None:
    page = client(valkey).get("/sign-in").text
    assert "scripts/users add" in page and 'name="password"' not in page


def test_a_huge_form_is_refused(http: FlaskClient) -> None:
    assert http.post("/sign-in", data={"password": "x" * 100_000}).status_code == 413


def test_a_session_ends_when_its_browser_signs_in_again(
    http: FlaskClient, accounts: Access, store: redis.Redis
) -> None:
    accounts.users.add("lee", "supervisor", PASSWORD)
    token = csrf_of(http.get("/sign-in").text)
    for name in ("dana", "lee"):
        answer = http.post("/sign-in", data={"csrf_token": token, "name": name, "password": PASSWORD})
        assert answer.status_code == 303
        token = csrf_of(http.get("/").text)
    assert [session.name for session in accounts.sessions.all()] == ["lee"]


# -- the trail ----------------------------------------------------------------------------------------------


def test_admins_read_the_trail_page_by_page(valkey: Server, store: redis.Redis) -> None:
    Access(store).users.add("lee", "admin", PASSWORD)
    trail = Audit(store)
    for number in range(5):
        trail.record(Deed("somebody", f"deed-{number}", "about", "203.0.113.1"))
    http = client(valkey)
    sign_in(http, "lee")
    first = http.get("/v1/audit?limit=4").get_json()
    second = http.get(f"/v1/audit?limit=4&cursor={first['next_cursor']}").get_json()
    assert [entry["what"] for entry in first["entries"] + second["entries"]] == [
        "sign-in",
        *(f"deed-{number}" for number in (4, 3, 2, 1, 0)),
    ]
    assert second["next_cursor"] is None
    entry = first["entries"][1]
    assert entry.pop("id") and entry.pop("at") == entry.pop("first_at") and entry.pop("count") == 1
    assert entry == {
        "who": "somebody",
        "origin": "account",
        "what": "deed-4",
        "about": "about",
        "address": "203.0.113.1",
    }
    for cursor in ("x", "99999999999999999999-0"):
        problem(http.get(f"/v1/audit?cursor={cursor}"), 400, "invalid")
