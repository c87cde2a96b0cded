"""The fleet of a soak: one process of each type, senders that play the demo calls over and over, and a webhook."""

from __future__ import annotations

import argparse
import http.client
import math
import os
import random
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import func, select

from scripts.demo.playing import demo_calls
from scripts.demo.processes import last_line, read_procfile
from scripts.machine.gauges import gauge
from scripts.machine.programs import READY_SECONDS, ROOT, end, free_port, start
from scripts.machine.server import EmbeddedServer
from scripts.simulator.recording import Track, read_tracks
from scripts.simulator.telephony import CallFailed, post_call
from state.archive.opening import Archive
from state.archive.tables import calls as archived_calls
from state.calls.reads import Reads
from state.calls.retention import Retention
from state.server.clock import now_ms
from state.server.opening import open_shards
from state.settings import load
from state.webhooks import endpoints
from state.webhooks.happenings import EventType
from tests.harness.receiver import Receiver

START_SECONDS = 30.0
"""Seconds within which all callers begin."""

SWEEP_SECONDS = 5.0
CHUNK_MS = 1000
EVENTS: list[EventType] = ["call.started", "call.alert", "call.ended"]


class SoakFleet:
    """Everything of one run. Attributes: processes (by type), played, complaints."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        """options: as scripts/soak reads them."""
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.played = 0
        self.complaints: list[str] = []
        self._folder, self._options, self._port = folder, options, port
        self._server = EmbeddedServer(folder / "server")
        self._environ = {
            "REDIS_URL": self._server.url,
            "DATABASE_URL": f"sqlite:///{folder / 'archive.db'}",
            "RECORDINGS": str(folder / "recordings"),
            "SOUND_DAYS": "billing=1",
            "WEBHOOK_ALLOW": "127.0.0.1",
            "AUDIOSOCKET_PORT": str(free_port()),
            "STREAMS_PORT": str(free_port()),
            "EARSHOT_ENGINE": options.engine,
            "DECODER_LOOPS": str(options.loops),
            "PORT": str(port),
            "AUTH": "off",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }
        settings = load(self._environ)
        self.shards = open_shards(settings, "web")
        self._retention, self._keep_ms = Retention(self.shards, settings), int(options.keep * 1000)
        self._archive = Archive(settings.database_url)
        self._receiver = Receiver()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> SoakFleet:
        self._receiver.__enter__()
        endpoints.add(
            self._archive, self._receiver.url, EVENTS, "standard", "soak",
            now_ms(self.shards.plain), Reads(self.shards).tip(),
        )  # fmt: skip
        for name, command in read_procfile(ROOT / "Procfile").items():
            self.processes[name] = start(
                shlex.split(command), self._folder / f"{name}.log", self._environ, ROOT, leash=True
            )
        try:
            self._wait_ready()
        except BaseException:
            self.__exit__()
            raise
        for n in range(self._options.calls):
            self._begin(f"caller-{n}", self._call, n)
        self._begin("sweep", self._sweep)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        for process in self.processes.values():
            end(process)
        self._receiver.__exit__()
        self._archive.close()
        self.shards.close()
        self._server.stop()

    @property
    def server_pid(self) -> int:
        return self._server.pid

    def gauge(self, name: str) -> float:
        """A gauge of /metrics; not a number if it is missing."""
        try:
            told = gauge(self._port, name)
        except (OSError, http.client.HTTPException):
            told = None
        return math.nan if told is None else told

    def ended(self) -> list[str]:
        """Processes that ended by themselves, with the last line of their logs."""
        gone = [name for name, process in self.processes.items() if process.poll() is not None]
        return [f"{name}: {last_line(self._folder / f'{name}.log')}" for name in gone]

    def archived(self) -> int:
        with self._archive.reading() as connection:
            return connection.execute(select(func.count()).select_from(archived_calls)).scalar_one()

    def told(self) -> int:
        """Number of messages that came by the webhook."""
        return len(self._receiver.asked)

    def _begin(self, name: str, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name=name)  # type: ignore[arg-type]
        thread.start()
        self._threads.append(thread)

    def _call(self, number: int) -> None:
        """Play demo calls one after the other."""
        dice = random.Random(number)
        self._stopping.wait(dice.uniform(0.0, START_SECONDS))
        recordings = demo_calls()
        count = 0
        while not self._stopping.is_set():
            name, folder = recordings[(number + count) % len(recordings)]
            count += 1
            tracks = [self._track(folder, party) for party in ("agent", "customer")]
            metadata = {"agent": f"Agent {number}", "queue": dice.choice(["billing", "cards"]), "caller": name}
            call_id, stopping = f"soak-{number}-{count}", self._stopping.is_set
            try:
                post_call(self.url, "", call_id, tracks, metadata, CHUNK_MS, self._options.speed, stopping)
            except CallFailed as error:
                self.complaints.append(f"{call_id}: {error}")
            self.played += not self._stopping.is_set()

    def _track(self, folder: Path, party: str) -> Track:
        """The part of a demo call's party that is played."""
        track = read_tracks(folder / f"{party}.wav", [party])[0]
        seconds = self._options.call_seconds
        return track.first(seconds) if seconds else track

    def _sweep(self) -> None:
        """Do what Retention.sweep does, by an age that is no whole number of hours."""
        while not self._stopping.wait(SWEEP_SECONDS):
            try:
                for shard in self.shards:
                    before_ms = shard.now_ms() - self._keep_ms
                    old: Any = shard.redis.zrangebyscore(shard.keys.retained, "-inf", before_ms)
                    for call_id in old:
                        self._retention.erase(call_id.decode(), before_ms)
            except redis.RedisError as error:
                self.complaints.append(f"sweep: {error}")

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.gauge("decoders_alive") >= int(self._environ["DECODER_LOOPS"]):
            if time.monotonic() > deadline or self.ended():
                raise SystemExit(f"soak: the fleet does not work: {self.ended() or 'no decoder'}")
            time.sleep(0.2)
