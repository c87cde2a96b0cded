"""What a search over all live calls costs a web process: the first one, those that follow, and an open filter.

It runs in one process with the server beside it. It searches as the page does: it asks for pages of a hundred calls
until it has looked through all.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import redis

from scripts.benchmarks.live_calls import Chatter, begin, utterance
from scripts.machine.server import EmbeddedServer
from state import keys
from state.settings import Settings
from state.types import Sentiment
from webapp.app import create_app
from webapp.store import open_store

SIZES = (500, 1000, 5000)
UTTERANCES = 200
PAGE = 100
REPEATS = 3
CHATTER_SECONDS = 10.0
"""Seconds until the page asks again while somebody has a filter open."""


def bench_search(options: argparse.Namespace) -> dict[str, Any]:
    """Figures for each number of live calls of 200 utterances. Each call has --rate events a second meanwhile."""
    sizes = [size for size in SIZES if size <= options.live] or [options.live]
    return {"utterances_per_call": UTTERANCES, "events_per_call_second": options.rate} | {
        str(size): _one(size, options.rate) for size in sizes
    }


def _one(size: int, rate: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "server")
        try:
            settings = Settings(redis_url=server.url, auth="off", log_level="error")
            app = create_app(settings)
            client = open_store(settings, redis.Redis.from_url(server.url)).shards.plain
            calls = begin(client, settings, size)
            _talk(client, calls)
            http = app.test_client()

            def search() -> tuple[float, float]:
                began, cpu = time.monotonic(), time.process_time()
                cursor = None
                while True:
                    query: dict[str, Any] = {"text": "manager nowhere", "limit": PAGE}
                    answer = http.get("/v1/calls", query_string=query | ({"cursor": cursor} if cursor else {}))
                    cursor = answer.get_json()["next_cursor"]
                    if cursor is None:
                        return time.monotonic() - began, time.process_time() - cpu

            before = _resident()
            first_s, first_cpu_s = search()
            again = [search() for _ in range(REPEATS)]
            with _chattering(server.url, calls, rate):
                cpu = time.process_time()
                time.sleep(CHATTER_SECONDS)
                meanwhile = time.process_time() - cpu
                busy = search()
            return {
                "first_s": round(first_s, 3),
                "first_cpu_s": round(first_cpu_s, 3),
                "again_s": round(min(wall for wall, _ in again), 3),
                "again_cpu_s": round(min(cpu for _, cpu in again), 3),
                "while_they_talk_s": round(busy[0], 3),
                "feed_cpu_cores": round(meanwhile / CHATTER_SECONDS, 3),
                "resident_megabytes_more": round((_resident() - before) / 1e6, 1),
            }
        finally:
            server.stop()


@contextmanager
def _chattering(url: str, calls: list[str], rate: float) -> Iterator[None]:
    """Let the calls chatter, in another process, so that their cost does not count here."""
    chatter = multiprocessing.get_context("spawn").Process(target=_chatter, args=(url, calls, rate), daemon=True)
    chatter.start()
    try:
        yield
    finally:
        chatter.kill()
        chatter.join()


def _chatter(url: str, calls: list[str], rate: float) -> None:
    with redis.Redis.from_url(url) as client, Chatter(client, calls, rate):
        time.sleep(10 * CHATTER_SECONDS)


def _talk(client: redis.Redis, calls: list[str]) -> None:
    """Give every call its transcript. Some calls share one, which makes no difference to a search."""
    dice = random.Random(1)
    pack = msgspec.msgpack.encode
    score = pack(Sentiment(0.1, 0.2, ["thank you"]))
    kinds = []
    for _ in range(50):
        said = [utterance(dice, n // 2, "customer" if n % 2 else "agent") for n in range(UTTERANCES)]
        kinds.append(({one.id: pack(one) for one in said}, {one.id: score for one in said}))
    for n, call in enumerate(calls):
        said_of_call, scores = kinds[n % len(kinds)]
        client.hset(keys.utterances(call), mapping=said_of_call)
        client.hset(keys.scores(call), mapping=scores)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
