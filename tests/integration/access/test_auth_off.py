"""AUTH=off on a developer's machine: pages of other sites, in a browser there, reach nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
import requests
from flask.testing import FlaskClient

from state.calls.ingest import Ingest
from state.people.access import Access
from state.settings import Settings
from tests.harness.api import problem
from tests.harness.calls.wires import Refused, WebSocket
from tests.harness.routes import ROUTES, ask, client, sockets, steady
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, csrf_of, sign_in
from tests.harness.web import Web, web_process
from webapp.access.rights import SAFE_METHODS

EVIL = "http://evil.example"
FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:8000",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "10.0.0.1",
    "",
]
OWN_HOSTS = ["localhost", "localhost:8000", "LOCALHOST:1", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000"]


@pytest.fixture
def http(valkey: Server, store: redis.Redis) -> FlaskClient:
    Ingest(store, Settings()).create("call-1", ["customer"], {"agent": "Marcelina"})
    return client(valkey, auth="off")


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_no_route_answers_under_a_foreign_name(host: str, http: FlaskClient, store: redis.Redis) -> None:
    """By DNS rebinding, another site's name leads to this machine. The browser takes it for the page's own origin."""
    before = steady(store)
    for route in [*ROUTES, "/nothing GET", "/socket.io/ GET"]:
        problem(ask(http, route, {"Host": host, "Origin": f"http://{host}"}), 403, "host")
    assert steady(store) == before


@pytest.mark.parametrize("host", OWN_HOSTS)
def test_the_machines_own_names_are_answered(host: str, http: FlaskClient) -> None:
    assert http.get("/v1/calls", headers={"Host": host}).status_code == 200
    answer = http.post("/v1/calls", json={}, headers={"Host": host, "Origin": f"http://{host}"})
    assert answer.status_code == 201


@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost:3000", "https://localhost", "file://"])
def test_no_change_is_made_for_a_page_of_another_site(origin: str, http: FlaskClient, store: redis.Redis) -> None:
    http.post("/sign-in")  # makes the secret for cookies
    before = steady(store)
    for route in ROUTES:
        path, method = route.split()
        if method not in SAFE_METHODS and path != "/sign-in":
            problem(ask(http, route, {"Origin": origin}), 403, "origin")
    plain = http.post("/v1/calls", data="{}", content_type="text/plain", headers={"Origin": origin})
    problem(plain, 403, "origin")
    assert ask(http, "/sign-in POST", {"Origin": origin}).status_code == 403
    assert steady(store) == before


def test_a_signed_in_browser_changes_nothing_for_a_page_of_another_site(valkey: Server, store: redis.Redis) -> None:
    http = client(valkey)
    Ingest(store, Settings()).create("call-1", ["customer"], {})
    Access(store).users.add("dana", "supervisor", PASSWORD)
    sign_in(http, "dana")
    token = {"X-CSRF-Token": csrf_of(http.get("/").text)}
    before = steady(store)
    problem(ask(http, "/v1/calls/<call_id>/handling PUT", {**token, "Origin": EVIL}), 403, "origin")
    assert steady(store) == before
    assert ask(http, "/v1/calls/<call_id>/handling PUT", {**token, "Origin": "http://localhost"}).status_code == 200


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path_factory.mktemp("web") / "web.log") as web:
        yield web


def test_no_socket_opens_for_a_page_of_another_site(web: Web, valkey: Server) -> None:
    for path in [*sockets(valkey), "/socket.io/?EIO=4&transport=websocket"]:
        address = web.url.replace("http", "ws") + path
        for origin in (EVIL, "null", "http://127.0.0.1:1"):
            with pytest.raises(Refused) as refused:
                WebSocket(address, {"Origin": origin})
            assert refused.value.status == 403, (path, origin)
        WebSocket(address, {"Origin": web.url}).close()
        WebSocket(address).close()
        under_its_name = {"Host": "evil.example", "Origin": EVIL, "Upgrade": "websocket", "Connection": "Upgrade"}
        assert requests.get(web.url + path, headers=under_its_name, timeout=10).status_code == 403


def test_a_key_is_no_browsers_own_and_may_come_from_anywhere(valkey: Server, store: redis.Redis) -> None:
    """Some websocket libraries for telephony make up an Origin."""
    key = bearer(Access(store).api_keys.add("pbx", ("ingest",)))
    answer = client(valkey).get("/v1/streams/audio", headers={**key, "Origin": EVIL, "Upgrade": "websocket"})
    assert answer.status_code == 426
