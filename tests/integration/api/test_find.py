"""Search finds a call by any words that were said on it and may be shown."""

from __future__ import annotations

import msgspec
import pytest
import redis
from flask.testing import FlaskClient

from state import keys
from state.calls.handling import Handler
from state.calls.ingest import Ingest
from state.settings import Settings
from state.types import Sentiment, Utterance, Word
from tests.harness.api import app_client
from tests.harness.servers import Server


def say(store: redis.Redis, call_id: str, index: int, text: str) -> None:
    """A scored utterance."""
    start = 10.0 * index
    words = [Word(word, start + n, start + n + 0.5, None) for n, word in enumerate(text.split())]
    said = Utterance(f"customer:{index}", "customer", index, start, start + 5, text, words)
    store.hset(keys.utterances(call_id), said.id, msgspec.msgpack.encode(said))
    store.hset(keys.scores(call_id), said.id, msgspec.msgpack.encode(Sentiment(0.0, 0.0)))


@pytest.fixture
def http(valkey: Server, store: redis.Redis) -> FlaskClient:
    ingest = Ingest(store, Settings())
    for number in range(60):
        ingest.create(f"c{number:02d}", ["customer"], {"agent": "Dana" if number % 2 else "Tom"})
    for index, text in enumerate(["my Parcel is lost", "hello", "are you there", "yes a refund please"]):
        say(store, "c07", index, text)
    say(store, "c08", 0, "the parcel came")
    return app_client(valkey)


def found(http: FlaskClient, text: str, **query: object) -> list[str]:
    """Ids of the calls found, page after page."""
    names: list[str] = []
    cursor = None
    while True:
        answer = http.get("/v1/calls", query_string={"text": text, **query, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        names += [call["call_id"] for call in answer.get_json()["calls"]]
        cursor = answer.get_json()["next_cursor"]
        if cursor is None:
            return sorted(names)


@pytest.mark.parametrize("limit", [7, 60])
def test_all_words_must_occur_anywhere_in_the_call(http: FlaskClient, limit: int) -> None:
    assert found(http, "parcel", limit=limit) == ["c07", "c08"]
    assert found(http, "PARCEL refund", limit=limit) == ["c07"]
    assert found(http, "parcel dana", limit=limit) == ["c07"]
    assert found(http, "parcel nothing", limit=limit) == []


def test_the_place_of_the_words_is_told_with_each_call(http: FlaskClient) -> None:
    hits = http.get("/v1/calls", query_string={"text": "refund"}).get_json()["hits"]
    told = {"utterance_id": "customer:3", "track": "customer", "start": 30.0, "text": "yes a refund please"}
    assert hits == {"c07": told}


def test_what_the_recogniser_misheard_is_found_on_request(http: FlaskClient, store: redis.Redis) -> None:
    say(store, "c11", 0, "then i ask the on-budsman")
    assert found(http, "ombudsman") == []
    assert found(http, "ombudsman", sounding="yes") == ["c11"]
    assert found(http, "ombudsman dana", sounding="yes") == ["c11"]
    assert found(http, "ombudsman", sounding="yes", state="any") == ["c11"]
    hits = http.get("/v1/calls", query_string={"text": "ombudsman", "sounding": "yes"}).get_json()["hits"]
    assert hits["c11"]["text"] == "then i ask the on-budsman"


def test_notes_and_tags_are_found_too(http: FlaskClient, store: redis.Redis) -> None:
    Handler(store, "Mia").add_note("c03", "Ring back")
    Handler(store, "Mia").add_tag("c04", "vip")
    assert (found(http, "ring"), found(http, "vip")) == (["c03"], ["c04"])


def test_what_may_not_be_shown_is_not_found(http: FlaskClient, store: redis.Redis) -> None:
    say(store, "c09", 0, "my card number is four one one one one one one one one one one one one one one one")
    say(store, "c09", 1, "expiry next year")
    assert found(http, "number one one one") == []
    shown = http.get("/v1/calls/c09").get_json()["utterances"][0]["text"]
    assert "one one one" not in shown


@pytest.mark.parametrize("text", ["", "  ", "x" * 101])
def test_looking_for_nothing_is_refused(http: FlaskClient, text: str) -> None:
    assert http.get("/v1/calls", query_string={"text": text}).status_code == 400
