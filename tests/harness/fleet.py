"""A real fleet for tests: worker processes on a real server, fed through the store and killed with real signals.

fleet = Fleet(server, tmp_path, engine="stub")
fleet.start("decoder", DECODER_LOOPS="2")
fleet.feed("call-1", {"customer": chunks})
fleet.wait_ended(["call-1"])
fleet.transcript("call-1")      # the stored bytes
fleet.stop()
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psutil

from scripts.machine.programs import ROOT, children, start
from scripts.simulator.recording import DEMO, read_tracks
from state.calls.health import Health
from state.calls.ingest import Chunk, Ingest
from state.calls.reads import Reads
from state.server.connection import AWAY
from state.server.opening import open_shards
from state.settings import load
from state.types import Utterance
from tests.harness.invariants import at_rest
from tests.harness.places import Place
from tests.harness.servers import Server, start_server


class Fleet:
    """Worker processes, and both ends of their pipeline. `redis` is the plain server."""

    def __init__(self, server: Server | Place, logs: Path, **environ: str) -> None:
        where = dict(server.environ) if isinstance(server, Place) else {"REDIS_URL": server.url}
        self.settings = load(where)
        self.shards = open_shards(self.settings, "web")
        self.redis = self.shards.plain
        self.ingest = Ingest(self.shards, self.settings)
        self.reads = Reads(self.shards)
        self.health = Health(self.shards)
        self.logs = logs
        self._environ = where | {"HEARTBEAT_SECONDS": "3", "PYTHONPATH": str(ROOT)} | environ
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(
        self, what: str, program: Sequence[str] | None = None, folder: Path = ROOT, **environ: str
    ) -> subprocess.Popen[bytes]:
        """Start `python -m workers.<what>` or another program of the source in `folder`. Its output goes to a file."""
        command = [sys.executable, *(program or ["-m", f"workers.{what}"])]
        log = self.logs / f"{what}-{len(self.processes)}.log"
        process = start(command, log, self._environ | environ, folder, leash=True)
        self.processes.append(process)
        return process

    def stop(self) -> list[int]:
        """SIGTERM to every process, SIGKILL after 20 s. Returns their exit statuses."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        statuses = []
        for process in self.processes:
            try:
                statuses.append(process.wait(20))
            except subprocess.TimeoutExpired:
                self.kill_all()
                statuses.append(process.wait(20))
        self.processes.clear()
        return statuses

    def kill_all(self) -> None:
        """SIGKILL to every process of ours that still runs."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def loops(self, parent: subprocess.Popen[bytes]) -> list[int]:
        """Process ids of a decoder's decode loops."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child.pid for child in psutil.Process(parent.pid).children()]
        return []

    def utterances(self, parent: subprocess.Popen[bytes]) -> list[int]:
        """Process ids of the open utterances of a decoder's decode loops. Only some engines have such processes."""
        return [pid for loop in self.loops(parent) for pid in children(loop)]

    def feed(
        self,
        call_id: str,
        tracks: Mapping[str, Sequence[Chunk]],
        pause_seconds: float = 0.0,
        after_each: Callable[[], None] = lambda: None,
    ) -> None:
        """Declare a call, put its chunks (tracks in turns), and end it."""
        self.ingest.create(call_id, list(tracks), {})
        for n in range(max(len(chunks) for chunks in tracks.values())):
            for track, chunks in tracks.items():
                if n < len(chunks):
                    assert self.ingest.put(call_id, track, n + 1, chunks[n]).outcome in ("OK", "DUP")
                    after_each()
            time.sleep(pause_seconds)
        self.ingest.end(call_id)

    def wait(self, what: Callable[[], Any], seconds: float = 120.0, why: str = "") -> None:
        """Wait until `what` is true. If that takes too long, fail with the end of every log."""
        deadline = time.monotonic() + seconds
        while not _holds(what):
            if time.monotonic() > deadline:
                logs = "\n".join(f"{p.name}:\n{p.read_text(errors='replace')[-1500:]}" for p in self.logs.glob("*.log"))
                raise AssertionError(f"not in {seconds} s: {why or what}\n{logs}")
            time.sleep(0.02)

    def decoded(self, call_id: str, track: str, seq: int) -> bool:
        """Whether the track is decoded up to chunk `seq`."""
        return self.count(call_id, track, "done_seq") >= seq

    def finished(self, call_id: str) -> bool:
        """Whether every track with audio is decoded to its end (scored or not)."""
        shard = self.shards.of(call_id)
        call = shard.redis.hmget(shard.keys.call(call_id), "state", "open_tracks")
        return call[0] in (b"ending", b"ended") and int(call[1]) == 0

    def wait_finished(self, call_ids: Sequence[str], seconds: float = 180.0) -> None:
        """Wait until all these calls are decoded to their ends."""
        self.wait(lambda: all(self.finished(call_id) for call_id in call_ids), seconds, f"finished: {call_ids}")

    def wait_ended(self, call_ids: Sequence[str], seconds: float = 180.0) -> None:
        """Wait until all these calls are decoded and scored."""

        def ended(call_id: str) -> bool:
            shard = self.shards.of(call_id)
            return bool(shard.redis.hget(shard.keys.call(call_id), "state") == b"ended")

        self.wait(lambda: all(map(ended, call_ids)), seconds, f"ended: {call_ids}")

    def transcript(self, call_id: str) -> dict[bytes, bytes]:
        """The stored utterances, byte for byte."""
        shard = self.shards.of(call_id)
        stored: dict[bytes, bytes] = shard.redis.hgetall(shard.keys.utterances(call_id))
        return dict(sorted(stored.items()))

    def readable(self, call_id: str) -> list[tuple[str, float, float, str, str | None]]:
        """The stored utterances for a test's message: id, start, end, text, mark."""
        said = (msgspec.msgpack.decode(packed, type=Utterance) for packed in self.transcript(call_id).values())
        return [(u.id, u.start, u.end, u.text, u.mark) for u in said]

    def count(self, call_id: str, track: str, name: str) -> int:
        """A number of the track's hash. 0 if it is not there."""
        shard = self.shards.of(call_id)
        return int(shard.redis.hget(shard.keys.track(call_id, track), name) or 0)

    def chunks_waiting(self) -> int:
        """How many accepted chunks are not decoded yet."""
        return self.health.fleet().backlog_chunks

    def registered(self) -> int:
        """How many decode loops the store knows. Dead ones count until somebody has buried them."""
        return len(set[Any]().union(*(shard.redis.smembers(shard.keys.workers) for shard in self.shards)))

    def assert_at_rest(self) -> None:
        """Check J6, except for the finals: tests without a scorer leave them."""
        assert [wrong for wrong in at_rest(self.shards) if "wait for a score" not in wrong] == []


def _holds(what: Callable[[], Any]) -> bool:
    try:
        return bool(what())
    except AWAY:
        return False


def demo_chunks(call: str, party: str, seconds: float | None = None, from_second: float = 0.0) -> list[Chunk]:
    """Chunks of one second each, from one party of a demo call."""
    track = read_tracks(DEMO / f"call-{call}" / f"{party}.wav", [party])[0]
    chunks = [Chunk(audio, track.encoding, track.rate) for audio in track.chunks(1000)]
    first = int(from_second)
    return chunks[first : first + int(seconds) if seconds else None]


@contextlib.contextmanager
def stub_fleet(folder: Path) -> Iterator[Fleet]:
    """A fleet without speech on its own server. Both are gone at the end."""
    server = start_server("valkey9", dir=folder)
    fleet = Fleet(server, folder, EARSHOT_ENGINE="stub")
    try:
        yield fleet
    finally:
        fleet.kill_all()
        server.kill()
