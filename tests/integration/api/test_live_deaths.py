"""Pages miss nothing when a web process or the server ends, and keep no process from ending."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
import requests

from state.calls.ingest import Ingest
from state.server.opening import open_shards
from state.settings import Settings, load
from tests.harness.good_sender import calls_beginning
from tests.harness.page import Page
from tests.harness.places import PLACES, store_in
from tests.harness.servers import Server, start_server
from tests.harness.web import PATIENCE_SECONDS, Web, wait_until, web_process

STOP_SECONDS = 10
"""Seconds in which a process obeys SIGTERM, by contract."""


@pytest.fixture
def doomed(valkey: Server, store: redis.Redis, tmp_path: Path) -> Iterator[Web]:
    """A web process that the test may end."""
    with web_process(valkey.url, tmp_path / "web.log") as web:
        yield web


@pytest.mark.parametrize("kind", PLACES)
def test_a_page_misses_nothing_when_the_web_process_is_killed_and_another_takes_over(kind: str, tmp_path: Path) -> None:
    with (
        store_in(kind, tmp_path) as place,
        web_process(place.url, tmp_path / "web.log", **place.environ) as web,
        Page(web.url) as page,
    ):
        wait_until(lambda: page.snapshots, "a snapshot")
        web.kill()  # the first time, no shard has told anything yet
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
        assert sorted(page.calls) == sorted(made), "events of two shards may come in any order"
        assert len(page.told) == len(made), "each event comes once"
        assert page.snapshots == 1, "it caught up by its cursor, not by a new snapshot"


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
