"""A refusal of the API says why, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.harness.api import BASIC, CHUNKS, SECOND, app_client, contents, problem, put
from tests.harness.servers import Server

# -- refusals that change nothing -------------------------------------------------------------------------

OTHER = SECOND[::-1]

Send = Callable[[FlaskClient], TestResponse]


def declare(body: object, content_type: str = "application/json") -> Send:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda http: http.post("/v1/calls", data=data, content_type=content_type)


def post_to(path: str, method: str = "PUT", audio: bytes = SECOND, **headers: str) -> Send:
    sent = {**BASIC, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return lambda http: http.open(path, method=method, data=audio, headers=sent)


def end(body: object) -> Send:
    return lambda http: http.post("/v1/calls/call-1/end", json=body)


REFUSED: dict[str, tuple[int, str | None, Send]] = {
    "a gap": (409, "gap", post_to(f"{CHUNKS}/4")),
    "a gap too long to skip": (409, "gap", post_to(f"{CHUNKS}/{2**53}?on_gap=skip")),
    "other bytes": (409, "other_bytes", post_to(f"{CHUNKS}/1", audio=OTHER)),
    "another form of the same number": (409, "other_bytes", post_to(f"{CHUNKS}/1", Content_Type="audio/PCMA")),
    "another rate": (409, "rate", post_to(f"{CHUNKS}/2", Content_Type="audio/PCMU;rate=16000")),
    "a call declared otherwise": (409, "differs", declare({"call_id": "declared", "metadata": {"a": "b"}})),
    "a ninth track": (409, "too_many_tracks", post_to("/v1/calls/full/tracks/t9/chunks/1")),
    "an unknown form": (415, "unknown_form", post_to(f"{CHUNKS}/2", Content_Type="audio/opus")),
    "a compressed body": (415, "unknown_coding", post_to(f"{CHUNKS}/2", Content_Encoding="gzip")),
    "no rate": (400, "invalid", post_to(f"{CHUNKS}/2", Content_Type="audio/L16")),
    "no audio": (400, "invalid", post_to(f"{CHUNKS}/2", audio=b"")),
    "a broken WAV": (400, "invalid", post_to(f"{CHUNKS}/2", Content_Type="audio/wav")),
    "eleven seconds": (413, "too_long", post_to(f"{CHUNKS}/2", audio=bytes(88_000))),
    "a body beyond the limit": (413, None, post_to(f"{CHUNKS}/2", audio=bytes(1_048_577))),
    "number 0": (400, "invalid", post_to(f"{CHUNKS}/0")),
    "a negative number": (400, "invalid", post_to(f"{CHUNKS}/-1")),
    "no number": (400, "invalid", post_to(f"{CHUNKS}/one")),
    "a number in other digits": (400, "invalid", post_to(f"{CHUNKS}/２")),
    "a number beyond 2^53": (400, "invalid", post_to(f"{CHUNKS}/{2**53 + 1}")),
    "an endless number": (400, "invalid", post_to(f"{CHUNKS}/{'9' * 3000}")),
    "an unknown on_gap": (400, "invalid", post_to(f"{CHUNKS}/2?on_gap=wait")),
    "an unknown parameter": (400, "invalid", post_to(f"{CHUNKS}/2?ongap=skip")),
    "a parameter twice": (400, "invalid", post_to(f"{CHUNKS}/2?on_gap=skip&on_gap=skip")),
    "on_gap without a number": (400, "invalid", post_to(f"{CHUNKS}?on_gap=skip", "POST")),
    "a call id that is key syntax": (400, "invalid", post_to("/v1/calls/a:b/tracks/customer/chunks/1")),
    "a call id with a hash tag": (400, "invalid", post_to("/v1/calls/%7Ba%7D/tracks/customer/chunks/1")),
    "a call id with a line break": (400, "invalid", post_to("/v1/calls/a%0A/tracks/customer/chunks/1")),
    "a call id that is too long": (400, "invalid", post_to(f"/v1/calls/{'a' * 129}/tracks/customer/chunks/1")),
    "a track in capitals": (400, "invalid", post_to("/v1/calls/call-1/tracks/Customer/chunks/1")),
    "a track with a space": (400, "invalid", post_to("/v1/calls/call-1/tracks/a%20b/chunks/1")),
    "a track that is too long": (400, "invalid", post_to(f"/v1/calls/call-1/tracks/{'a' * 33}/chunks/1")),
    "the end of an unknown call": (404, "unknown_call", lambda http: http.post("/v1/calls/nobody/end")),
    "an end that comes too early": (409, "gap", end({"last_seq": {"customer": 2}})),
    "an end with a wrong number": (400, "invalid", end({"last_seq": {"customer": -1}})),
    "an end with a track that cannot be": (400, "invalid", end({"last_seq": {"a:b": 1}})),
    "the end of no call": (400, "invalid", lambda http: http.post("/v1/calls/a:b/end")),
    "a method that is not there": (405, None, post_to(CHUNKS)),
    "a path that is not there": (404, None, post_to("/v1/calls/call-1/tracks/customer/chunk/1")),
    "a path with a double slash": (404, None, lambda http: http.post("/v1//calls")),
    "no JSON": (400, "invalid", declare(b"{")),
    "no UTF-8": (400, "invalid", declare(b'{"call_id":"\xff"}')),
    "no object": (400, "invalid", declare([])),
    "a form": (415, "unknown_form", declare(b"call_id=a", "application/x-www-form-urlencoded")),
    "an unknown member": (400, "invalid", declare({"callid": "a"})),
    "a call id of a wrong type": (400, "invalid", declare({"call_id": 1})),
    "a bad call id": (400, "invalid", declare({"call_id": "a:b"})),
    "a bad call id with a line break": (400, "invalid", declare({"call_id": "a\n"})),
    "no tracks": (400, "invalid", declare({"tracks": []})),
    "nine tracks": (400, "invalid", declare({"tracks": [f"t{n}" for n in range(9)]})),
    "a track twice": (400, "invalid", declare({"tracks": ["a", "a"]})),
    "a bad track": (400, "invalid", declare({"tracks": ["a b"]})),
    "nested metadata": (400, "invalid", declare({"metadata": {"a": {"b": "c"}}})),
    "metadata of numbers": (400, "invalid", declare({"metadata": {"a": 1}})),
    "33 entries": (400, "invalid", declare({"metadata": {str(n): "" for n in range(33)}})),
    "a long key": (400, "invalid", declare({"metadata": {"k" * 65: ""}})),
    "an empty key": (400, "invalid", declare({"metadata": {"": ""}})),
    "a long value": (400, "invalid", declare({"metadata": {"a": "v" * 513}})),
    "5130 characters": (400, "invalid", declare({"metadata": {str(n): "v" * 512 for n in range(10)}})),
    "a value of two lines": (400, "invalid", declare({"metadata": {"a": "b\nc"}})),
    "half a surrogate pair": (400, "invalid", declare(b'{"metadata":{"a":"\\ud800"}}')),
    "endless nesting": (400, "invalid", declare(b'{"metadata":' * 5_000)),
    "endless metadata": (413, None, declare({"metadata": {"a": "v" * 300_000}})),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refused_request_says_why_and_changes_nothing(http: FlaskClient, store: redis.Redis, what: str) -> None:
    put(http, 1)
    http.post("/v1/calls", json={"call_id": "declared"})
    http.post("/v1/calls", json={"call_id": "full", "tracks": [f"t{n}" for n in range(1, 9)]})
    before = contents(store)
    status, reason, send = REFUSED[what]
    body = problem(send(http), status, reason)
    assert body.get("detail")
    assert contents(store) == before


def test_a_wrong_body_is_explained_member_by_member(http: FlaskClient) -> None:
    wrong = {"tracks": ["a", "a"], "metadata": {"a/b": "x\ny", "": ""}}
    errors = problem(http.post("/v1/calls", json=wrong), 400)["errors"]
    assert sorted(error["pointer"] for error in errors) == ["/metadata/", "/metadata/a~1b", "/tracks"]
    [error] = problem(http.post("/v1/calls", json={"tracks": ["a", 3]}), 400)["errors"]
    assert error["pointer"] == "/tracks/1"
    [error] = problem(http.post("/v1/calls", json={"metadata": {"a": 3}}), 400)["errors"]
    assert error["pointer"] == "/metadata"


def test_415_lists_the_known_forms(http: FlaskClient) -> None:
    body = problem(put(http, 1, headers={"Content-Type": "audio/opus"}), 415)
    assert "audio/PCMU" in body["known_types"] and "audio/wav" in body["known_types"]


# -- overload ---------------------------------------------------------------------------------------------


def test_too_much_undecoded_audio_is_429_and_changes_nothing(valkey: Server, store: redis.Redis) -> None:
    http = app_client(valkey, backlog_limit_seconds=2)
    assert [put(http, 1).status_code, put(http, 2).status_code] == [202, 202]
    before = contents(store)
    problem(put(http, 3), 429, "busy")
    problem(http.post(CHUNKS, data=SECOND, headers=BASIC), 429, "busy")
    problem(http.post("/v1/calls", json={"call_id": "new"}), 429, "busy")
    assert contents(store) == before
    assert put(http, 2).status_code == 200, "an accepted chunk may be sent again"


def test_too_many_live_calls_are_429_and_those_that_live_go_on(valkey: Server, store: redis.Redis) -> None:
    http = app_client(valkey, live_calls_limit=2)
    assert put(http, 1).status_code == 202
    assert http.post("/v1/calls", json={"call_id": "call-2"}).status_code == 201
    before = contents(store)
    problem(http.post("/v1/calls", json={"call_id": "call-3"}), 429, "busy")
    problem(http.put("/v1/calls/call-3/tracks/customer/chunks/1", data=SECOND, headers=BASIC), 429, "busy")
    assert contents(store) == before
    assert put(http, 2).status_code == 202
    assert http.put("/v1/calls/call-2/tracks/customer/chunks/1", data=SECOND, headers=BASIC).status_code == 202


@pytest.mark.parametrize(
    "query",
    [
        "state=dead",
        "state=",
        "limit=0",
        "limit=501",
        "limit=ten",
        "limit=-1",
        "limit=１",
        "cursor=x",
        "cursor=nan_1",
        "cursor=1_99999999999999999999",
        "cursor=1e5-_1",
        "cursor=",
        "order=up",
        "limit=1&limit=2",
    ],
)
def test_a_wrong_query_is_refused_by_name(http: FlaskClient, query: str) -> None:
    [error] = problem(http.get(f"/v1/calls?{query}"), 400)["errors"]
    assert error["pointer"] == query.partition("=")[0]


def test_an_unknown_call_is_404(http: FlaskClient) -> None:
    problem(http.get("/v1/calls/nobody"), 404, "unknown_call")
    problem(http.get("/v1/calls/a:b"), 400, "invalid")
