"""The disasters. Each is one method; `Faults.strike` picks one by the dice and counts it."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from scripts.disasters.processes import Keeper, send

STOP_SECONDS = (0.2, 4.0)
"""Seconds that a process is stopped. Decoders' heartbeats (1 s here) may run out meanwhile."""

DOWN_SECONDS = (0.0, 1.5)
"""Seconds from a server's death to its next start."""

FULL_SECONDS = (0.3, 2.5)
"""Seconds for which a server has no memory left."""


class Store(Protocol):
    """What the fleet stores in: see one_server.py, many_servers.py.

    environ: names it for the fleet, whose requests pass links.
    confirm_seconds: age from which the store no longer forgets what it answered.
    disasters: weight, and what to do; each answers whether it has struck.
    complaints: faults of the store itself.
    """

    confirm_seconds: float
    environ: dict[str, str]
    complaints: list[str]

    @property
    def disasters(self) -> Sequence[tuple[int, Callable[[], bool]]]: ...

    def go_on(self, counts: Counter[str]) -> None:
        """Do what is due between two disasters. Call it often."""

    def calm(self) -> None:
        """Undo what lasts, and wait until it is undone."""

    def close(self) -> None:
        """Leave nothing behind."""


class Faults:
    """Strikes a fleet at work."""

    def __init__(
        self, dice: random.Random, store: Store, keeper: Keeper, more: Sequence[tuple[int, Callable[[], bool]]] = ()
    ) -> None:
        """more: disasters besides those of the store and of the processes; see Store."""
        self._dice, self._store, self._keeper = dice, store, keeper
        self._stopped: dict[int, threading.Timer] = {}
        self.counts: Counter[str] = Counter()
        self._kinds: list[tuple[int, Callable[[], bool | None]]] = [
            (6, self.kill_decode_loop),
            (2, self.kill_decoder),
            (2, self.kill_scorer),
            (2, self.kill_web_worker),
            (1, self.kill_web),
            (2, self.terminate),
            (4, self.stop_for_a_while),
            (2, self.kill_jobs),
            *store.disasters,
            *more,
        ]

    def strike(self) -> None:
        """Let one disaster strike."""
        weights, actions = zip(*self._kinds, strict=True)
        action = self._dice.choices(actions, weights)[0]
        if action() is not False:
            self.counts[action.__name__] += 1

    def go_on(self) -> None:
        """Call it often."""
        self._store.go_on(self.counts)

    def calm(self) -> None:
        """Undo what lasts."""
        for pid in list(self._stopped):
            self._wake(pid)
        self._store.calm()

    # -- processes ----------------------------------------------------------------------------------------

    def kill_decode_loop(self) -> None:
        self._kill("decoder", child=True)

    def kill_decoder(self) -> None:
        """Kill a whole machine: parent and loops at once."""
        name = self._pick("decoder")
        self._keeper.killed(name)
        for pid in self._keeper.pids(name):
            send(pid, signal.SIGKILL)

    def kill_scorer(self) -> None:
        self._kill("sentiment", child=False)

    def kill_jobs(self) -> None:
        """Kill the jobs process, and the process that does its job."""
        self._keeper.killed("jobs")
        for pid in self._keeper.pids("jobs"):
            send(pid, signal.SIGKILL)

    def kill_web_worker(self) -> None:
        self._kill("web", child=True)

    def kill_web(self) -> None:
        self._kill("web", child=False)

    def terminate(self) -> None:
        """Send SIGTERM, as a deploy does. The process must end with status 0."""
        name = self._dice.choice(self._keeper.names())
        for pid in self._keeper.pids(name):
            self._wake(pid)
        self._keeper.terminate(name)

    def stop_for_a_while(self) -> None:
        """Send SIGSTOP, and SIGCONT later. The process does not know that it was stopped, and goes on."""
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
