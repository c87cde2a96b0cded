"""Keeps the fleet's processes under chaos: starts them, finds them by process id, and starts them again when they are
gone.

It judges each end after a SIGTERM: the status must be 0. It notes how long the end took.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import msgspec

from scripts.machine.programs import children, start_python

MARK = "EARSHOT_CHAOS"
"""Environment variable that marks every process of a run, grandchildren included."""

STARTING_SECONDS = 15.0
"""Seconds of age below which a process may have no signal handlers yet: then SIGTERM simply ends it."""

STOP_SECONDS = 30.0
"""Most seconds from SIGTERM to the end. The promise is 10 s. On a busy machine a process that was stopped and woken
may need more."""


class Kind(msgspec.Struct, frozen=True):
    """A program to start: a module or gunicorn's arguments, with settings of its own."""

    name: str
    command: list[str]
    environ: dict[str, str]


class Keeper:
    """Keeps one process for each Kind given. Thread-safe."""

    def __init__(self, root: Path, logs: Path, environ: dict[str, str]) -> None:
        self._logs = logs
        self._mark = f"{os.getpid()}-{time.time_ns()}"
        self._environ = {**environ, MARK: self._mark, "PYTHONPATH": str(root)}
        self._lock = threading.RLock()
        self._kinds: dict[str, Kind] = {}
        self._running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}
        self._asked: dict[str, float] = {}
        self.restarts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.longest_stops: dict[str, float] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def add(self, kind: Kind) -> None:
        """Start a process and keep it."""
        with self._lock:
            self._kinds[kind.name] = kind
            self._start(kind)

    def names(self) -> list[str]:
        """All names, as added."""
        return list(self._kinds)

    def pids(self, name: str) -> list[int]:
        """The process and its children; the process itself is the first. Empty if it is gone."""
        with self._lock:
            if name not in self._running or self._running[name][0].poll() is not None:
                return []
            pid = self._running[name][0].pid
        return [pid, *children(pid)]

    def terminate(self, name: str) -> None:
        """Send SIGTERM, and judge the end when it comes."""
        with self._lock:
            process, began = self._running[name]
            if process.poll() is None and name not in self._asked and time.monotonic() - began > STARTING_SECONDS:
                self._asked[name] = time.monotonic()
                process.terminate()

    def killed(self, name: str) -> None:
        """Note that somebody kills the process, so that nobody judges its end."""
        with self._lock:
            self._asked.pop(name, None)

    def tick(self) -> None:
        """Judge and replace what has ended. Call it often."""
        with self._lock:
            for name, (process, _) in list(self._running.items()):
                if name in self._asked and process.poll() is None and self._waited(name) > STOP_SECONDS:
                    self.failures.append(f"{name} did not end within {STOP_SECONDS:.0f} s of SIGTERM")
                    self._asked.pop(name)
                    process.kill()
                if process.poll() is not None:
                    self._judge(name, process)
                    self.restarts[name] += 1
                    self._start(self._kinds[name])

    def stop(self) -> None:
        """SIGTERM to all, wait, judge, and kill what is left."""
        with self._lock:
            for name, (process, began) in self._running.items():
                if time.monotonic() - began > STARTING_SECONDS:
                    self._asked.setdefault(name, time.monotonic())
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
            for name, (process, _) in self._running.items():
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    self.failures.append(f"{name} did not end within {STOP_SECONDS:.0f} s of SIGTERM")
                    process.kill()
                    process.wait()
                else:
                    self._judge(name, process)
            self._running.clear()

    def left_over(self) -> list[int]:
        """Process ids of this run that still exist."""
        wanted = f"{MARK}={self._mark}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found

    def kill_left_over(self) -> None:
        """SIGKILL to everything of this run."""
        for pid in self.left_over():
            send(pid, signal.SIGKILL)

    def _start(self, kind: Kind) -> None:
        process = start_python(kind.command, self._logs / f"{kind.name}.log", self._environ | kind.environ)
        self._running[kind.name] = (process, time.monotonic())

    def _waited(self, name: str) -> float:
        return time.monotonic() - self._asked[name]

    def _judge(self, name: str, process: subprocess.Popen[bytes]) -> None:
        if name in self._asked:
            self.longest_stops[name] = max(self.longest_stops.get(name, 0.0), round(self._waited(name), 2))
            del self._asked[name]
            if process.returncode != 0:
                self.failures.append(f"{name} ended with status {process.returncode} after SIGTERM")


def send(pid: int, number: int) -> bool:
    """Send a signal; False if the process is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
