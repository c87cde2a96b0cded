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
from scripts.machine.programs import cpu_seconds
from state.settings import Settings
from tests.harness.health import Health
from tests.harness.servers import start_server
from tests.harness.viewers import Herd, Viewer
from tests.harness.web import Web, wait_until, web_process

CALLS = 1000
PAGES = 60
TABLE_SECONDS = 3
"""The promise: processor seconds of the process until all pages have their table, at most. It takes 0.65."""

PATIENCE_SECONDS = 60
"""Seconds that all this may take beside many other tests."""

HEALTH_SECONDS = 1
"""The promise: processor seconds of the process for which /healthz waits meanwhile, at most."""

GROWTH_BYTES = 60_000_000
"""Bytes that a second herd may add to the process's memory, whatever the first one cost."""

LINK_BYTES_PER_SECOND = 60_000

LATE_SECONDS = 0.5
"""At most, of what a thread that woke up late carries at once, so that a busy machine does not make the link slower."""

STALE_SECONDS = 6
"""The promise: seconds that a page on a slow link may be behind one beside it on a fast link. The page calls data that
is older than this stale."""

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
    sizes: list[int] = []
    work: list[float] = []
    with Chatter(store, [f"call-{n:04d}" for n in range(CALLS)], 0.5), Health(web.url, web.worker_pid) as health:

        async def come() -> Herd:
            herd = Herd([Viewer(web.url) for _ in range(PAGES)])
            worked = cpu_seconds(web.worker_pid)
            await herd.come(PATIENCE_SECONDS)
            work.append(cpu_seconds(web.worker_pid) - worked)
            seen = [viewer.following.batches for viewer in herd.viewers]
            deadline = time.monotonic() + PATIENCE_SECONDS
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
            assert len(herd.served) == PAGES
            assert {viewer.rows for viewer in herd.viewers} == {CALLS}
            sizes.append(resident(web))
    assert max(work) < TABLE_SECONDS
    assert health.asked and health.most_work < HEALTH_SECONDS
    assert sizes[1] - sizes[0] < GROWTH_BYTES


@contextmanager
def slow_link(port: int) -> Iterator[int]:
    """A port that leads to `port` over a link of LINK_BYTES_PER_SECOND with little in its buffers."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as open_sockets:

        def carry(source: socket.socket, sink: socket.socket, per_second: int | None) -> None:
            piece = per_second // 20 if per_second else 65536
            free = time.monotonic()  # when the link has carried all it took
            with suppress(OSError):
                while data := source.recv(piece):
                    sink.sendall(data)
                    if per_second:
                        free = max(free, time.monotonic() - LATE_SECONDS) + len(data) / per_second
                        time.sleep(max(0.0, free - time.monotonic()))
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
        Chatter(store, [f"call-{n:04d}" for n in range(CALLS)], 0.5) as chatter,
        deaf_page(web.port),
        slow_link(web.port) as port,
    ):
        slow, fast = Viewer(f"http://127.0.0.1:{port}"), Viewer(web.url)
        behind: list[float] = []

        def gap() -> float:
            """Seconds of news that the fast page was told and the slow one was not: both wait for a busy machine."""
            stands = [int((viewer.following.cursor or "0").split("-")[0]) / 1000 for viewer in (fast, slow)]
            return stands[0] - stands[1]

        async def follow() -> None:
            herd = Herd([slow, fast])
            await herd.come(30)
            assert slow.rows == CALLS and not slow.closed
            deadline = time.monotonic() + SETTLE_SECONDS
            while gap() >= STALE_SECONDS / 2:  # what happened while the table was on its way
                assert time.monotonic() < deadline, "it does not catch up"
                await asyncio.sleep(0.25)
            end = time.monotonic() + LOOKED_SECONDS
            while time.monotonic() < end and not slow.closed:
                await asyncio.sleep(0.25)
                behind.append(gap())
            await herd.leave()

        run(follow())
        assert not slow.closed and not fast.closed and chatter.told
        assert slow.following.batches > 10
        assert max(behind) < STALE_SECONDS
        wait_until(lambda: "a page takes nothing any more" in web.output.read_text(), "the deaf one is closed")

        async def come() -> Herd:
            herd = Herd([Viewer(web.url)])
            await herd.come(PATIENCE_SECONDS)
            await herd.leave()
            return herd

        assert run(come()).served
