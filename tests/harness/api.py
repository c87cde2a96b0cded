"""A client of the API in this process, and checks of its answers."""

from __future__ import annotations

from typing import Any

import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from state import keys
from state.settings import Settings
from tests.harness.servers import Server
from webapp.app import create_app

SECOND = bytes(range(200)) * 40
BASIC = {"Content-Type": "audio/basic"}
CHUNKS = "/v1/calls/call-1/tracks/customer/chunks"

Contents = dict[bytes, bytes]


def contents(store: redis.Redis) -> Contents:
    """Every key of ours with its serialised value. The layout is left out: the first process writes it."""
    return {key: store.dump(key) for key in store.keys(f"{keys.PREFIX}*") if key.decode() != keys.LAYOUT}


def app_client(valkey: Server, **settings: Any) -> FlaskClient:
    """A client of an application where everybody may do everything, unless `settings` say otherwise."""
    return create_app(Settings(redis_url=valkey.url, **{"auth": "off", **settings})).test_client()


def put(http: FlaskClient, seq: object, audio: bytes = SECOND, **kwargs: Any) -> TestResponse:
    return http.put(f"{CHUNKS}/{seq}", data=audio, **{"headers": BASIC, **kwargs})


def problem(answer: TestResponse, status: int, reason: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    body = answer.get_json(force=True)
    assert (body["status"], bool(body["title"]), bool(body["type"])) == (status, True, True)
    assert reason is None or body["reason"] == reason
    if status in (429, 503):
        assert int(answer.headers["Retry-After"]) > 0
    return dict(body)
