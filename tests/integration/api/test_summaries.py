"""GET /v1/calls/{id}/summary, and what a language model adds: a real server, and a stand-in for the model."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from state import keys
from state.archive.opening import Archive
from state.settings import Settings
from state.types import INSIDE
from tests.harness.line import Line
from tests.harness.servers import Server
from webapp.app import create_app
from workers.jobs import language_model
from workers.jobs.archive import move
from workers.jobs.summary import write
from workers.sentiment.assessor import Assessor

WRITTEN = {"reason": "Wants a refund.", "happened": "Nothing.", "promises": ["A call by Friday."], "outcome": "Open."}


class Model(ThreadingHTTPServer):
    """Plays a language model: it answers what a test says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.status, self.body = 200, b""
        self.says(json.dumps(WRITTEN))
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def says(self, content: str) -> None:
        self.body = json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()


class _Answers(BaseHTTPRequestHandler):
    server: Model

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v1/chat/completions"
        self.server.asked.append(json.loads(body))
        self.server.keys.append(self.headers["Authorization"])
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Print nothing between the test's lines."""


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as running:
        yield running
        running.shutdown()


@pytest.fixture
def http(valkey: Server, store: redis.Redis) -> FlaskClient:
    return create_app(Settings(redis_url=valkey.url, auth="off")).test_client()


def spoken(store: redis.Redis, assessor: Assessor, call_id: str = "c") -> Line:
    line = Line(store, assessor, ["agent", "customer"], call_id, INSIDE)
    line.say("agent", 0, "good morning how can i help you")
    line.say("customer", 1, "i want a refund for my kettle")
    line.say("customer", 2, "my card is four zero zero zero zero five six six five five six six five five five six")
    line.say("agent", 3, "you'll have the money back by friday")
    line.score()
    return line


def settings(model: Model, **more: Any) -> Settings:
    return Settings(summary_llm_url=model.url, summary_llm_model="m-7", summary_llm_key="sesame", **more)


def test_a_live_call_tells_what_it_is_about_so_far_and_the_feed_only_why(
    http: FlaskClient, store: redis.Redis, assessor: Assessor
) -> None:
    assert http.get("/v1/calls/c/summary").status_code == 404
    spoken(store, assessor)
    told = http.get("/v1/calls/c/summary").get_json()
    assert (told["final"], told["by_model"]) == (False, None)
    assert [(point["part"], point["quote"]) for point in told["points"]][:2] == [
        ("reason", "i want a refund for my kettle"),
        ("promise", "you'll have the money back by friday"),
    ]
    [row] = http.get("/v1/calls").get_json()["calls"]
    assert row["about"] == "i want a refund for my kettle"
    events = [fields[b"j"] for _, fields in store.xrange(keys.FEED)]
    assert any(b'"about":"i want a refund' in event for event in events)
    assert not any(b"the money back" in event for event in events if b'"kind":"score"' in event)


def test_an_ended_call_keeps_its_summary_in_the_api_the_export_and_the_archive(
    valkey: Server, store: redis.Redis, assessor: Assessor, archive: Archive, database_url: str
) -> None:
    given = Settings(redis_url=valkey.url, auth="off", database_url=database_url)
    http = create_app(given).test_client()
    spoken(store, assessor).end()
    before = http.get("/v1/calls/c/summary").get_json()
    assert write(store, "c", given) == "OK"
    told = http.get("/v1/calls/c/summary").get_json()
    assert told == before | {"final": True}
    text = http.get("/v1/calls/c/transcript.txt").get_data(as_text=True)
    assert 'Reason: 00:00:01.000 customer: "i want a refund for my kettle"' in text
    assert 'Promise: 00:00:03.000 agent: "you\'ll have the money back by friday"' in text
    assert move(store, archive, "c", redact=True) == "OK"
    store.flushall()
    assert http.get("/v1/calls/c/summary").get_json() == told


@pytest.mark.parametrize("redact", [True, False])
def test_a_language_model_gets_masked_words_only_and_its_summary_is_told_apart(
    http: FlaskClient, store: redis.Redis, assessor: Assessor, model: Model, redact: bool
) -> None:
    spoken(store, assessor).end()
    assert write(store, "c", settings(model, redact=redact)) == "OK"
    [asked] = model.asked
    words = asked["messages"][1]["content"]
    assert "agent: good morning" in words and "▇▇" in words and "zero" not in words
    assert (asked["model"], model.keys) == ("m-7", ["Bearer sesame"])
    told = http.get("/v1/calls/c/summary").get_json()
    assert told["by_model"] == {"model": "m-7", **WRITTEN}
    assert told["points"][0]["quote"] == "i want a refund for my kettle", "the caller's own words stay beside it"
    text = http.get("/v1/calls/c/transcript.txt").get_data(as_text=True)
    assert "Written by the language model m-7, promise: A call by Friday." in text


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (500, "{}"),
        (302, "{}"),
        (200, "I cannot do that."),
        (200, '{"reason": 7}'),
        (200, json.dumps({"reason": "x" * 5000})),
        (200, "x" * 300_000),
    ],
)
def test_a_model_that_fails_is_left_alone_for_a_while_and_the_call_has_its_own_summary(
    http: FlaskClient, store: redis.Redis, assessor: Assessor, model: Model, status: int, content: str
) -> None:
    model.status = status
    model.says(content)
    for call_id in ("c", "d"):
        spoken(store, assessor, call_id).end()
        assert write(store, call_id, settings(model)) == "OK"
        told = http.get(f"/v1/calls/{call_id}/summary").get_json()
        assert (told["final"], told["by_model"]) == (True, None)
        assert told["points"][0]["quote"] == "i want a refund for my kettle"
    assert len(model.asked) == 1
    for key in store.scan_iter("*llm-away"):
        store.delete(key)  # a minute passes
    model.status = 200
    model.says(f"```json\n{json.dumps(WRITTEN)}\n```")
    spoken(store, assessor, "e").end()
    assert write(store, "e", settings(model)) == "OK"
    assert http.get("/v1/calls/e/summary").get_json()["by_model"]["outcome"] == "Open."


def test_a_model_that_nobody_reaches_or_that_hangs_fails(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(model)
    model.shutdown()  # the kernel still accepts connections, and nobody answers
    monkeypatch.setattr(language_model, "READ_SECONDS", 0.2)
    with pytest.raises(language_model.Failed, match="does not answer"):
        language_model.write(given, [])
    model.server_close()
    with pytest.raises(language_model.Failed, match="does not answer"):
        language_model.write(given, [])
