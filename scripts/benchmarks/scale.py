"""The cost of one chunk for each kind of process, by the number of live tracks and of shards.

A stub decodes: decoding depends on neither, and another benchmark measures it (bench decode). Chunks go over HTTP, with
an API key, at a rate that a small machine bears. Each goes to the track that has waited longest, so with more tracks
each gets fewer. So a chunk's costs can be compared without the rate of thousands of tracks in real time.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import redis

from scripts.benchmarks.processes import Processes
from scripts.machine.programs import free_port
from scripts.machine.server import EmbeddedServer
from state.people.api_keys import ApiKeys
from tests.harness.cluster import Cluster
from tests.harness.viewers import percentile

CHUNK_BYTES = 8000
"""Bytes of a second of telephony."""

SENDERS = 8
"""Connections that post. Each has a thread."""

RING_UP_RATE = 500.0
"""Chunks a second while the lines begin: half of KEY_REQUESTS_PER_SECOND."""

SETTLE_SECONDS = 3.0
"""Seconds of rest after the start."""

IDLE_SECONDS = 10.0
"""Seconds to watch the fleet while nobody calls."""


class _Sender:
    """Posts chunks over one kept connection."""

    def __init__(self, fleet: Processes) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", fleet.port, timeout=30)
        self._headers = fleet.headers | {"Content-Type": "audio/PCMU"}
        self.waits_ms: list[float] = []

    def put(self, line: int, seq: int) -> None:
        path = f"/v1/calls/call-{line // 2}/tracks/{('agent', 'customer')[line % 2]}/chunks/{seq}"
        body = (line * 1_000_003 + seq).to_bytes(8, "big") + bytes(CHUNK_BYTES - 8)
        asked = time.monotonic()
        self._connection.request("PUT", path, body, self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        self.waits_ms.append(1000 * (time.monotonic() - asked))
        if answer.status != 202:
            raise SystemExit(f"bench: {path} was answered {answer.status}: {said[:200]!r}")


def bench_scale(options: argparse.Namespace) -> dict[str, Any]:
    """Each number of tracks with each number of shards."""
    rows = []
    for tracks in options.tracks:
        for shards in options.shards:
            row = _measure(tracks, shards, options)
            sys.stderr.write(f"bench: scale: {row}\n")
            rows.append(row)
    return {"store": "cluster" if options.cluster else "one server", "chunk_rate": options.chunk_rate, "rows": rows}


def _measure(tracks: int, shards: int, options: argparse.Namespace) -> dict[str, Any]:
    with _fleet(shards, options.cluster) as fleet:
        time.sleep(SETTLE_SECONDS)
        before, began = fleet.spent(), time.monotonic()
        time.sleep(IDLE_SECONDS)
        idle = _difference(fleet.spent(), before, time.monotonic() - began)
        # Every line begins. The stub's utterances have four chunks, so one in four of the next chunks must end one.
        first = [(line, seq) for seq in range(1, 5) for line in range(tracks) if seq <= 1 + line % 4]
        _post(fleet, first, RING_UP_RATE)
        fleet.wait("backlog_chunks", 0)
        fleet.wait("finals_waiting", 0)
        rounds = -(-options.chunks // tracks)
        wanted = [(line, 2 + line % 4 + n) for n in range(rounds) for line in range(tracks)][: options.chunks]
        before, bytes_before = fleet.spent(), fleet.server_bytes()
        paced, waits_ms = _post(fleet, wanted, options.chunk_rate)
        fleet.wait("backlog_chunks", 0)
        fleet.wait("finals_waiting", 0)
        cost = _difference(fleet.spent(), before, len(wanted) / 1000)
        bytes_after = fleet.server_bytes()
    return {
        "tracks": tracks,
        "shards": shards,
        "chunks": len(wanted),
        "chunks_per_second": round(len(wanted) / paced, 1),
        "put_ms_p50": round(percentile(waits_ms, 0.5) or 0.0, 2),
        "put_ms_p95": round(percentile(waits_ms, 0.95) or 0.0, 2),
        "cpu_ms_per_chunk": {name: round(spent, 3) for name, spent in cost.items()},
        "cpu_ms_per_chunk_in_all": round(sum(cost.values()), 3),
        "server_bytes_per_chunk": {
            name: round((bytes_after[name] - before_it) / len(wanted)) for name, before_it in bytes_before.items()
        },
        "server_memory_megabytes": round(bytes_after["memory"] / 1e6, 1),
        "cpu_cores_idle": {name: round(spent, 4) for name, spent in idle.items()},
    }


def _post(fleet: Processes, wanted: list[tuple[int, int]], rate: float) -> tuple[float, list[float]]:
    """Post these (line, number) in order, `rate` a second. Returns the seconds that it took, and the milliseconds
    until each answer."""
    began = time.monotonic()

    def some(number: int) -> list[float]:
        sender = _Sender(fleet)
        for n, (line, seq) in enumerate(wanted):
            if line % SENDERS == number:  # one connection keeps a line's chunks in order
                time.sleep(max(0.0, began + n / rate - time.monotonic()))
                sender.put(line, seq)
        return sender.waits_ms

    with ThreadPoolExecutor(SENDERS) as threads:
        waits_ms = [wait for waits in threads.map(some, range(SENDERS)) for wait in waits]
    return time.monotonic() - began, waits_ms


@contextlib.contextmanager
def _fleet(shards: int, on_cluster: bool) -> Iterator[Processes]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earshot-scale-")))
        plain = EmbeddedServer(folder / "server")
        stack.callback(plain.stop)
        servers, url = {plain.pid: redis.Redis.from_url(plain.url, protocol=2)}, plain.url
        if on_cluster:
            cluster = stack.enter_context(Cluster(folder / "cluster"))
            servers |= {node.process.pid: node.client() for node in cluster.nodes if node.process}
            url = cluster.url
        environ = {
            "REDIS_URL": url,
            "JOBS_REDIS_URL": plain.url,
            "SHARDS": str(shards),
            "PORT": str(free_port()),
            "WEB_ADDRESS": "127.0.0.1",
            "EARSHOT_ENGINE": "stub",
            "DECODER_LOOPS": "2",
            "BACKLOG_LIMIT_SECONDS": "1000000",
            "CALL_IDLE_SECONDS": "100000",
            "WEB_THREADS": str(4 * SENDERS),
        }
        key = ApiKeys(servers[plain.pid]).add("bench", ("ingest", "read"))
        fleet = Processes(folder, servers, environ, {"Authorization": f"Bearer {key}"})
        stack.callback(fleet.stop)
        fleet.wait("decoders_alive", 2)
        yield fleet


def _difference(now: dict[str, float], before: dict[str, float], per: float) -> dict[str, float]:
    return {name: (spent - before[name]) / per for name, spent in now.items()}
