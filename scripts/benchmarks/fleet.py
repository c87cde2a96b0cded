"""A fleet for benchmarks: an embedded server and one decoder process, and what they cost."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from scripts.demo.server import EmbeddedServer
from state import keys
from state.calls.ingest import Ingest
from state.calls.reads import Reads
from state.server.connection import connect
from state.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120.0


class BenchFleet:
    """The store's ends, and processor seconds of the decoder (its children included) and the server."""

    def __init__(self, server: EmbeddedServer, decoder: subprocess.Popen[bytes]) -> None:
        self.settings = Settings(redis_url=server.url)
        self.redis: redis.Redis = connect(self.settings, "web")
        self.ingest = Ingest(self.redis, self.settings)
        self.reads = Reads(self.redis)
        self._server_pid = server.pid
        self._decoder = decoder

    def wait_decoded(self, call_ids: list[str], seconds: float) -> None:
        """Wait until every track of these (ended) calls is decoded."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if all(self.redis.hget(keys.call(call_id), "open_tracks") == b"0" for call_id in call_ids):
                return
            time.sleep(0.05)
        raise SystemExit(f"bench: not decoded in {seconds} s")

    def decoder_cpu_seconds(self) -> float:
        """Spent so far by the decoder process and its decode loops."""
        pids = [self._decoder.pid, *_children(self._decoder.pid)]
        return sum(cpu_seconds(pid) for pid in pids)

    def server_cpu_seconds(self) -> float:
        """Spent so far by the server."""
        return cpu_seconds(self._server_pid)


@contextlib.contextmanager
def fleet(loops: int, **environ: str) -> Iterator[BenchFleet]:
    """A fleet that is ready to decode; everything is stopped at the end."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "server")
        with (Path(folder) / "decoder.log").open("wb") as log:
            decoder = subprocess.Popen(
                [sys.executable, "-m", "workers.decoder"],
                cwd=ROOT,
                env=os.environ | {"REDIS_URL": server.url, "DECODER_LOOPS": str(loops)} | environ,
                stdout=log,
                stderr=log,
            )
        try:
            running = BenchFleet(server, decoder)
            deadline = time.monotonic() + START_SECONDS
            while running.reads.fleet().decoders < loops:
                if decoder.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"bench: no decoder: {(Path(folder) / 'decoder.log').read_text()[-500:]}")
                time.sleep(0.05)
            yield running
        finally:
            decoder.terminate()
            decoder.wait(20)
            server.stop()


def cpu_seconds(pid: int) -> float:
    """Processor seconds of a process so far, its children not included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
