"""Who may do what: each route is asked with each kind of credential, and a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis
from flask.testing import FlaskClient

from state import keys
from state.calls.ingest import Chunk, Ingest
from state.people.access import Access
from state.people.accounts import Role
from state.people.audit import Audit, Deed
from state.settings import Settings
from state.types import Sender
from tests.harness.api import SECOND, problem
from tests.harness.routes import FAR, MISSES, ROUTES, ask, client, steady
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, csrf_of, sign_in
from webapp.app import create_app
from webapp.http.limits import BAD_KEYS_A_MINUTE

GIVEN = "given-in-the-environment"

MARK = "Marcelina"
"""Stands in the metadata of the only call. Nobody may see it without the right to read."""

ROLE_OF: dict[str, Role] = {"dana": "supervisor", "tom": "agent"}
"""Roles of accounts; all others are admins."""

ALLOWED = {
    "nothing": set(),
    "a wrong key": set(),
    "a revoked key": set(),
    "an empty key": set(),
    "a forged cookie": set(),
    "a removed account": set(),
    "an ended session": set(),
    "an ingest key": {"ingest", "known"},
    "a read key": {"read", "known", "page"},
    "a given key": {"read", "known", "page"},
    "a supervisor": {"read", "act", "known", "page"},
    "an agent": {"agent", "known", "agent page"},
    "an agent's key": {"agent", "known", "agent page"},
    "an admin": {"read", "act", "known", "page", "admin", "admin page"},
}


@pytest.fixture
def visitor(valkey: Server, store: redis.Redis, access: Access) -> Callable[[str], tuple[FlaskClient, dict[str, str]]]:
    """Gives a client and its headers for a name in ALLOWED."""
    ingest = Ingest(store, Settings())
    ingest.create("call-1", ["customer"], {"agent": MARK})
    ingest.put("call-1", "agent", 1, Chunk(SECOND, "mulaw", 8000), sender=Sender("key pbx", reads=False))
    made = {
        "an ingest key": access.api_keys.add("pbx", ("ingest",)),
        "a read key": access.api_keys.add("crm", ("read",)),
        "a revoked key": access.api_keys.add("old", ("ingest", "read")),
        "a wrong key": "esk_" + "x" * 43,
        "an empty key": "",
        "a given key": GIVEN,
        "an agent's key": access.api_keys.add("amy", ("agent",), "Amy"),
    }
    access.api_keys.revoke("old")
    accounts = {"a supervisor": "dana", "an admin": "lee", "a removed account": "kim", "an ended session": "ann"}
    accounts["an agent"] = "tom"

    def visit(name: str) -> tuple[FlaskClient, dict[str, str]]:
        http = client(valkey, api_keys=f"env:read:{GIVEN}")
        if name in made:
            return http, bearer(made[name])
        if name in accounts:
            account = accounts[name]
            access.users.add(account, ROLE_OF.get(account, "admin"), PASSWORD)
            sign_in(http, account)
            if name == "a removed account":
                access.users.remove(account)
            if name == "an ended session":
                for session in store.scan_iter(keys.session("*")):
                    store.delete(session)
        if name == "a forged cookie":
            http.get("/sign-in")
            cookie = http.get_cookie("earshot")
            assert cookie is not None
            http.set_cookie("earshot", "eyJfdXNlcl9pZCI6ImEifQ" + cookie.value[-50:])
        return http, {}

    return visit


def test_every_route_is_on_the_list(valkey: Server) -> None:
    rules = client(valkey).application.url_map.iter_rules()
    found = {f"{rule.rule} {method}" for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert found == set(ROUTES)


@pytest.mark.parametrize("name", ALLOWED)
def test_no_route_shows_or_changes_anything_without_the_right_credential(
    name: str, visitor: Callable[[str], tuple[FlaskClient, dict[str, str]]], store: redis.Redis
) -> None:
    http, headers = visitor(name)
    http.get("/sign-in", environ_base=FAR)  # makes the secret for cookies
    for n, (route, needed) in enumerate(ROUTES.items()):
        if needed in ALLOWED[name]:
            continue
        for counter in store.scan_iter(f"{keys.LIMITS}*"):
            store.delete(counter)  # an address may not show a wrong key for so many routes in a minute
        before = steady(store)
        far = {"REMOTE_ADDR": f"198.51.100.{1 + n // (BAD_KEYS_A_MINUTE // 2)}"}  # none shows too many wrong keys
        answer = ask(http, route, headers, far)
        assert MARK not in answer.text, route
        assert steady(store) == before, route
        sees = name in ("a supervisor", "an admin")
        if needed.endswith("page") and name in ("an agent", "an agent's key"):
            assert (answer.status_code, answer.location) == (302, "/desk"), route
            continue
        sees = sees or name == "an agent"
        if (needed.endswith("page") or route == "/sign-out POST") and not sees and not headers:
            assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/sign-in"), route
        elif needed != "public":
            assert answer.status_code in (401, 403), route
            assert answer.content_type == "application/problem+json", route
            assert answer.headers.get("WWW-Authenticate", "").startswith('Bearer realm="earshot"'), route


@pytest.mark.parametrize("name", ALLOWED)
def test_every_route_is_open_to_the_right_credential(
    name: str, visitor: Callable[[str], tuple[FlaskClient, dict[str, str]]]
) -> None:
    http, headers = visitor(name)
    if "act" in ALLOWED[name] or name == "an agent":
        headers = {"X-CSRF-Token": csrf_of(http.get("/", environ_base=FAR, follow_redirects=True).text)}
    for route, needed in ROUTES.items():
        if needed in ALLOWED[name] and route != "/sign-out POST":
            # 400, 415 and 426 also mean that it was let in: the request was no stereo chunk, JSON or websocket. So does
            # 404 where the call has no recording, or nobody has the name.
            open_to_it = (200, 201, 202, 302, 400, 409, 410, 415, 426, *((404,) if MISSES.search(route) else ()))
            assert ask(http, route, headers).status_code in open_to_it, route


def test_options_and_unknown_paths_tell_a_stranger_nothing(valkey: Server, store: redis.Redis) -> None:
    http = client(valkey)
    Ingest(store, Settings()).create("call-1", ["customer"], {})
    for known in ("/v1/calls/call-1", "/v1/calls/call-2"):
        problem(http.options(known), 401, "no_key")
        problem(http.get(known), 401, "no_key")
    problem(http.get("/v1/nothing"), 404)


def test_an_export_is_written_down(valkey: Server, store: redis.Redis, access: Access) -> None:
    Ingest(store, Settings()).create("call-1", ["customer"], {})
    http, headers = client(valkey), bearer(access.api_keys.add("crm", ("read",)))
    http.get("/v1/calls/call-2/transcript.txt", headers=headers, environ_base=FAR)
    far = {"REMOTE_ADDR": "::ffff:203.0.113.7"}  # as a socket for both kinds of address says it
    assert http.get("/v1/calls/call-1/transcript.txt", headers=headers, environ_base=far).status_code == 200
    assert [entry.deed for entry in Audit(store).newest(10)] == [
        Deed("key crm", "export", "call-1.txt", "203.0.113.7", "key")
    ]


def test_metrics_are_free_on_this_machine_only(valkey: Server, store: redis.Redis) -> None:
    http = client(valkey)
    for near in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert http.get("/metrics", environ_base={"REMOTE_ADDR": near}).status_code == 200
    problem(http.get("/metrics", environ_base=FAR), 401)
    problem(http.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}), 401)


def test_the_address_behind_trusted_proxies_is_the_clients(valkey: Server, store: redis.Redis) -> None:
    behind = client(valkey, trusted_proxies=1)
    forwarded = {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}
    behind.post("/sign-in", headers=forwarded)
    problem(behind.get("/metrics", headers=forwarded), 401)
    for _ in range(BAD_KEYS_A_MINUTE + 1):
        behind.get("/v1/calls", headers=bearer("esk_wrong") | forwarded)
    elsewhere = bearer("esk_wrong") | {"X-Forwarded-For": "127.0.0.1, 203.0.113.10"}
    problem(behind.get("/v1/calls", headers=elsewhere), 401)


def test_with_auth_off_everybody_may_do_everything_and_it_is_said_aloud(
    valkey: Server, store: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    http = client(valkey, auth="off")
    assert "AUTH=off" in caplog.text
    assert http.post("/v1/calls", json={}).status_code == 201
    assert http.get("/").status_code == http.get("/v1/audit").status_code == 200


def test_a_view_that_does_not_say_who_may_call_it_stops_the_process_at_start(valkey: Server) -> None:
    from webapp.access import rights as access

    app = client(valkey).application
    app.view_functions["health.healthz"] = lambda: ""
    with pytest.raises(LookupError, match="/healthz"):
        access.install(app)


def test_with_redis_away_a_cookie_or_key_is_503_and_not_a_stranger(valkey: Server, store: redis.Redis) -> None:
    http = client(valkey)
    Access(store).users.add("dana", "admin", PASSWORD)
    sign_in(http, "dana")
    cookie = http.get_cookie("earshot")
    assert cookie is not None
    away = create_app(Settings(redis_url="redis://127.0.0.1:1/0")).test_client()
    away.set_cookie("earshot", cookie.value)
    for path in ("/", "/v1/calls", "/v1/session"):
        problem(away.get(path), 503, "store_away")
    problem(away.get("/v1/calls", headers=bearer("esk_any")), 503, "store_away")
    assert away.get("/healthz").status_code == 200
