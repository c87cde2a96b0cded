"""A chunk's short way has the same answers and effects as the view. Unusual requests do not take it."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from state import keys
from state.people.access import Access
from state.settings import Settings
from tests.harness.servers import Server
from tests.harness.signing_in import bearer
from webapp.app import create_app

SECOND = b"\xff" * 8000
AUDIO = {"Content-Type": "audio/PCMU"}
LONG = {"Origin": "http://pbx.example"}
"""A harmless header that senders do not usually send."""


def app(valkey: Server, **settings: Any) -> Flask:
    return create_app(Settings(redis_url=valkey.url, **settings))


def counting(made: Flask) -> list[str]:
    """A list of the calls whose chunks reach the view from now on."""
    seen: list[str] = []
    view: Any = made.view_functions["posting.put_chunk"]

    def counted(**names: str) -> Any:
        seen.append(names["call_id"])
        return view(**names)

    counted.requirement = view.requirement  # type: ignore[attr-defined]
    made.view_functions["posting.put_chunk"] = counted
    return seen


def put(http: FlaskClient, call: str, seq: object, headers: dict[str, str], body: bytes = SECOND) -> tuple[Any, ...]:
    answer = http.put(f"/v1/calls/{call}/tracks/customer/chunks/{seq}", data=body, headers=AUDIO | headers)
    return answer.status, sorted(answer.headers), answer.text.replace(call, "CALL")


def test_both_ways_answer_alike_whatever_comes(valkey: Server, store: redis.Redis) -> None:
    access = Access(store)
    made = app(valkey, track_backlog_seconds=30)
    http, viewed = made.test_client(), counting(made)
    ingest, reads = bearer(access.api_keys.add("pbx", ("ingest",))), bearer(access.api_keys.add("crm", ("read",)))
    other = bearer(access.api_keys.add("other", ("ingest",)))
    http.put("/v1/calls/theirs/tracks/customer/chunks/1", data=SECOND, headers=AUDIO | other)
    l16 = {"Content-Type": "audio/L16;rate=8000"}
    wanted = [
        ("202", 1, ingest, SECOND),
        ("200", 1, ingest, SECOND),
        ("409", 1, ingest, b"\x00" * 8000),
        ("409", 3, ingest, SECOND),
        ("202", 2, ingest | {"X-Request-Id": "a.b-c"}, SECOND),
        ("202", 3, ingest | {"X-Request-Id": "no id"}, SECOND),
        ("409", 4, ingest | {"Content-Type": "audio/PCMU;rate=16000"}, SECOND),
        ("202", 4, ingest | {"Content-Type": "audio/PCMU;rate=8000"}, SECOND),
        ("400", 5, ingest | l16, b"\x00" * 999),
        ("400", 5, ingest | {"Content-Type": "audio/L16"}, SECOND),
        ("400", 5, ingest, b""),
        ("413", 5, ingest, b"\xff" * 80_001),
        ("413", 5, ingest, b"\xff" * (1 << 20 | 1)),
        ("415", 5, ingest | {"Content-Type": "audio/mpeg"}, SECOND),
        ("415", 5, ingest | {"Content-Encoding": "gzip"}, SECOND),
        ("400", 0, ingest, SECOND),
        ("400", "5x", ingest, SECOND),
        ("400", 2**53 + 1, ingest, SECOND),
        ("403", 5, reads, SECOND),
        ("403", 5, other, SECOND),
        ("401", 5, bearer("esk_wrong"), SECOND),
        ("401", 5, {}, SECOND),
        *(("202", seq, ingest, SECOND) for seq in range(5, 31)),
        ("429", 31, ingest, SECOND),
    ]
    for status, seq, headers, body in wanted:
        short, long = put(http, "short", seq, headers, body), put(http, "usual", seq, headers | LONG, body)
        assert short == long
        assert short[0].startswith(status), short
    http.post("/v1/calls/short/end", headers=ingest)
    http.post("/v1/calls/usual/end", headers=ingest)
    assert put(http, "short", 31, ingest) == put(http, "usual", 31, ingest | LONG)
    assert viewed.count("usual") > 2 * viewed.count("short") > 0
    for call in ("short", "usual"):
        store.hdel(keys.call(call), "started_at_ms", "ended_at_ms")
    assert store.hgetall(keys.call("short")) == store.hgetall(keys.call("usual"))
    assert [store.xlen(keys.audio(call, "customer")) for call in ("short", "usual")] == [30, 30]


@pytest.mark.parametrize("way", [{}, LONG])
def test_a_key_that_is_used_too_often_or_revoked_is_refused_on_both_ways(
    valkey: Server, store: redis.Redis, way: dict[str, str]
) -> None:
    access = Access(store)
    made = app(valkey, key_requests_per_second=1)
    http, key = made.test_client(), access.api_keys.add("pbx", ("ingest",))
    answers = [put(http, "a", seq, bearer(key) | way)[0] for seq in [1] * 50]
    assert {"429 TOO MANY REQUESTS"} < set(answers) <= {"202 ACCEPTED", "200 OK", "429 TOO MANY REQUESTS"}
    access.api_keys.revoke("pbx")
    assert put(http, "a", 1, bearer(key) | way)[0] == "401 UNAUTHORIZED"


@pytest.mark.parametrize("way", [{}, LONG])
def test_without_a_store_both_ways_say_so(way: dict[str, str]) -> None:
    http = create_app(Settings(redis_url="redis://127.0.0.1:1")).test_client()
    status, headers, said = put(http, "call-1", 1, bearer("esk_any") | way)
    assert status == "503 SERVICE UNAVAILABLE"
    assert dict(headers)["Retry-After"] and "store_away" in said


def test_without_sign_in_only_this_machines_name_takes_it(valkey: Server, store: redis.Redis) -> None:
    made = app(valkey, auth="off")
    http, viewed = made.test_client(), counting(made)
    assert put(http, "a", 1, {"Host": "localhost"})[0] == "202 ACCEPTED"
    assert put(http, "a", 2, {"Host": "evil.example"})[0] == "403 FORBIDDEN"
    assert put(http, "a", 2, {"Host": "localhost", "Origin": "http://evil.example"})[0] == "403 FORBIDDEN"
    assert viewed == []
    assert put(http, "a", 2, {"Host": "localhost", "Origin": "http://localhost"})[0] == "202 ACCEPTED"
    assert viewed == ["a"]
