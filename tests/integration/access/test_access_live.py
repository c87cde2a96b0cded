"""Access at real web processes: who may open a socket, when sockets close, and that no log has a secret."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests
import socketio
import websocket
from socketio.exceptions import ConnectionError as Refused

from state import keys
from state.calls.ingest import Ingest
from state.people.access import Access
from state.people.audit import Audit
from state.people.sessions import Session, oidc_name
from state.settings import Settings
from tests.harness.calls.wires import WebSocket
from tests.harness.page import Page
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, csrf_of
from tests.harness.web import Web, wait_until, web_process
from tests.integration.access.test_access_commands import command

SOCKET = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture
def access(store: redis.Redis) -> Access:
    made = Access(store)
    made.users.add("dana", "supervisor", PASSWORD)
    return made


@pytest.fixture(scope="module")
def running(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    log = tmp_path_factory.mktemp("web") / "web.log"
    with web_process(valkey.url, log, AUTH="on", WEB_THREADS="64") as web:  # the last test's sockets may still be open
        yield web


@pytest.fixture
def web(running: Web, access: Access) -> Web:
    """One process for all tests. It keeps nothing that is gone from the store."""
    return running


def browser(web: Web, password: str = PASSWORD, name: str = "dana") -> requests.Session:
    """A browser that has tried to sign in. With a wrong password it is not signed in."""
    session = requests.Session()
    form = {"csrf_token": csrf_of(session.get(f"{web.url}/sign-in", timeout=10).text), "name": name}
    session.post(f"{web.url}/sign-in", data={**form, "password": password}, timeout=10)
    return session


def cookie_of(session: requests.Session) -> dict[str, str]:
    return {"Cookie": f"earshot={session.cookies['earshot']}"}


def upgrade(web: Web, **headers: str) -> int:
    """The status of an attempt to open a websocket at the Socket.IO endpoint."""
    try:
        websocket.create_connection(
            web.url.replace("http", "ws") + SOCKET, suppress_origin=True, header=headers
        ).close()
    except websocket.WebSocketBadStatusException as refusal:
        return int(refusal.status_code)
    return 101


def test_a_socket_needs_a_sign_in_or_a_read_key(web: Web, access: Access) -> None:
    ingest, read = bearer(access.api_keys.add("pbx", ("ingest",))), bearer(access.api_keys.add("crm", ("read",)))
    strangers = browser(web, "wrong")
    assert upgrade(web) == upgrade(web, **cookie_of(strangers)) == upgrade(web, **bearer("esk_wrong")) == 401
    assert upgrade(web, **ingest) == 403
    assert upgrade(web, **cookie_of(browser(web))) == upgrade(web, **read) == 101
    with pytest.raises(Refused):
        Page(web.url)
    for good in (read, cookie_of(browser(web))):
        with Page(web.url, good) as page:
            wait_until(lambda page=page: page.snapshots, "a snapshot")


def test_a_socket_is_opened_for_our_own_page_only(web: Web) -> None:
    cookie = cookie_of(browser(web))
    host = web.url.removeprefix("http://")
    for origin in (
        "https://evil.example",
        "null",
        f"https://{host}",
        f"http://{host}.evil.example",
        "http://127.0.0.1",
    ):
        assert upgrade(web, Origin=origin, **cookie) == 403, origin
    assert upgrade(web, Origin=web.url, **cookie) == upgrade(web, **cookie) == 101
    assert upgrade(web, Origin=f"https://{host}", **{"X-Forwarded-Proto": "https"}, **cookie) == 101


def test_the_public_address_is_our_own_too(valkey: Server, access: Access, tmp_path: Path) -> None:
    public = {"AUTH": "on", "PUBLIC_URL": "https://earshot.example/"}
    with web_process(valkey.url, tmp_path / "web.log", **public) as web:
        cookie = cookie_of(browser(web))
        assert upgrade(web, Origin="https://earshot.example", **cookie) == 101
        assert upgrade(web, Origin="https://earshot.example.evil", **cookie) == 403


@pytest.mark.parametrize("change", ["sign out", "revoke"])
def test_an_open_socket_is_closed_when_its_right_ends_and_others_stay(change: str, web: Web, access: Access) -> None:
    session = browser(web)
    key = bearer(access.api_keys.add("crm", ("read",)))
    staying = bearer(access.api_keys.add("wall", ("read",)))
    with Page(web.url, key if change == "revoke" else cookie_of(session)) as page, Page(web.url, staying) as other:
        wait_until(lambda: page.fleets and other.fleets, "both are served")
        if change == "sign out":
            page_text = session.get(web.url, timeout=10).text
            session.post(f"{web.url}/sign-out", data={"csrf_token": csrf_of(page_text)}, timeout=10)
        else:
            access.api_keys.revoke("crm")
        wait_until(lambda: page.disconnections, "the socket is closed")
        told = len(page.fleets)
        heard = len(other.fleets)
        wait_until(lambda: len(other.fleets) > heard + 1, "the other page is still served")
        assert len(page.fleets) == told and other.disconnections == 0


def test_the_command_signs_somebody_out_and_closes_their_pages(
    valkey: Server, web: Web, access: Access, store: redis.Redis
) -> None:
    access.users.add("lee", "supervisor", PASSWORD)
    person = Session(name=oidc_name("dana", "https://id.example", "7"), role="supervisor", origin="oidc",
                     issuer="https://id.example", subject="7", address="203.0.113.9")  # fmt: skip
    at = {"REDIS_URL": valkey.url}
    dana, lee = browser(web), browser(web, name="lee")
    with Page(web.url, cookie_of(dana)) as page, Page(web.url, cookie_of(lee)) as other:
        wait_until(lambda: page.fleets and other.fleets, "both are served")
        token = access.sessions.begin(person, 8)
        status, listed, _ = command("users", "sessions", **at)
        lines = [line.split() for line in listed.splitlines()[1:]]
        assert status == 0 and [line[:3] for line in lines] == [
            ["dana", "account", "supervisor"],
            [person.name, "oidc", "supervisor"],
            ["lee", "account", "supervisor"],
        ]
        assert lines[1][-3:] == ["203.0.113.9", "https://id.example", "7"] and token not in listed
        assert command("users", "sign-out", "Dana", **at)[:2] == (0, "1 session ended")
        wait_until(lambda: page.disconnections, "the socket is closed")
        assert other.disconnections == 0
    assert dana.get(f"{web.url}/v1/session", timeout=10).status_code == 401
    assert lee.get(f"{web.url}/v1/session", timeout=10).status_code == 200
    assert access.sessions.find(token) is not None, "somebody else with this name stays signed in"
    assert command("users", "sign-out", person.name, **at)[:2] == (0, "1 session ended")
    assert access.sessions.find(token) is None
    status, _, error = command("users", "sign-out", "dana", **at)
    assert status == 1 and error.startswith("users: nobody is signed in as dana")
    told = [entry.deed for entry in Audit(store).read("security", 2)]
    assert [(deed.what, deed.about, deed.origin) for deed in told] == [
        ("signed-out", person.name, "command"),
        ("signed-out", "dana", "command"),
    ]


def test_an_open_stream_is_closed_when_its_key_is_revoked_and_what_it_sent_is_kept(
    web: Web, access: Access, store: redis.Redis
) -> None:
    address = web.url.replace("http", "ws") + "/v1/streams/audio?call_id="
    streams = {name: WebSocket(address + name, bearer(access.api_keys.add(name, ("ingest",)))) for name in ("a", "b")}
    for stream in streams.values():
        stream.binary(bytes(800))
    access.api_keys.revoke("a")
    assert streams["a"].close_code() == 1008
    assert store.hget(keys.track("a", "customer"), "samples") == b"400"
    streams["b"].text({"event": "stop"})
    assert streams["b"].close_code() == 1000


def test_a_key_is_void_on_all_processes_at_once_and_a_sign_in_good_on_all(
    valkey: Server, access: Access, tmp_path: Path
) -> None:
    with web_process(valkey.url, tmp_path / "web.log", AUTH="on", WEB_CONCURRENCY="2") as web:
        key = bearer(access.api_keys.add("crm", ("read",)))
        session = browser(web)
        answers = {requests.get(f"{web.url}/v1/calls", headers=key, timeout=10).status_code for _ in range(12)}
        signed = {session.get(f"{web.url}/v1/session", timeout=10, headers={"Connection": "close"}) for _ in range(12)}
        assert answers == {200} and {answer.status_code for answer in signed} == {200}
        access.api_keys.revoke("crm")
        answers = {requests.get(f"{web.url}/v1/calls", headers=key, timeout=10).status_code for _ in range(12)}
        assert answers == {401}


def test_with_auth_off_only_this_machine_is_served(valkey: Server, store: redis.Redis, tmp_path: Path) -> None:
    with web_process(valkey.url, tmp_path / "web.log") as web:
        assert f"Listening at: http://127.0.0.1:{web.port}" in web.output.read_text()
        assert "AUTH=off" in web.output.read_text()


def test_no_secret_comes_into_a_log(valkey: Server, access: Access, store: redis.Redis, tmp_path: Path) -> None:
    password = "not-the-right-" + secrets.token_hex(8)
    given, secret = secrets.token_hex(16), secrets.token_hex(32)
    made, wrong = access.api_keys.add("crm", ("read", "ingest")), "esk_" + secrets.token_urlsafe(32)
    environ = {
        "AUTH": "on",
        "LOG_LEVEL": "debug",
        "API_KEYS": f"env:read:{given}",
        "SECRET_KEY": secret,
        "OIDC_ISSUER": "http://127.0.0.1:1",
        "OIDC_CLIENT_ID": "earshot",
        "OIDC_CLIENT_SECRET": "provider-" + secret,
        "OIDC_ADMINS": "it",
    }
    with web_process(valkey.url, tmp_path / "web.log", **environ) as web:
        browser(web, password)
        session = browser(web)
        session.get(f"{web.url}/sign-in/oidc", timeout=10)
        session.get(f"{web.url}/sign-in/oidc/callback?code=code-{secret}&state=x", timeout=10)
        session.get(web.url, timeout=10)
        for key in (made, given, wrong):
            for path in ("/v1/calls", "/v1/nothing", "/v1/session"):
                requests.get(web.url + path, headers=bearer(key), timeout=10)
            for path in ("/v1/streams/audio", "/v1/calls", "/socket.io/"):
                requests.get(f"{web.url}{path}?access_token={key}", timeout=10)
            upgrade(web, **bearer(key))
        requests.put(f"{web.url}/v1/calls/c/tracks/t/chunks/x", headers=bearer(made), data=b"", timeout=10)
        store.set(f"{keys.PREFIX}live", "no list")
        assert requests.get(f"{web.url}/v1/calls", headers=bearer(made), timeout=10).status_code == 503
        store.delete(f"{keys.PREFIX}live")
        with Page(web.url, bearer(made)) as page:
            wait_until(lambda: page.snapshots, "a snapshot")
            Ingest(store, Settings()).create("c", ["customer"], {})
            access.api_keys.revoke("crm")
            wait_until(lambda: page.disconnections, "the socket is closed")
        cookie = session.cookies["earshot"]
        web.terminate(15)
    written = web.output.read_text()
    assert "Traceback" in written and "path=/sign-in" in written, "something was logged"
    for what in (password, PASSWORD, made, wrong, given, secret, cookie, cookie[:40]):
        assert what not in written
    parts = [store.hvals(keys.audit_told(part)) for part in ("reads", "attempts")]
    written_down = [field for _, entry in store.xrange(keys.AUDIT) for field in entry.values()]
    kept = b"".join([*written_down, *(value for values in parts for value in values)]).decode()
    assert "sign-in-failed" in kept and '"list"' in kept
    for what in (password, PASSWORD, made, wrong, given, secret, cookie):
        assert what not in kept


def test_the_client_of_socketio_hears_why_when_the_door_was_passed(web: Web, access: Access) -> None:
    """If the right ends between the upgrade and Socket.IO's greeting, the greeting is refused."""
    key = access.api_keys.add("crm", ("read",))
    client = socketio.Client(reconnection=False)
    client.connect(web.url, headers=bearer(key), transports=["websocket"])
    assert client.connected
    client.disconnect()
    raw = websocket.create_connection(
        web.url.replace("http", "ws") + SOCKET, suppress_origin=True, header=bearer(key), timeout=10
    )
    assert raw.recv().startswith("0{")
    access.api_keys.revoke("crm")
    raw.send("40")
    assert raw.recv() == '44{"message":"unauthorised"}'
    raw.close()
