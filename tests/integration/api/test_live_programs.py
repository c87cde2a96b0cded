"""Programs follow the live socket; the examples of docs/LIVE.md run as they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
import requests
import socketio

from state import keys
from state.calls.ingest import Ingest
from state.events import CallEvent, FinalEvent, HandlingEvent, PartialEvent, ScoreEvent, encode
from state.people.access import Access
from state.settings import Settings
from state.types import Handling, Sentiment, Standing, Utterance
from tests.harness.servers import Server
from tests.harness.web import ROOT, Web, wait_until, web_process
from webapp.api.documents import asyncapi


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path_factory.mktemp("web") / "web.log", AUTH="on") as running:
        yield running


@pytest.fixture
def key(store: redis.Redis, web: Web) -> str:
    return Access(store).api_keys.add("program", ("read",))


EVENTS = (
    PartialEvent("early", "customer", "good d", 0.5, 3),
    FinalEvent("early", Utterance("customer:0", "customer", 0, 1.0, 1.5, "good day", [])),
    ScoreEvent("early", "customer:0", Sentiment(0.7, 0.6, ["good"]), Standing(0.7, None, 0.1)),
    HandlingEvent("early", Handling()),
    CallEvent("early", "ended", 1, 2, {}, "sender"),
)


def test_every_message_is_as_the_document_says(web: Web, store: redis.Redis, key: str) -> None:
    Ingest(store, Settings()).create("early", ["customer"], {"agent": "Ann"})
    said: dict[str, list[Any]] = {name: [] for name in asyncapi.SAID}
    with socketio.SimpleClient() as client:
        client.connect(web.url, headers={"Authorization": f"Bearer {key}"}, transports=["websocket"])
        client.emit("follow", {"cursor": None})
        told = False
        while not (said["feed"] and said["snapshot"] and said["fleet"]):
            assert len(said["fleet"]) < 30, "thirty signs of life came, and not all messages"
            try:
                name, payload = client.receive(timeout=3)
            except socketio.exceptions.TimeoutError:  # this test emptied the store, so all pages start over
                client.emit("follow", {"cursor": None})
                continue
            said[name].append(payload)
            if name == "snapshot" and not told:
                told = True
                pipe = store.pipeline()
                for event in EVENTS:
                    pipe.xadd(keys.FEED, {"j": encode(event)})
                pipe.execute()
    for name, payloads in said.items():
        for payload in payloads:
            msgspec.convert(payload, asyncapi.SAID[name])
    kinds = {event["kind"] for batch in said["feed"] for event in batch["events"]}
    assert kinds == {"partial", "final", "score", "handling", "call"}


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", (ROOT / "docs/LIVE.md").read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("language", ["python", "js"])
def test_the_documents_example_follows_calls(
    web: Web, store: redis.Redis, key: str, language: str, tmp_path: Path
) -> None:
    Ingest(store, Settings()).create("early", ["customer"], {})
    if language == "python":
        command = [sys.executable, "-u", "-c", example("python")]
    else:
        command = ["node", "--input-type=module", "-e", example("js")]
    environ = {**os.environ, "EARSHOT_URL": web.url, "EARSHOT_KEY": key}
    output = tmp_path / "said"
    with output.open("wb") as out:
        folder = tmp_path if language == "python" else ROOT / "webapp"  # where the page's socket.io-client is
        program = subprocess.Popen(command, cwd=folder, env=environ, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "early live" in output.read_text(), f"the snapshot; see {output}")
        store.xadd(keys.FEED, {"j": encode(EVENTS[1])})
        wait_until(lambda: "early customer good day" in output.read_text(), f"the utterance; see {output}")
    finally:
        program.kill()
        program.wait()


def test_a_client_that_begins_with_polling_is_told_what_to_do(web: Web, key: str) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError), socketio.SimpleClient() as client:
        client.connect(web.url, headers={"Authorization": f"Bearer {key}"})
    shown = requests.get(
        f"{web.url}/socket.io/?EIO=4&transport=polling", headers={"Authorization": f"Bearer {key}"}, timeout=10
    )
    assert shown.status_code == 400 and "transports=['websocket']" in shown.json()["message"]


def test_the_document_is_there_for_everybody_and_its_references_lead_somewhere(web: Web) -> None:
    document = requests.get(f"{web.url}/v1/asyncapi.json", timeout=10).json()
    assert document["asyncapi"] == "3.0.0"
    for reference in set(re.findall(r'"#/([^"]+)"', msgspec.json.encode(document).decode())):
        found = document
        for part in reference.split("/"):
            found = found[part]
