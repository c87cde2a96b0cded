"""Sign-in through an OpenID Connect provider on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from state import keys
from state.people.access import Access
from state.people.audit import Audit
from state.people.sessions import oidc_name
from tests.harness.provider import Provider, provider
from tests.harness.routes import client
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, csrf_of, sign_in, signed_in, trail
from webapp.access.oidc import role_of, values


@pytest.fixture
def there() -> Iterator[Provider]:
    with provider() as running:
        running.claims = {"sub": "248289", "preferred_username": "dana", "groups": ["leads", "all"]}
        yield running


def browser(valkey: Server, there: Provider, **settings: Any) -> FlaskClient:
    return client(valkey, **{**there.settings, "oidc_supervisors": "leads", "oidc_admins": "it, root", **settings})


def to_provider(http: FlaskClient, leads_to: str = "/") -> str:
    """Begin to sign in; returns the address to which the provider sends the browser back."""
    begun = http.get("/sign-in/oidc", query_string={"next": leads_to})
    assert begun.status_code == 302, begun.text
    return str(requests.get(begun.location, allow_redirects=False, timeout=10).headers["Location"])


def come_back(http: FlaskClient, address: str) -> TestResponse:
    parts = urlsplit(address)
    return http.get(f"{parts.path}?{parts.query}")


@pytest.mark.parametrize(
    ("groups", "scopes"),
    [
        (["leads"], ["act", "read"]),
        (["root", "leads"], ["act", "admin", "read"]),
        ("it", ["act", "admin", "read"]),
    ],
)
def test_a_claim_decides_the_role(
    valkey: Server, store: redis.Redis, there: Provider, groups: object, scopes: list[str]
) -> None:
    there.claims["groups"] = groups
    http = browser(valkey, there)
    assert "/sign-in/oidc" in http.get("/sign-in").text
    address = to_provider(http, "/docs")
    assert address.startswith("http://localhost/sign-in/oidc/callback?")
    answer = come_back(http, address)
    assert (answer.status_code, answer.location) == (303, "/docs")
    shown = http.get("/v1/session").get_json()
    name = oidc_name("dana", there.url, "248289")
    assert name.startswith("dana:oidc:")
    assert (shown["name"], shown["origin"], shown["scopes"]) == (name, "oidc", scopes)
    assert trail(store) == [(name, "sign-in", f"{there.url} 248289", "127.0.0.1")]


def test_who_has_none_of_the_groups_stays_outside(valkey: Server, store: redis.Redis, there: Provider) -> None:
    there.claims["groups"] = ["all"]
    http = browser(valkey, there)
    answer = come_back(http, to_provider(http))
    assert answer.status_code == 403 and "not allowed" in answer.text
    assert not signed_in(http)
    name = oidc_name("dana", there.url, "248289")
    assert trail(store) == [(name, "sign-in-failed", f"{there.url} 248289", "127.0.0.1")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "another-application"},
        {"iss": "https://evil.example"},
        {"nonce": "another"},
        {"exp": 1_000_000_000},
        "signature",
        "state",
        "code",
        "replay",
        "another browser",
        "refusal",
    ],
)
def test_what_is_not_right_signs_nobody_in(valkey: Server, store: redis.Redis, there: Provider, wrong: Any) -> None:
    http = browser(valkey, there)
    address = to_provider(http)
    if isinstance(wrong, dict):
        there.wrong = wrong
    elif wrong == "signature":
        there.sign_with_another_key = True
    elif wrong == "state":
        address += "x"
    elif wrong == "code":
        address = address.replace("code=", "code=x")
    elif wrong == "replay":
        assert come_back(http, address).status_code == 303
        http = browser(valkey, there)
    elif wrong == "another browser":
        http = browser(valkey, there)
    elif wrong == "refusal":
        state = parse_qs(urlsplit(address).query)["state"][0]
        address = f"/sign-in/oidc/callback?error=access_denied&state={state}"
    answer = come_back(http, address)
    assert answer.status_code == 502 and "identity provider" in answer.text
    assert not signed_in(http)


def test_a_provider_that_is_away_is_said_to_be(valkey: Server, store: redis.Redis, there: Provider) -> None:
    http = browser(valkey, there, oidc_issuer="http://127.0.0.1:1")
    answer = http.get("/sign-in/oidc")
    assert answer.status_code == 502 and "did not answer" in answer.text


def test_without_a_provider_there_is_no_such_way_in(valkey: Server, store: redis.Redis) -> None:
    http = client(valkey)
    assert "/sign-in/oidc" not in http.get("/sign-in").text
    assert http.get("/sign-in/oidc").status_code == http.get("/sign-in/oidc/callback").status_code == 502


def test_the_way_back_is_the_public_address_where_one_is_given(
    valkey: Server, store: redis.Redis, there: Provider
) -> None:
    http = browser(valkey, there, public_url="https://earshot.example/")
    assert to_provider(http).startswith("https://earshot.example/sign-in/oidc/callback?")


def test_signing_out_ends_it_and_passwords_still_work_beside_it(
    valkey: Server, store: redis.Redis, there: Provider
) -> None:
    Access(store).users.add("lee", "supervisor", PASSWORD)
    http = browser(valkey, there)
    come_back(http, to_provider(http))
    http.post("/sign-out", data={"csrf_token": csrf_of(http.get("/").text)})
    assert not signed_in(http)
    sign_in(http, "lee")
    assert signed_in(http)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("groups", ["a"]),
        ("realm_access.roles", ["b", "c"]),
        ("https://id.example/roles", ["d"]),
        ("missing.roles", []),
        ("groups.deeper", []),
        ("numbers", ["1"]),
    ],
)
def test_claims_are_found_by_name_or_by_path(path: str, found: list[str]) -> None:
    claims = {
        "groups": "a",
        "realm_access": {"roles": ["b", "c"]},
        "https://id.example/roles": ["d"],
        "numbers": [1, None, "1"],
    }
    assert values(claims, path) == found


def test_an_empty_list_of_groups_lets_nobody_in() -> None:
    assert role_of([""], "", "") is None
    assert role_of(["a"], "", "a") == "admin"


def signed_in_as(http: FlaskClient) -> str:
    return str(http.get("/v1/session").get_json()["name"])


@pytest.mark.parametrize("chosen", ["admin", "key pbx", "command root", "dana", "Admin", "lee:oidc:000000000000"])
def test_a_name_that_somebody_chose_at_the_provider_is_not_that_of_an_account_or_key(
    valkey: Server, store: redis.Redis, there: Provider, chosen: str
) -> None:
    access = Access(store)
    for name in ("admin", "dana"):
        access.users.add(name, "admin", PASSWORD)
    there.claims["preferred_username"] = chosen
    http = browser(valkey, there)
    come_back(http, to_provider(http))
    name = signed_in_as(http)
    assert name == oidc_name(chosen, there.url, "248289") and name.count(":") == 2
    assert name not in {"admin", "dana", chosen} and " " not in name
    [entry] = Audit(store).read("security", 10)
    assert (entry.deed.who, entry.deed.origin, entry.deed.about) == (name, "oidc", f"{there.url} 248289")
    assert access.sessions.end_all("admin") == access.sessions.end_all("dana") == 0
    assert signed_in(http), "signing the account out does not sign out somebody with a similar name"


def test_who_somebody_is_is_told_by_issuer_and_subject(valkey: Server, store: redis.Redis, there: Provider) -> None:
    names = []
    for subject in ("1", "2"):
        there.claims["sub"] = subject
        http = browser(valkey, there)
        come_back(http, to_provider(http))
        names.append(signed_in_as(http))
    assert names[0] != names[1] and {name.partition(":")[0] for name in names} == {"dana"}
    assert oidc_name("dana", "https://other.example", "1") != names[0]
    assert oidc_name("dana", "a", "bc") != oidc_name("dana", "ab", "c")
    assert len(oidc_name("x" * 200, "i", "s")) <= 64


def test_a_token_without_a_subject_signs_nobody_in(valkey: Server, store: redis.Redis, there: Provider) -> None:
    for wrong in (None, "", 5, "x" * 256):
        there.claims["sub"] = wrong
        http = browser(valkey, there)
        assert come_back(http, to_provider(http)).status_code == 502
        assert not signed_in(http)


def test_a_sign_in_through_the_provider_ends_sooner(valkey: Server, store: redis.Redis, there: Provider) -> None:
    for hours, settings in ((8, {"session_hours": 720}), (2, {"oidc_session_hours": 2}), (1, {"session_hours": 1})):
        http = browser(valkey, there, **settings)
        come_back(http, to_provider(http))
        [session] = store.scan_iter(keys.session("*"))
        assert hours * 3600 - 60 < store.ttl(session) <= hours * 3600
        store.delete(session)
