"""Starts, watches and stops the Procfile's processes together, as a platform like Heroku does."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from scripts.machine.programs import start
from state.settings import EXIT_CONFIG

STOP_SECONDS = 15.0
"""Seconds from SIGTERM to SIGKILL. Every process promises to end in 10 s."""

RESTART_SECONDS = (0.5, 30.0)
"""First and longest pause, in seconds, before a process that ended starts again."""


class Processes:
    """One process of each of the Procfile's types. Output goes to <logs>/<name>.log. They end with this process, even
    if it is killed."""

    def __init__(self, root: Path, logs: Path, environ: dict[str, str]) -> None:
        self._root = root
        self._logs = logs
        self._environ = environ
        self._commands = read_procfile(root / "Procfile")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._watchers: list[threading.Thread] = []
        self.failed: str | None = None
        logs.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start one of each and restart whatever ends."""
        for name in self._commands:
            thread = threading.Thread(target=self._keep, args=(name,), daemon=True)
            thread.start()
            self._watchers.append(thread)

    def stop(self) -> None:
        """Send SIGTERM to all, then SIGKILL to those that stay. Returns when all are gone."""
        with self._starting:  # a process that starts just now is in the list already, or never starts
            self._stopping.set()
        for process in list(self._running.values()):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for name, process in list(self._running.items()):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                sys.stderr.write(f"run: {name} did not stop in time and was killed\n")
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for thread in self._watchers:
            thread.join(1)

    def _keep(self, name: str) -> None:
        first, longest = RESTART_SECONDS
        pause = first
        while True:
            began = time.monotonic()
            with self._starting:
                if self._stopping.is_set():
                    return
                command = shlex.split(self._commands[name])
                process = start(command, self._logs / f"{name}.log", self._environ, self._root, leash=True)
                self._running[name] = process
            status = process.wait()
            if self._stopping.is_set():
                return
            if status == EXIT_CONFIG:
                self.failed = f"{name} cannot run here: {last_line(self._logs / f'{name}.log')}"
                return
            pause = first if time.monotonic() - began > longest else min(2 * pause, longest)
            sys.stderr.write(f"run: {name} ended with status {status}; starting it again in {pause:.1f} s\n")
            self._stopping.wait(pause)


def read_procfile(path: Path) -> dict[str, str]:
    """Process types and their commands."""
    lines = [line.partition(":") for line in path.read_text().splitlines() if line.strip() and line[0] != "#"]
    return {name.strip(): command.strip() for name, _, command in lines}


def last_line(path: Path) -> str:
    """The last line of a log, for a message."""
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
