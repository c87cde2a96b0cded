"""One server as the store of a chaos run, and its disasters."""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections import Counter
from pathlib import Path

import redis

from scripts.disasters.clock import Clock
from scripts.disasters.faults import DOWN_SECONDS, FULL_SECONDS
from scripts.machine.server import EmbeddedServer
from scripts.simulator.telephony import CONFIRM_SECONDS
from tests.harness.link import Link

ROLLBACK_SECONDS = (0.1, 1.0)
"""Seconds of age of the append-only file to put back: the loss that `appendfsync everysec` allows."""

CLOCK_SECONDS = (-20.0, 20.0)
"""Seconds ahead of the true time. What depends on the clock, like finding a dead decoder, may take as much longer."""

APPEND_ONLY_LIMIT_BYTES = 64_000_000
"""Size of the append-only file from which it is rewritten, between two disasters, so that copying it stays quick."""


class OneServer:
    """A server behind a link. `environ` is for the fleet, whose requests pass the link."""

    confirm_seconds = CONFIRM_SECONDS

    def __init__(self, folder: Path, dice: random.Random, _shards: int) -> None:
        self._dice = dice
        self._data = folder / "server"
        self._clock = Clock(folder / "clock")
        self._server = EmbeddedServer(self._data, self._clock.environ, auto_aof_rewrite_percentage="0")
        self._link = Link(self._server.port)
        self.environ = {"REDIS_URL": self._server.url_at(self._link.port)}
        self.complaints: list[str] = []
        self.disasters = [
            (3, self.cut_links),
            (2, self.kill_server),
            (2, self.roll_server_back),
            (1, self.fill_server),
            (1, self.set_clock),
        ]

    def cut_links(self) -> bool:
        self._link.cut(self._dice.uniform(0.1, 1.0), self._dice)
        return True

    def kill_server(self) -> bool:
        """kill -9. The append-only file has everything that the server answered."""
        self._server.kill()
        time.sleep(self._dice.uniform(*DOWN_SECONDS))
        self._server.start()
        return True

    def roll_server_back(self) -> bool:
        """Lose the last second, as after a power failure or a fail-over."""
        copy = self._data.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self._data, copy)
        time.sleep(self._dice.uniform(*ROLLBACK_SECONDS))
        self._server.kill()
        shutil.rmtree(self._data)
        copy.rename(self._data)
        time.sleep(self._dice.uniform(*DOWN_SECONDS) / 3)
        self._server.start()
        return True

    def fill_server(self) -> bool:
        """Memory runs out for a while."""
        with self._client() as client:
            client.config_set("maxmemory", max(1, int(client.info("memory")["used_memory"] * 0.9)))
            time.sleep(self._dice.uniform(*FULL_SECONDS))
            client.config_set("maxmemory", 0)
        return True

    def set_clock(self) -> bool:
        """Set the clock, as a fail-over to a machine with a wrong clock does: heartbeats end early or last too long."""
        self._clock.set(self._dice.uniform(*CLOCK_SECONDS))
        return True

    def go_on(self, counts: Counter[str]) -> None:
        """Rewrite a big append-only file."""
        if sum(path.stat().st_size for path in self._data.rglob("*") if path.is_file()) > APPEND_ONLY_LIMIT_BYTES:
            counts["rewrites of the append-only file"] += 1
            with self._client() as client:
                client.bgrewriteaof()
                while client.info("persistence")["aof_rewrite_in_progress"]:
                    time.sleep(0.1)

    def calm(self) -> None:
        """Undo what lasts."""
        self._clock.set(0.0)
        with contextlib.suppress(redis.RedisError), self._client() as client:
            client.config_set("maxmemory", 0)

    def close(self) -> None:
        """Leave nothing behind."""
        self._link.close()
        self._server.stop()

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self._server.url, protocol=2)
