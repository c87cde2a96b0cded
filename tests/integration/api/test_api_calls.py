"""/v1/calls against a real server: every status of the contract, and no refusal changes anything."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from state import keys
from tests.harness.api import BASIC, CHUNKS, SECOND, contents, problem, put

OTHER = SECOND[::-1]


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
    assert put(http, 1).status_code == 200, "an accepted chunk may be sent again"
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
    no_length = ""  # the client would say "0"
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": no_length}
    sent = http.put(f"{CHUNKS}/1", input_stream=BytesIO(SECOND), environ_overrides=environ, headers=BASIC)
    assert sent.status_code == 202, sent.text


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
