"""What the fleet costs without decoding: the protocol alone, with the stub engine."""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from scripts.benchmarks.fleet import fleet
from state import keys
from state.calls.ingest import Chunk

CHUNK = Chunk(bytes(8000), "mulaw", 8000)
"""A second of telephony: 8 kB."""

TRACKS = ("agent", "customer")


def bench_overhead(options: argparse.Namespace) -> dict[str, Any]:
    """Live telephony in its usual rhythm: every track brings a chunk a second. The tracks are spread evenly."""
    with fleet(loops=2, EARSHOT_ENGINE="stub") as running:
        calls = [f"call-{n}" for n in range(options.calls)]
        lines = [(call, track) for call in calls for track in TRACKS]
        latencies: list[float] = []
        cpu = (running.decoder_cpu_seconds(), running.server_cpu_seconds())
        began = time.monotonic()
        put = 0
        while time.monotonic() - began < options.seconds:
            call, track = lines[put % len(lines)]
            time.sleep(max(0.0, began + put / len(lines) - time.monotonic()))
            chunk = Chunk(put.to_bytes(4, "big") + CHUNK.audio[4:], "mulaw", 8000)
            asked = time.monotonic()
            answer = running.ingest.put(call, track, None, chunk)
            assert answer.outcome == "OK", answer
            put += 1
            if put % 10 == 0:  # follow one chunk in ten to its commit
                while int(running.redis.hget(keys.track(call, track), "done_seq") or 0) < answer.seq:
                    time.sleep(0.0002)
                latencies.append(time.monotonic() - asked)
        paced = time.monotonic() - began
        decoder = running.decoder_cpu_seconds() - cpu[0]
        server = running.server_cpu_seconds() - cpu[1]
        for call in calls:
            running.ingest.end(call)
        running.wait_finished(calls, 60.0)
        quantiles = statistics.quantiles(latencies, n=20)
        return {
            "tracks": len(lines),
            "chunks": put,
            "chunks_per_second": round(put / paced, 1),
            "ingest_to_commit_ms_p50": round(1000 * statistics.median(latencies), 2),
            "ingest_to_commit_ms_p95": round(1000 * quantiles[18], 2),
            "decoder_cpu_ms_per_chunk": round(1000 * decoder / put, 3),
            "server_cpu_ms_per_chunk": round(1000 * server / put, 3),
        }
