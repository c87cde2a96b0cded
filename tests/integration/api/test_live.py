"""The live table's sockets against a real gunicorn and a real server, with a page as the browser behaves."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
import redis
import requests

from state import keys
from state.calls.ingest import Ingest
from state.calls.reads import Reads
from state.events import FinalEvent, PartialEvent, ScoreEvent, encode
from state.server.opening import open_shards
from state.server.shards import Shards
from state.settings import Settings, load
from state.types import Alert, Sentiment, Standing, Utterance, Word
from tests.harness.calls.wires import WebSocket
from tests.harness.page import Page
from tests.harness.places import PLACES, store_in
from tests.harness.servers import Server, start_server
from tests.harness.web import PATIENCE_SECONDS, Web, wait_until, web_process

STOP_SECONDS = 10
"""The contract: SIGTERM is obeyed in under ten seconds."""


@pytest.fixture(scope="module")
def running(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path_factory.mktemp("web") / "web.log") as web:
        yield web


@pytest.fixture
def web(running: Web, store: redis.Redis) -> Web:
    """One process for the tests that do not end it: it keeps nothing that the store has lost."""
    return running


@pytest.fixture
def doomed(valkey: Server, store: redis.Redis, tmp_path: Path) -> Iterator[Web]:
    """One that the test may end."""
    with web_process(valkey.url, tmp_path / "web.log") as web:
        yield web


@contextmanager
def calls_beginning(store: Shards | redis.Redis) -> Iterator[list[str]]:
    """Declare about a hundred calls a second, whatever happens to the web; yields the list of them as it grows."""
    ingest, enough = Ingest(store, Settings()), threading.Event()
    made: list[str] = []

    def declare() -> None:
        while not enough.wait(0.01):
            call_id = f"call-{len(made)}"
            ingest.create(call_id, ["customer"], {})
            made.append(call_id)

    thread = threading.Thread(target=declare)
    thread.start()
    try:
        yield made
    finally:
        enough.set()
        thread.join()


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


@pytest.mark.parametrize("kind", PLACES)
def test_a_page_misses_nothing_when_the_web_process_is_killed_and_another_takes_over(kind: str, tmp_path: Path) -> None:
    with (
        store_in(kind, tmp_path) as place,
        web_process(place.url, tmp_path / "web.log", **place.environ) as web,
        Page(web.url) as page,
    ):
        wait_until(lambda: page.snapshots, "a snapshot")
        web.kill()  # for the first time when no shard has told anything yet
        with calls_beginning(open_shards(load(place.environ), "web")) as made:
            for deaths in (1, 2):
                wait_until(lambda deaths=deaths: page.disconnections >= deaths, "the page notices")
                behind = len(made)
                wait_until(lambda before=behind: len(made) > before + 20, "events that nobody hears")
                web.start()
                wait_until(lambda before=behind: len(page.calls) > before + 20, "the page catches up")
                if deaths == 1:
                    web.kill()
        wait_until(lambda: len(page.calls) == len(made), "the last event")
        assert sorted(page.calls) == sorted(made), "each shard's events come in order, those of two as they come"
        assert len(page.told) == len(made), "and none twice"
        assert page.snapshots == 1, "it caught up by its cursor, not by a new snapshot"


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


@pytest.mark.parametrize("kept", [True, False], ids=["and has kept its data", "and has lost everything"])
def test_a_page_goes_on_when_redis_dies_and_comes_back(tmp_path: Path, kept: bool) -> None:
    persistence = ["--appendonly", "yes", "--appendfsync", "always"] if kept else []
    server = start_server("valkey9", dir=tmp_path / "redis", args=persistence)
    try:
        with web_process(server.url, tmp_path / "web.log") as web, Page(web.url) as page:
            wait_until(lambda: page.snapshots, "a snapshot")
            with server.client() as client:
                Ingest(client, Settings()).create("before", ["customer"], {})
            wait_until(lambda: page.calls == ["before"], "the first call")
            server.kill()
            away = requests.put(
                f"{web.url}/v1/calls/c/tracks/customer/chunks/1",
                data=bytes(8000),
                headers={"Content-Type": "audio/basic"},
                timeout=60,
            )
            assert away.status_code == 503 and int(away.headers["Retry-After"]) > 0
            server.start()
            with server.client() as client:
                Ingest(client, Settings()).create("after", ["customer"], {})
            wait_until(lambda: "after" in page.calls, "the call that came after it")
            assert page.calls == (["before", "after"] if kept else ["after"])
            signs = len(page.fleets)
            wait_until(lambda: len(page.fleets) > signs, "signs of life again")
    finally:
        server.kill()


def test_sigterm_is_obeyed_in_time_with_pages_open_and_they_come_back_to_the_next_process(
    doomed: Web, store: redis.Redis
) -> None:
    Ingest(store, Settings()).create("first", ["customer"], {})
    with Page(doomed.url) as one, Page(doomed.url) as two:
        wait_until(lambda: one.snapshots and two.snapshots, "snapshots")
        assert doomed.terminate(STOP_SECONDS) == 0
        doomed.start()
        Ingest(store, Settings()).create("next", ["customer"], {})
        for page in (one, two):
            wait_until(lambda page=page: page.calls == ["first", "next"], "the page is back")
            assert page.snapshots == 1


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
    with ExitStack() as left:
        address = f"{web.url.replace('http', 'ws')}/v1/streams/audio"
        streams = [WebSocket(address) for _ in range(4)]
        plain = [left.enter_context(socket.create_connection(("127.0.0.1", web.port), 10)) for _ in range(4)]
        for stream, request in zip(streams, plain, strict=True):
            left.callback(stream.sock.close)
            stream.text({"event": "stop"})
            request.sendall(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        for stream, request in zip(streams, plain, strict=True):
            assert stream.close_code() == 1000
            assert request.recv(12) == b"HTTP/1.0 200"
        for _ in range(3):
            assert requests.get(f"{web.url}/healthz", timeout=2).ok


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


def test_a_worker_whose_master_was_killed_goes_too_though_a_page_is_open(doomed: Web, store: redis.Redis) -> None:
    with Page(doomed.url) as page:
        wait_until(lambda: page.snapshots, "a snapshot")
        assert doomed.process is not None
        workers = psutil.Process(doomed.process.pid).children(recursive=True)
        assert workers
        doomed.process.kill()
        gone, alive = psutil.wait_procs(workers, PATIENCE_SECONDS)
        for worker in alive:
            worker.kill()
        assert not alive and len(gone) == len(workers)
