"""The disasters. Each is one method; `Faults.strike` picks one by the dice and counts it."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import redis

from scripts.chaos_clock import Clock
from scripts.chaos_link import Link
from scripts.chaos_processes import Keeper, send
from scripts.server import EmbeddedServer

STOP_SECONDS = (0.2, 4.0)
"""How long a process is stopped. Decoders' hearts (1 s here) run out in between, or not."""

DOWN_SECONDS = (0.0, 1.5)
ROLLBACK_SECONDS = (0.1, 1.0)
"""Age of the append-only file that is put back: what `appendfsync everysec` may lose."""

FULL_SECONDS = (0.3, 2.5)
CLOCK_SECONDS = (-20.0, 20.0)
"""Ahead of the true time. What is told by the clock, a dead decoder among it, may take so much longer."""

APPEND_ONLY_LIMIT_BYTES = 64_000_000
"""The append-only file is rewritten beyond this size, between two disasters, so that copying it stays quick."""


class Faults:
    """Strikes a fleet at work."""

    def __init__(
        self, dice: random.Random, server: EmbeddedServer, data: Path, link: Link, keeper: Keeper, clock: Clock
    ) -> None:
        self._dice = dice
        self._server, self._data, self._link, self._keeper, self._clock = server, data, link, keeper, clock
        self._stopped: dict[int, threading.Timer] = {}
        self.counts: Counter[str] = Counter()
        self._kinds: list[tuple[int, Callable[[], None]]] = [
            (6, self.kill_decode_loop),
            (2, self.kill_decoder),
            (2, self.kill_scorer),
            (2, self.kill_web_worker),
            (1, self.kill_web),
            (2, self.terminate),
            (4, self.stop_for_a_while),
            (3, self.cut_links),
            (2, self.kill_server),
            (2, self.roll_server_back),
            (1, self.fill_server),
            (1, self.set_clock),
        ]

    def strike(self) -> None:
        """One disaster."""
        weights, actions = zip(*self._kinds, strict=True)
        action = self._dice.choices(actions, weights)[0]
        self.counts[action.__name__] += 1
        action()
        self._rewrite_if_big()

    def calm(self) -> None:
        """Undo what lasts."""
        for pid in list(self._stopped):
            self._wake(pid)
        self._clock.set(0.0)
        with contextlib.suppress(redis.RedisError), self._client() as client:
            client.config_set("maxmemory", 0)

    # -- processes ----------------------------------------------------------------------------------------

    def kill_decode_loop(self) -> None:
        self._kill("decoder", child=True)

    def kill_decoder(self) -> None:
        """A whole machine: parent and loops at once."""
        name = self._pick("decoder")
        self._keeper.killed(name)
        for pid in self._keeper.pids(name):
            send(pid, signal.SIGKILL)

    def kill_scorer(self) -> None:
        self._kill("sentiment", child=False)

    def kill_web_worker(self) -> None:
        self._kill("web", child=True)

    def kill_web(self) -> None:
        self._kill("web", child=False)

    def terminate(self) -> None:
        """SIGTERM, as a deploy; it must end with status 0."""
        name = self._dice.choice(self._keeper.names())
        for pid in self._keeper.pids(name):
            self._wake(pid)
        self._keeper.terminate(name)

    def stop_for_a_while(self) -> None:
        """SIGSTOP, and SIGCONT later: whoever is stopped does not know it and goes on."""
        pids = self._keeper.pids(self._dice.choice(self._keeper.names()))
        if not pids:
            return
        pid = self._dice.choice(pids)
        if pid not in self._stopped and send(pid, signal.SIGSTOP):
            timer = threading.Timer(self._dice.uniform(*STOP_SECONDS), self._wake, [pid])
            self._stopped[pid] = timer
            timer.start()

    def _wake(self, pid: int) -> None:
        timer = self._stopped.pop(pid, None)
        if timer is not None:
            timer.cancel()
            send(pid, signal.SIGCONT)

    def _kill(self, kind: str, child: bool) -> None:
        name = self._pick(kind)
        pids = self._keeper.pids(name)
        if child and len(pids) > 1:
            send(self._dice.choice(pids[1:]), signal.SIGKILL)
        elif not child and pids:
            self._keeper.killed(name)
            send(pids[0], signal.SIGKILL)

    def _pick(self, kind: str) -> str:
        return self._dice.choice([name for name in self._keeper.names() if name.startswith(kind)])

    # -- links and the server -----------------------------------------------------------------------------

    def cut_links(self) -> None:
        self._link.cut(self._dice.uniform(0.1, 1.0), self._dice)

    def kill_server(self) -> None:
        """kill -9: everything that was answered is in the append-only file."""
        self._server.kill()
        time.sleep(self._dice.uniform(*DOWN_SECONDS))
        self._server.start()

    def roll_server_back(self) -> None:
        """As after a power failure or a fail-over: the last second is gone."""
        copy = self._data.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self._data, copy)
        time.sleep(self._dice.uniform(*ROLLBACK_SECONDS))
        self._server.kill()
        shutil.rmtree(self._data)
        copy.rename(self._data)
        time.sleep(self._dice.uniform(*DOWN_SECONDS) / 3)
        self._server.start()

    def fill_server(self) -> None:
        """Memory runs out for a while."""
        with self._client() as client:
            client.config_set("maxmemory", max(1, int(client.info("memory")["used_memory"] * 0.9)))
            time.sleep(self._dice.uniform(*FULL_SECONDS))
            client.config_set("maxmemory", 0)

    def set_clock(self) -> None:
        """As a fail-over to a machine whose clock is wrong, or the end of that: hearts stop early, or beat too long."""
        self._clock.set(self._dice.uniform(*CLOCK_SECONDS))

    def _rewrite_if_big(self) -> None:
        if sum(path.stat().st_size for path in self._data.rglob("*") if path.is_file()) > APPEND_ONLY_LIMIT_BYTES:
            self.counts["rewrites of the append-only file"] += 1
            with self._client() as client:
                client.bgrewriteaof()
                while client.info("persistence")["aof_rewrite_in_progress"]:
                    time.sleep(0.1)

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self._server.url, protocol=2)
