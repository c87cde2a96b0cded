"""A deploy in the middle of calls: under load, the processes of another source replace those of one, type by type.

The load comes over HTTP to the web processes that serve, and over AudioSocket from a caller that knows which of its
frames were heard.
"""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from scripts.demo.processes import read_procfile
from scripts.machine.programs import STREAMS, WEB, free_port
from scripts.simulator.recording import Track
from scripts.simulator.telephony import Answer, Api, post_call
from state.settings import Settings
from tests.harness.audiosocket import packet
from tests.harness.fleet import Fleet
from tests.harness.servers import Server

TYPES = {
    "decoder": ("-m", "workers.decoder"),
    "sentiment": ("-m", "workers.sentiment"),
    "jobs": ("-m", "workers.jobs"),
    "recorder": ("-m", "workers.recorder"),
    "webhooks": ("-m", "workers.webhooks"),
    "web": WEB,
    "streams": STREAMS,
    "audiosocket": ("-m", "webapp.audiosocket"),
}
"""The Procfile's process types, in the order of their replacement. A test compares them with the Procfile."""

STOP_SECONDS = 60  # the promise is 10 s, and test_shutdown.py checks it
TALK_SECONDS = 60
FRAME_BYTES = 320
FRAMES_A_CHUNK = Settings().stream_chunk_ms // 20


class Site:
    """One process of each type. Each gets its source folder when it starts. Attributes: fleet, urls, failures."""

    def __init__(self, server: Server, folder: Path, **environ: str) -> None:
        self.audiosocket_port = free_port()
        environ |= {"AUDIOSOCKET_PORT": str(self.audiosocket_port), "AUTH": "off", "WEB_THREADS": "24"}
        environ |= {"STREAM_GRACE_SECONDS": "200"}  # however slow the machine, a socket comes back in time
        self.fleet = Fleet(server, folder, **environ)
        self.urls: list[str] = []
        self.failures: list[str] = []
        self._running: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        self._enough = threading.Event()
        self._callers: list[threading.Thread] = []
        self.calls: list[str] = []

    def start(self, kind: str, source: Path) -> Callable[[], bool]:
        """Start a process beside the one before it. Returns a function that says whether the new one works yet."""
        port = free_port()
        environ = {{"web": "PORT", "streams": "STREAMS_PORT"}.get(kind, "METRICS_PORT"): str(port)}
        process = self.fleet.start(kind, TYPES[kind], source, PYTHONPATH=str(source), **environ)
        self._running[kind] = (process, port)
        if kind == "audiosocket":
            port = self.audiosocket_port

        def works() -> bool:
            assert process.poll() is None, f"{kind} of {source} ended"
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            return False

        return works

    def begin(self, source: Path) -> None:
        """Start one of each type that this source has, and wait until all work."""
        working = [self.start(kind, source) for kind in TYPES if kind in read_procfile(source / "Procfile")]
        self.fleet.wait(lambda: all(works() for works in working), why="every type of process works")
        self.urls.append(self._url())
        self.fleet.wait(lambda: self.fleet.health.fleet().decoders)

    def replace(self, kind: str, source: Path) -> None:
        """Start the next source's process, then send SIGTERM to the old one. It must end with status 0. One of the two
        sources may not have this type yet."""
        old, _ = self._running.pop(kind, (None, 0))
        if kind == "audiosocket" and old:  # the new one needs its address: the switch's dialplan names it
            self._end(kind, old)
        if kind in read_procfile(source / "Procfile"):
            self.fleet.wait(self.start(kind, source), why=f"{kind} of {source}")
        if kind == "web":
            self.urls.append(self._url())
            self.urls.pop(0)
        if kind == "decoder":
            self.fleet.wait(lambda: self.fleet.health.fleet().decoders == 2)
        if kind != "audiosocket" and old:
            self._end(kind, old)

    def call(self, tracks: list[Track], chunk_ms: int, speed: float, at_a_time: int) -> None:
        """From now on so many callers play these tracks, one call after the other."""
        for n in range(at_a_time):
            caller = threading.Thread(target=self._call, args=(n, tracks, chunk_ms, speed))
            caller.start()
            self._callers.append(caller)

    def finish(self) -> None:
        """Let the calls end, and wait until all are scored."""
        self._enough.set()
        for caller in self._callers:
            caller.join()
        self.fleet.wait_ended(self.calls)

    def play(self, call_id: str, tracks: list[Track], chunk_ms: int, speed: float) -> None:
        """One call over HTTP, to its end."""
        self.calls.append(call_id)
        post_call(self.urls[0], "", call_id, tracks, {}, chunk_ms, speed, connect=lambda *_: Spread(self.urls))

    def stop(self) -> None:
        """Send SIGTERM to all. Each must end with status 0."""
        for kind, (process, _) in self._running.items():
            self._end(kind, process)

    def kill(self) -> None:
        """Kill all and wait for the callers."""
        self._enough.set()
        self.fleet.kill_all()
        for caller in self._callers:
            caller.join()

    def _call(self, number: int, tracks: list[Track], chunk_ms: int, speed: float) -> None:
        count = 0
        while not self._enough.is_set():
            count += 1
            try:
                self.play(f"caller-{number}-{count}", tracks, chunk_ms, speed)
            except Exception as error:
                self.failures.append(f"caller-{number}-{count}: {error!r}")
                return

    def _end(self, kind: str, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGTERM)
        status = process.wait(STOP_SECONDS)
        self.fleet.processes.remove(process)
        assert status == 0, f"{kind} ended with status {status}"

    def _url(self) -> str:
        return f"http://127.0.0.1:{self._running['web'][1]}"


class Spread(Api):
    """Asks any of the web processes that serve now, as a load balancer does."""

    def __init__(self, urls: list[str]) -> None:
        super().__init__(urls[0])
        self._urls, self._apis, self._dice = urls, dict[str, Api](), random.Random(0)

    def ask(self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json") -> Answer:
        """See Api.ask."""
        url = self._dice.choice(self._urls)
        return self._apis.setdefault(url, Api(url)).ask(method, path, body, content_type)


class PhoneCall:
    """A call over AudioSocket in whole chunks. Each frame that is heard brings a frame of silence back. Without it,
    the call sends the frame again."""

    def __init__(self, port: int, pcm: bytes) -> None:
        self.call_id = str(uuid.uuid4())
        self._port = port
        self._frames = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]
        self._heard = 0
        self._connection: socket.socket | None = None

    def talk(self, chunks: int) -> None:
        """Send so many further chunks, on a new connection if the old one is gone."""
        until, deadline = self._heard + chunks * FRAMES_A_CHUNK, time.monotonic() + TALK_SECONDS
        while self._heard < until:
            assert time.monotonic() < deadline, f"nobody hears the call; {self._heard} frames were heard"
            try:
                if self._connection is None:
                    self._connection = socket.create_connection(("127.0.0.1", self._port), 10)
                    self._connection.sendall(packet(0x01, uuid.UUID(self.call_id).bytes))
                self._connection.sendall(packet(0x10, self._frames[self._heard]))
                echo = self._connection.recv(3 + FRAME_BYTES, socket.MSG_WAITALL)
            except ConnectionError:
                echo = b""
            if echo:
                self._heard += 1
            else:
                self.close()

    def hang_up(self) -> None:
        assert self._connection is not None
        self._connection.sendall(packet(0x00))
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
