"""/v1/calls against a real server: every status of the contract, and that what is refused changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from state import keys
from tests.harness.api import BASIC, CHUNKS, SECOND, app_client, contents, problem, put
from tests.harness.servers import Server

OTHER = SECOND[::-1]


@pytest.fixture
def http(valkey: Server, store: redis.Redis) -> FlaskClient:
    return app_client(valkey)


# -- calls ------------------------------------------------------------------------------------------------


def test_a_declared_call_is_created_once_and_where_location_says(http: FlaskClient) -> None:
    declared = {"call_id": "call-1", "tracks": ["agent", "customer"], "metadata": {"agent": "Ann", "queue": "öl"}}
    first = http.post("/v1/calls", json=declared)
    again = http.post("/v1/calls", json=declared)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json() == declared
    assert first.headers["Location"] == "/v1/calls/call-1"
    read = http.get(first.headers["Location"]).get_json()
    assert (read["call_id"], read["metadata"], list(read["tracks"])) == (
        "call-1",
        declared["metadata"],
        ["agent", "customer"],
    )
    problem(http.post("/v1/calls", json={**declared, "metadata": {"agent": "Bob"}}), 409, "differs")
    problem(http.post("/v1/calls", json={**declared, "tracks": ["customer"]}), 409, "differs")


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_call_may_be_declared_without_anything(http: FlaskClient, body: bytes) -> None:
    answer = http.post("/v1/calls", data=body, content_type="application/json")
    assert answer.status_code == 201
    call = answer.get_json()
    assert call["tracks"] == ["customer"] and call["metadata"] == {} and len(call["call_id"]) == 36
    assert http.get(answer.headers["Location"]).status_code == 200


def test_a_call_made_by_its_first_chunk_can_be_described_afterwards(http: FlaskClient) -> None:
    assert put(http, 1).status_code == 202
    declared = {"call_id": "call-1", "metadata": {"agent": "Ann"}}
    assert http.post("/v1/calls", json=declared).status_code == 201
    assert http.post("/v1/calls", json=declared).status_code == 200
    assert http.get("/v1/calls/call-1").get_json()["metadata"] == {"agent": "Ann"}


# -- several tracks at once ----------------------------------------------------------------------------------


STEREO = {"Content-Type": "audio/PCMU;channels=2"}
BOTH = bytes(n % 256 for n in range(8000)) * 2


def put_both(http: FlaskClient, seq: object, query: str = "tracks=agent,customer", **kwargs: Any) -> TestResponse:
    return http.put(f"/v1/calls/call-1/chunks/{seq}?{query}", data=BOTH, **{"headers": STEREO, **kwargs})


def test_a_stereo_chunk_is_split_over_its_tracks_and_may_be_repeated(http: FlaskClient, store: redis.Redis) -> None:
    answers = [put_both(http, seq) for seq in (1, 1, 2)]
    assert [answer.status_code for answer in answers] == [202, 200, 202]
    assert answers[2].get_json() == {"call_id": "call-1", "seq": 2, "next_seq": {"agent": 3, "customer": 3}}
    for track, audio in (("agent", BOTH[::2]), ("customer", BOTH[1::2])):
        [first, _] = store.xrange(keys.audio("call-1", track))
        assert first[1][b"a"] == audio
    assert list(http.get("/v1/calls/call-1").get_json()["tracks"]) == ["agent", "customer"]


def test_a_stereo_chunk_that_was_half_taken_is_made_whole_by_repeating_it(http: FlaskClient) -> None:
    put_both(http, 1)
    half = http.put("/v1/calls/call-1/tracks/agent/chunks/2", data=BOTH[::2], headers=BASIC)
    assert half.status_code == 202
    gap = problem(put_both(http, 3), 409, "gap")
    assert gap["expected_seq"] == 2
    assert put_both(http, 2).status_code == 202
    assert put_both(http, 2).status_code == 200
    assert put_both(http, 3).status_code in (200, 202)
    assert http.get("/v1/calls/call-1").get_json()["tracks"]["customer"]["next_seq"] == 4


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", STEREO, 400),
        ("tracks=agent", STEREO, 400),
        ("tracks=agent,agent", STEREO, 400),
        ("tracks=agent,Customer", STEREO, 400),
        ("tracks=agent,customer&track=x", STEREO, 400),
        ("tracks=agent,customer", BASIC, 400),
        ("tracks=agent,customer", {"Content-Type": "audio/opus"}, 415),
    ],
)
def test_a_stereo_chunk_that_cannot_be_read_changes_nothing(
    http: FlaskClient, store: redis.Redis, query: str, headers: dict[str, str], status: int
) -> None:
    problem(put_both(http, 1, query, headers=headers), status)
    assert contents(store) == {}


# -- chunks -----------------------------------------------------------------------------------------------


def test_chunks_are_accepted_in_order_and_repetitions_answered_alike(http: FlaskClient) -> None:
    first, second, again = put(http, 1), put(http, 2, OTHER), put(http, 1)
    assert [answer.status_code for answer in (first, second, again)] == [202, 202, 200]
    assert first.get_json() == {"call_id": "call-1", "track": "customer", "seq": 1, "next_seq": 2}
    assert second.get_json()["next_seq"] == 3
    assert again.get_json() == {"call_id": "call-1", "track": "customer", "seq": 1, "next_seq": 3}
    assert http.get("/v1/calls/call-1").get_json()["tracks"] == {
        "customer": {"next_seq": 3, "decoded_seq": 0, "lag_seconds": 2.0, "partial": "", "gaps": [], "wordless": False}
    }


def test_the_server_numbers_chunks_without_a_number(http: FlaskClient) -> None:
    answers = [http.post(CHUNKS, data=SECOND, headers=BASIC) for _ in range(2)]
    assert [(answer.status_code, answer.get_json()["seq"]) for answer in answers] == [(202, 1), (202, 2)]
    assert put(http, 3).status_code == 202


def test_a_gap_is_refused_with_the_number_expected_or_recorded_on_demand(http: FlaskClient) -> None:
    put(http, 1)
    assert problem(put(http, 5), 409, "gap")["expected_seq"] == 2
    skipped = http.put(f"{CHUNKS}/5?on_gap=skip", data=SECOND, headers=BASIC)
    assert (skipped.status_code, skipped.get_json()["next_seq"]) == (202, 6)
    assert http.get("/v1/calls/call-1").get_json()["tracks"]["customer"]["gaps"] == [[2, 4]]


def test_the_journal_holds_pcm_little_endian_and_g711_as_it_came(http: FlaskClient, store: redis.Redis) -> None:
    http.put(CHUNKS + "/1", data=b"\x01\x02" * 80, content_type="audio/L16;rate=8000")
    http.put("/v1/calls/call-1/tracks/agent/chunks/1", data=SECOND, content_type="audio/PCMA")
    [(_, customer)] = store.xrange(keys.audio("call-1", "customer"))
    [(_, agent)] = store.xrange(keys.audio("call-1", "agent"))
    assert (customer[b"e"], customer[b"a"]) == (b"s16le", b"\x02\x01" * 80)
    assert (agent[b"e"], agent[b"a"]) == (b"alaw", SECOND)


def test_ending_is_accepted_again_and_again_and_no_more_chunks_are(http: FlaskClient, store: redis.Redis) -> None:
    put(http, 1)
    for _ in range(2):
        ended = http.post("/v1/calls/call-1/end")
        assert (ended.status_code, ended.get_json()) == (202, {"call_id": "call-1"})
    assert put(http, 1).status_code == 200, "a repetition of an accepted chunk is no news"
    before = contents(store)
    problem(put(http, 2), 410, "ended")
    problem(http.post(CHUNKS, data=SECOND, headers=BASIC), 410, "ended")
    assert contents(store) == before
    assert http.get("/v1/calls/call-1").get_json()["state"] == "ending"


def test_an_ended_call_without_audio_is_in_the_ended_list(http: FlaskClient) -> None:
    http.post("/v1/calls", json={"call_id": "call-1"})
    http.post("/v1/calls/call-1/end")
    [row] = http.get("/v1/calls?state=ended").get_json()["calls"]
    assert (row["call_id"], row["state"]) == ("call-1", "ended") and row["ended_at"] >= row["started_at"]
    assert http.get("/v1/calls").get_json() == {"calls": [], "next_cursor": None, "hits": {}}


def test_a_body_sent_in_pieces_without_a_length_is_taken(http: FlaskClient) -> None:
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}  # not "0"
    sent = http.put(f"{CHUNKS}/1", input_stream=BytesIO(SECOND), environ_overrides=environ, headers=BASIC)
    assert sent.status_code == 202, sent.text


# -- refusals that change nothing -------------------------------------------------------------------------

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
    assert put(http, 2).status_code == 200, "what was accepted stays accepted"


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


# -- lists ------------------------------------------------------------------------------------------------


def test_the_list_is_sorted_by_attention_and_paged(http: FlaskClient, store: redis.Redis) -> None:
    for n in range(7):
        http.post("/v1/calls", json={"call_id": f"call-{n}"})
        store.zadd(keys.LIVE, {f"call-{n}": n / 10})
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = http.get("/v1/calls?state=live&limit=3" + (f"&cursor={cursor}" if cursor else "")).get_json()
        seen += [row["call_id"] for row in page["calls"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert (seen, pages) == ([f"call-{n}" for n in reversed(range(7))], 3)


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
