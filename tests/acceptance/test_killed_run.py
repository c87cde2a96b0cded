"""Whenever SIGKILL ends scripts/run, what it started ends by itself, and the next run goes on."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from scripts.machine.leash import leashed
from scripts.machine.programs import free_port
from tests.harness.web import ROOT

MARK = "EARSHOT_TEST_RUN"
"""Environment variable that marks every process of a run, grandchildren included."""

END_SECONDS = 20.0
"""Seconds until all must be gone. The promise is 10 s on a machine that does nothing else."""


class Run:
    """scripts/run with an engine that needs no model. What it prints is in `output`."""

    def __init__(self, data: Path, port: int, *arguments: str, **environ: str) -> None:
        self.mark = uuid.uuid4().hex
        self.output = data.parent / f"{self.mark}.out"
        clean = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "API_KEYS", "AUTH")}
        clean["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
        stub = {"EARSHOT_ENGINE": "stub", "DECODER_LOOPS": "2", MARK: self.mark}
        run = [sys.executable, "-m", "scripts.demo.run", "--port", str(port), "--data", str(data), *arguments]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                leashed(run), cwd=ROOT, env=clean | stub | environ, stdout=output, stderr=output, start_new_session=True
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def await_(self, text: str, seconds: float = 60.0) -> None:
        """Wait until it has printed this."""
        wait(lambda: re.search(text, self.said) or self.process.poll() is not None, seconds, lambda: self.said)
        assert re.search(text, self.said), self.said

    def family(self) -> list[psutil.Process]:
        """Every living process of this run, itself included. Valkey is left out, as it wipes its environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def wait_for_end(self) -> None:
        """Wait until no process of it is left."""
        wait(lambda: not self.family(), END_SECONDS, lambda: str([p.cmdline() for p in self.family()]))


def wait(holds: Callable[[], object], seconds: float, told: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, told()
        time.sleep(0.2)  # a look at every process of the machine takes 10 ms


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    """Runs that end with the test, whatever happens."""
    started: list[Run] = []
    yield started
    for run in started:
        for process in run.family():
            process.kill()
        if run.process.poll() is None:
            run.kill()


MOMENTS = {
    "at once": "",
    "with the server up": "embedded server on",
    "while the processes start": "loading the speech model",
    "while calls play": "Earshot is at",
}


def test_what_a_killed_run_had_started_ends_by_itself_and_the_next_run_goes_on(tmp_path: Path, runs: list[Run]) -> None:
    """Each run is killed at its moment. The next one starts at once, while processes of the killed one are ending."""
    data, port = tmp_path / "data", free_port()
    for moment, text in MOMENTS.items():
        run = Run(data, port)
        if text:
            run.await_(text)
        else:
            time.sleep(0.3)
        if moment == "while calls play":
            wait(lambda run=run: len(run.family()) >= 9, 30, lambda run=run: str(run.family()))  # loops and web workers
        run.kill()
        runs.append(run)
    after = Run(data, port, "--no-demo")
    for killed in runs:
        killed.wait_for_end()
    runs.append(after)
    after.await_("Earshot is at")
    assert f"the last run (process {runs[-2].process.pid}) was killed" in after.said
    assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=10).status_code == 200
    after.process.send_signal(signal.SIGINT)
    assert after.process.wait(30) == 0, after.said
    assert after.family() == []
    assert (data / "run.pid").read_text() == ""


def test_two_runs_on_one_folder_or_one_port(tmp_path: Path, runs: list[Run]) -> None:
    port = free_port()
    first = Run(tmp_path / "data", port, "--no-demo")
    runs.append(first)
    first.await_("Earshot is at")
    second = Run(tmp_path / "data", free_port(), "--no-demo")
    third = Run(tmp_path / "else", port, "--no-demo")
    runs += [second, third]
    assert (second.process.wait(30), third.process.wait(30)) == (1, 1)
    assert second.said == (
        f"run: scripts/run already works in {tmp_path / 'data'} (process {first.process.pid}). Stop it, or name "
        "another folder with --data\n"
    )
    assert third.said == f"run: port {port}: Address already in use; name another with --port\n"
    assert first.process.poll() is None


def test_it_listens_on_this_machine_alone_unless_told(tmp_path: Path, runs: list[Run]) -> None:
    port = free_port()
    run = Run(tmp_path / "data", port, "--no-demo")
    runs.append(run)
    run.await_("Earshot is at")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), 5).close()  # every address of 127/8 is this machine's on Linux
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(30) == 0
    wide = Run(tmp_path / "data", port, "--no-demo", "--host", "0.0.0.0")
    runs.append(wide)
    wide.await_(f"Earshot is at http://127.0.0.1:{port} ")
    socket.create_connection(("127.0.0.2", port), 5).close()
