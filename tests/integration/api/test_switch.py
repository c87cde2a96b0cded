"""Whisper, barge, take over, hang up: what Earshot asks the switch, when it refuses, and what the trail says."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from standardwebhooks import Webhook

from state.calls.ingest import Ingest
from state.people.audit import Audit
from state.settings import Settings, SettingsError, load
from tests.harness.calls.switch import Switch
from tests.harness.servers import Server
from webapp.app import create_app

CHANNEL = "1764166000.17"


@pytest.fixture
def switch() -> Iterator[Switch]:
    with Switch() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def client(valkey: Server, **settings: Any) -> Any:
    http = create_app(Settings(redis_url=valkey.url, auth="off", **settings)).test_client()
    http.environ_base["HTTP_HOST"] = "localhost"
    return http


def asterisk(valkey: Server, switch: Switch) -> Any:
    return client(valkey, ari_url=f"{switch.url}/ari", ari_password="pw")


@pytest.fixture
def call(store: redis.Redis) -> str:
    Ingest(store, Settings()).create("c", ["customer", "agent"], {"switch_channel": CHANNEL})
    return "/v1/calls/c/switch"


def reason(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["reason"]


@pytest.mark.parametrize("act", ["whisper", "barge", "takeover"])
def test_asterisk_calls_the_supervisor_and_sends_them_to_the_dialplan(
    valkey: Server, store: redis.Redis, switch: Switch, call: str, act: str
) -> None:
    http = asterisk(valkey, switch)
    assert http.put("/v1/session/extension", json={"extension": "201"}).get_json() == {
        "extension": "201",
        "acts": ["whisper", "barge", "takeover", "hangup"],
    }
    answer = http.post(f"{call}/{act}")
    assert (answer.status_code, answer.get_json()) == (202, {"call_id": "c", "act": act})
    looked, originated = switch.asked
    assert (looked["method"], looked["path"]) == ("GET", f"/ari/channels/{CHANNEL}")
    assert (originated["method"], originated["path"]) == ("POST", "/ari/channels")
    assert (
        originated["query"] | {"endpoint": "PJSIP/201", "context": "earshot-supervisor", "extension": act}
        == (originated["query"])
    )
    assert json.loads(originated["body"]) == {"variables": {"EARSHOT_CHANNEL": CHANNEL}}
    assert originated["headers"]["authorization"] == "Basic " + base64.b64encode(b"earshot:pw").decode()
    entry = Audit(store).read("acts", 10, None)[0].deed
    assert (entry.what, entry.about) == (act, "c")


def test_asterisk_hangs_up_without_calling_anybody(valkey: Server, switch: Switch, call: str) -> None:
    assert asterisk(valkey, switch).post(f"{call}/hangup").status_code == 202
    assert [(one["method"], one["path"]) for one in switch.asked] == [
        ("GET", f"/ari/channels/{CHANNEL}"),
        ("DELETE", f"/ari/channels/{CHANNEL}"),
    ]


def test_another_switch_gets_a_signed_order(valkey: Server, switch: Switch, call: str) -> None:
    secret = "a secret of some length"
    http = client(valkey, switch_webhook_url=f"{switch.url}/hook", switch_webhook_secret=secret)
    http.put("/v1/session/extension", json={"extension": "201"})
    assert http.post(f"{call}/barge").status_code == 202
    [asked] = switch.asked
    assert json.loads(asked["body"]) == {
        "act": "barge",
        "call_id": "c",
        "channel": CHANNEL,
        "extension": "201",
        "by": "anyone",
    }
    Webhook(secret.encode()).verify(asked["body"], asked["headers"])


def test_what_cannot_be_done_is_said_and_asks_nobody(
    valkey: Server, store: redis.Redis, switch: Switch, call: str
) -> None:
    http = asterisk(valkey, switch)
    assert reason(http.post(f"{call}/whisper")) == (409, "no_extension")
    for wrong in ("201,102", "../x", "PJSIP/1", "x" * 33, "${X}"):
        assert http.put("/v1/session/extension", json={"extension": wrong}).status_code == 400
    http.put("/v1/session/extension", json={"extension": "201"})
    assert reason(http.post(f"{call}/shout")) == (400, "invalid")
    assert reason(http.post("/v1/calls/none/switch/barge")) == (404, "unknown_call")
    ingest = Ingest(store, Settings())
    for n, channel in enumerate(("", "PJSIP/7,w", "${EVAL(x)}", "a b")):
        ingest.create(f"bare{n}", ["customer"], {"switch_channel": channel} if channel else {})
        assert reason(http.post(f"/v1/calls/bare{n}/switch/barge")) == (409, "no_channel")
    ingest.end("c")
    assert reason(http.post(f"{call}/barge")) == (409, "ended")
    assert reason(client(valkey).post(f"{call}/barge")) == (409, "no_switch")
    assert client(valkey).get("/v1/session/extension").get_json()["acts"] == []
    assert switch.asked == []


def test_a_switch_that_refuses_or_is_away_is_a_502(valkey: Server, switch: Switch, call: str) -> None:
    http = asterisk(valkey, switch)
    switch.status = 404
    answer = http.post(f"{call}/hangup")
    assert reason(answer) == (502, "switch") and "no such channel" in answer.get_json()["detail"]
    away = client(valkey, ari_url="http://127.0.0.1:9/ari")
    assert reason(away.post(f"{call}/hangup")) == (502, "switch")


def test_settings_that_cannot_be_are_refused() -> None:
    for environ in (
        {"ARI_URL": "pbx:8088"},
        {"ARI_URL": "http://a/ari", "SWITCH_WEBHOOK_URL": "http://b", "SWITCH_WEBHOOK_SECRET": "x" * 16},
        {"SWITCH_WEBHOOK_URL": "http://b", "SWITCH_WEBHOOK_SECRET": "short"},
    ):
        with pytest.raises(SettingsError):
            load(environ)
