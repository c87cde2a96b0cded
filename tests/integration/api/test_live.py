"""The live table's sockets: a real gunicorn, a real server, and a page that acts as a browser's does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
import requests

from state import keys
from state.calls.ingest import Ingest
from state.calls.reads import Reads
from state.events import FinalEvent, PartialEvent, ScoreEvent, encode
from state.settings import Settings
from state.types import Alert, Sentiment, Standing, Utterance, Word
from tests.harness.calls.wires import WebSocket
from tests.harness.good_sender import calls_beginning
from tests.harness.page import Page
from tests.harness.servers import Server
from tests.harness.web import PATIENCE_SECONDS, Web, wait_until, web_process


@pytest.fixture(scope="module")
def running(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path_factory.mktemp("web") / "web.log") as web:
        yield web


@pytest.fixture
def web(running: Web, store: redis.Redis) -> Web:
    """One process for the tests that do not end it. It keeps nothing that is gone from the store."""
    return running


def test_a_page_gets_a_snapshot_first_and_then_every_event(web: Web, store: redis.Redis) -> None:
    ingest = Ingest(store, Settings())
    ingest.create("early", ["customer"], {"agent": "Ann"})
    with Page(web.url) as page:
        wait_until(lambda: page.snapshots, "a snapshot")
        assert [row["call_id"] for row in page.rows] == ["early"]
        assert page.rows[0]["metadata"] == {"agent": "Ann"}
        ingest.create("late", ["customer"], {"agent": "Bob"})
        wait_until(lambda: page.told, "the event")
        [event] = page.told
        started_at = event.pop("started_at")
        assert event == {
            "kind": "call",
            "call_id": "late",
            "state": "live",
            "ended_at": None,
            "metadata": {"agent": "Bob"},
            "end_reason": None,
        }
        assert started_at == requests.get(f"{web.url}/v1/calls/late", timeout=10).json()["started_at"]
        wait_until(lambda: page.fleets, "a sign of life")
        names = {"decoders", "backlog_seconds", "backlog_chunks", "model", "busy", "shards", "away", "server_time_ms"}
        assert set(page.fleets[0]) == names


def test_events_of_decoders_and_scorers_reach_the_page_in_the_form_of_the_api(web: Web, store: redis.Redis) -> None:
    words = [Word("good", 1.0, 1.2, 0.9), Word("day", 1.2, 1.5, None)]
    said = Utterance("customer:0", "customer", 0, 1.0, 1.5, "good day", words)
    sentiment = Sentiment(0.7, 0.6, ["good"])
    standing = Standing(0.7, None, 0.1, [Alert("shout", "was loud", 1.0)], [(1.5, 0.7)])
    with Page(web.url) as page:
        wait_until(lambda: page.snapshots, "a snapshot")
        for event in (
            PartialEvent("c", "customer", "good d", 0.5, 3),
            FinalEvent("c", said),
            ScoreEvent("c", "customer:0", sentiment, standing),
        ):
            store.xadd(keys.FEED, {"j": encode(event)})
        wait_until(lambda: len(page.told) == 3, "three events")
    shown = {"polarity": 0.7, "subjectivity": 0.6, "reasons": ["good"]}
    assert page.told == [
        {
            "kind": "partial",
            "call_id": "c",
            "track": "customer",
            "partial": "good d",
            "lag_seconds": 0.5,
            "decoded_seq": 3,
            "wordless": False,
        },
        {
            "kind": "final",
            "call_id": "c",
            "utterance": {
                "id": "customer:0",
                "track": "customer",
                "index": 0,
                "start": 1.0,
                "end": 1.5,
                "text": "good day",
                "mark": None,
                "voice": None,
                "words": [
                    {"word": "good", "start": 1.0, "end": 1.2, "conf": 0.9},
                    {"word": "day", "start": 1.2, "end": 1.5, "conf": None},
                ],
                "sentiment": None,
            },
        },
        {
            "kind": "score",
            "call_id": "c",
            "utterance_id": "customer:0",
            "sentiment": shown,
            "standing": {
                "sentiment": {"score": 0.7, "trend": None},
                "attention": 0.1,
                "raised": False,
                "raised_at": None,
                "reasons": [],
                "alerts": [{"kind": "shout", "reason": "was loud", "at": 1.0, "utterances": []}],
                "findings": [],
                "loud": [],
                "loud_since": None,
                "about": "",
                "model": None,
                "curve": [[1.5, 0.7]],
            },
        },
    ]


def test_an_event_nobody_understands_is_left_out_and_stops_nothing(web: Web, store: redis.Redis) -> None:
    with Page(web.url) as page:
        wait_until(lambda: page.snapshots, "a snapshot")
        store.xadd(keys.FEED, {"j": b'{"kind":"from a newer version"}'})
        store.xadd(keys.FEED, {"j": b"\xff\xff"})
        Ingest(store, Settings()).create("next", ["customer"], {})
        wait_until(lambda: page.calls == ["next"], "the event after it")
    assert "a feed event cannot be read" in web.output.read_text()


def test_a_page_that_was_away_too_long_gets_a_new_snapshot(web: Web, store: redis.Redis) -> None:
    with Page(web.url) as page:
        wait_until(lambda: page.snapshots, "a snapshot")
        Ingest(store, Settings()).create("one", ["customer"], {})
        store.xadd(keys.FEED, {"j": encode(PartialEvent("one", "customer", "", 0.0, 0))})
        wait_until(lambda: page.cursor == Reads(store).tip(), "all events")
        store.xtrim(keys.FEED, maxlen=1, approximate=False)
        page.follow_from("1-0")  # long ago
        wait_until(lambda: page.snapshots == 2, "a second snapshot")
        assert [row["call_id"] for row in page.rows] == ["one"]


def test_open_pages_leave_threads_for_uploads(valkey: Server, store: redis.Redis, tmp_path: Path) -> None:
    with web_process(valkey.url, tmp_path / "web.log", WEB_THREADS="4") as web:
        pages = [Page(web.url) for _ in range(3)]
        try:
            wait_until(lambda: all(page.snapshots for page in pages), "three pages")
            refused = requests.get(f"{web.url}/socket.io/?EIO=4&transport=websocket", timeout=10)
            assert refused.status_code == 503 and "Retry-After" in refused.headers
            assert requests.post(f"{web.url}/v1/calls", timeout=10).status_code == 201
        finally:
            for page in pages:
                page.__exit__()


def test_who_leaves_connections_open_that_are_over_keeps_nobody_out(web: Web) -> None:
    """The process waits two seconds for each such connection to close. Nobody else waits with it."""
    with ExitStack() as left:
        address = f"{web.url.replace('http', 'ws')}/v1/streams/audio"
        streams = [WebSocket(address) for _ in range(4)]
        plain = [left.enter_context(socket.create_connection(("127.0.0.1", web.port), 10)) for _ in range(8)]
        for stream in streams:
            left.callback(stream.sock.close)
            stream.text({"event": "stop"})
        for request in plain:
            request.sendall(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        assert [stream.close_code() for stream in streams] == [1000] * len(streams)
        assert [request.recv(12) for request in plain] == [b"HTTP/1.0 200"] * len(plain)
        waits_one_after_the_other = 2 * (len(streams) + len(plain))
        assert requests.get(f"{web.url}/healthz", timeout=waits_one_after_the_other / 2).ok


def test_senders_that_stop_in_the_middle_of_a_request_do_not_keep_their_threads(valkey: Server, tmp_path: Path) -> None:
    with (
        web_process(valkey.url, tmp_path / "web.log", conf="tests/harness/broken/impatient_conf.py") as web,
        ExitStack() as stuck,
        Page(web.url) as page,
    ):
        wait_until(lambda: page.snapshots, "a snapshot")
        for n in range(int(web.environ["WEB_THREADS"])):
            sender = stuck.enter_context(socket.create_connection(("127.0.0.1", web.port), 10))
            sender.sendall(b"PUT /v1/calls/c/tracks/t/chunks/1 HTTP/1.1\r\nHost: x\r\n")
            if n % 2:
                sender.sendall(b"Content-Type: audio/basic\r\nContent-Length: 8000\r\n\r\n" + bytes(4000))
        assert requests.get(f"{web.url}/healthz", timeout=PATIENCE_SECONDS).ok
        heard = len(page.fleets)
        wait_until(lambda: len(page.fleets) > heard + 2, "the page is still served")
        assert not page.disconnections


def test_processes_side_by_side_each_serve_their_own_pages(valkey: Server, store: redis.Redis, tmp_path: Path) -> None:
    with web_process(valkey.url, tmp_path / "web.log", WEB_CONCURRENCY="2") as web:
        pages = [Page(web.url) for _ in range(4)]
        try:
            wait_until(lambda: all(page.snapshots for page in pages), "snapshots")
            with calls_beginning(store) as made:
                wait_until(lambda: len(made) > 50, "calls")
            for page in pages:
                wait_until(lambda page=page: len(page.calls) == len(made), "every call")
                assert page.calls == made
        finally:
            for page in pages:
                page.__exit__()


def test_a_socket_from_another_site_is_refused(web: Web) -> None:
    answer = requests.get(
        f"{web.url}/socket.io/?EIO=4&transport=websocket", headers={"Origin": "https://elsewhere.example"}, timeout=10
    )
    assert answer.status_code == 400
