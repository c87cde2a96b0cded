"""Many pages that come back at the same moment, and one whose link is slow."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar

import psutil
import pytest
import redis

from scripts.benchmarks.live_calls import Chatter, begin
from state.settings import Settings
from tests.harness.health import Health
from tests.harness.servers import start_server
from tests.harness.viewers import Herd, Viewer
from tests.harness.web import Web, wait_until, web_process

CALLS = 1000
PAGES = 60
TABLE_SECONDS = 10
"""The promise: seconds within which all pages show their table."""

HEALTH_SECONDS = 1
"""The promise: seconds within which /healthz answers meanwhile."""

GROWTH_BYTES = 60_000_000
"""Bytes that a second herd may add to the process's memory, whatever the first one cost."""

LINK_BYTES_PER_SECOND = 60_000

STALE_SECONDS = 6
"""The promise: seconds that what a page shows may be old. The page calls older data stale."""

SETTLE_SECONDS = 20
"""Seconds, at most, until a page on a slow link has caught up after its table came."""

LOOKED_SECONDS = 8
"""Seconds for which the test then watches that page."""


T = TypeVar("T")


def run(work: Coroutine[object, object, T]) -> T:
    """Run it in a thread of its own: the browser of another test file may have a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    """A client of a server with the calls. The tests here only read them."""
    server = start_server("valkey9", dir=tmp_path_factory.mktemp("server"))
    with server.client() as client:
        begin(client, Settings(), CALLS)
        yield client
    server.kill()


@pytest.fixture(scope="module")
def web(store: redis.Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    port = store.connection_pool.connection_kwargs["port"]
    log = tmp_path_factory.mktemp("web") / "web.log"
    with web_process(f"redis://127.0.0.1:{port}/0", log, WEB_THREADS="120") as running:
        yield running


def resident(web: Web) -> int:
    """Bytes of memory of the process that serves."""
    assert web.process is not None
    [worker] = psutil.Process(web.process.pid).children()
    return int(worker.memory_info().rss)


def test_pages_that_come_back_at_once_all_have_their_table_soon_twice_in_a_row(web: Web, store: redis.Redis) -> None:
    sizes = []
    with Chatter(store, [f"call-{n:04d}" for n in range(CALLS)], 0.5), Health(web.url) as health:

        async def come() -> Herd:
            herd = Herd([Viewer(web.url) for _ in range(PAGES)])
            await herd.come(TABLE_SECONDS)
            seen = [viewer.following.batches for viewer in herd.viewers]
            deadline = time.monotonic() + TABLE_SECONDS
            while any(
                v.following.batches < was + 3 and not v.closed for v, was in zip(herd.viewers, seen, strict=True)
            ):
                assert time.monotonic() < deadline, "pages with a table do not go on"
                await asyncio.sleep(0.1)
            await herd.leave()
            return herd

        for _ in range(2):
            herd = run(come())
            assert [viewer.closed for viewer in herd.viewers if viewer.closed] == []
            assert len(herd.served) == PAGES and herd.served[-1] < TABLE_SECONDS
            assert {viewer.rows for viewer in herd.viewers} == {CALLS}
            sizes.append(resident(web))
    assert health.asked and health.slowest < HEALTH_SECONDS
    assert sizes[1] - sizes[0] < GROWTH_BYTES


@contextmanager
def slow_link(port: int) -> Iterator[int]:
    """A port that leads to `port` over a link of LINK_BYTES_PER_SECOND with little in its buffers."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as open_sockets:

        def carry(source: socket.socket, sink: socket.socket, per_second: int | None) -> None:
            piece = per_second // 20 if per_second else 65536
            with suppress(OSError):
                while data := source.recv(piece):
                    sink.sendall(data)
                    if per_second:
                        time.sleep(len(data) / per_second)
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        def serve() -> None:
            with suppress(OSError):  # it is over
                while True:
                    page, _ = listening.accept()
                    server = socket.socket()
                    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                    page.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
                    server.connect(("127.0.0.1", port))
                    for end in (page, server):
                        open_sockets.callback(end.close)
                    threading.Thread(target=carry, args=(page, server, None), daemon=True).start()
                    threading.Thread(target=carry, args=(server, page, LINK_BYTES_PER_SECOND), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


@contextmanager
def deaf_page(port: int) -> Iterator[None]:
    """A page that asks for the table and then takes nothing any more."""
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", port))
        deaf.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert deaf.recv(12) == b"HTTP/1.1 101"
        for words in (b"40", b'42["follow",{"cursor":null}]'):
            deaf.sendall(bytes([0x81, 0x80 | len(words)]) + bytes(4) + words)
        yield


def test_a_slow_page_gets_its_table_and_stays_live_while_one_that_takes_nothing_is_closed(
    web: Web, store: redis.Redis
) -> None:
    """A hole, a part twice or a cut frame ends the viewer with an error."""
    with (
        Chatter(store, [f"call-{n:04d}" for n in range(CALLS)], 1.0) as chatter,
        deaf_page(web.port),
        slow_link(web.port) as port,
    ):
        viewer = Viewer(f"http://127.0.0.1:{port}")
        ages: list[float] = []

        def age() -> float:
            """Seconds since the last event that the page was told."""
            seconds, micros = store.time()
            return float(seconds + micros / 1e6 - int((viewer.following.cursor or "0").split("-")[0]) / 1000)

        async def follow() -> None:
            herd = Herd([viewer])
            await herd.come(30)
            assert viewer.rows == CALLS and not viewer.closed
            deadline = time.monotonic() + SETTLE_SECONDS
            while age() >= STALE_SECONDS:  # what happened while the table was on its way
                assert time.monotonic() < deadline, "it does not catch up"
                await asyncio.sleep(0.25)
            end = time.monotonic() + LOOKED_SECONDS
            while time.monotonic() < end and not viewer.closed:
                await asyncio.sleep(0.25)
                ages.append(age())
            await herd.leave()

        run(follow())
        assert not viewer.closed and chatter.told
        assert viewer.following.batches > 10
        assert max(ages) < STALE_SECONDS
        wait_until(lambda: "a page takes nothing any more" in web.output.read_text(), "the deaf one is closed")

        async def come() -> Herd:
            herd = Herd([Viewer(web.url)])
            await herd.come(TABLE_SECONDS)
            await herd.leave()
            return herd

        assert run(come()).served
