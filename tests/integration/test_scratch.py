"""A process removes the folders that killed processes of its kind left, and never those of living ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from state import metrics, scratch
from tests.harness.servers import Server
from tests.harness.web import Web, wait_until

MAKE = "from state import scratch; print(scratch.make('ours-'), flush=True)"
WAIT = "; import time; time.sleep(600)"
FORK = "; import os; print(child, flush=True) if (child := os.fork()) else None"

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process that makes a folder in tmp_path and then runs `then`."""
    processes = []

    def started(then: str = WAIT) -> subprocess.Popen[str]:
        environ = {**os.environ, "TMPDIR": str(tmp_path)}
        processes.append(subprocess.Popen([sys.executable, "-c", MAKE + then], env=environ, stdout=-1, text=True))
        return processes[-1]

    yield started
    for process in processes:
        process.kill()
        process.wait()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_folder_goes_with_its_process(start: Start) -> None:
    process = start("")
    folder = told(process)
    assert process.wait(20) == 0 and not Path(folder).exists()


def test_the_next_process_removes_a_killed_ones_folder_and_no_other(start: Start, tmp_path: Path) -> None:
    living, killed = start(), start()
    stays, goes = Path(told(living)), Path(told(killed))
    foreign = tmp_path / "ours-but-made-by-hand"
    foreign.mkdir()
    elsewhere = tmp_path / "theirs"
    elsewhere.mkdir()
    (elsewhere / scratch.LOCK).touch()
    killed.kill()
    killed.wait()
    assert goes.exists(), "nobody has removed it yet"
    new = Path(told(start()))
    assert set(tmp_path.iterdir()) == {stays, new, foreign, elsewhere}


def test_a_folder_stays_while_a_fork_of_the_killed_process_lives(start: Start) -> None:
    parent = start(FORK + WAIT)
    folder, child = Path(told(parent)), int(told(parent))
    try:
        parent.kill()
        parent.wait()
        told(start())
        assert folder.exists()
    finally:
        os.kill(child, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie", "the fork is gone")
    told(start())
    assert not folder.exists()


def test_processes_that_start_at_once_leave_one_another_their_folders(start: Start) -> None:
    folders = [told(process) for process in [start() for _ in range(8)]]
    assert len(set(folders)) == 8 and all(Path(folder).exists() for folder in folders)


def test_a_web_process_removes_what_a_killed_one_left(
    valkey: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(metrics.FOLDER)  # or the new processes would use this one's folder

    def left() -> set[Path]:
        return set(tmp_path.glob("earshot-metrics-*"))

    killed, living, new = (Web(valkey.url, tmp_path / f"{n}.log", {"TMPDIR": str(tmp_path)}) for n in range(3))
    try:
        killed.start()
        [goes] = left()
        living.start()
        [stays] = left() - {goes}
        killed.kill()
        new.start()
        assert goes not in left() and stays in left() and len(left()) == 2
        assert living.process is not None and living.process.poll() is None
    finally:
        for web in (killed, living, new):
            web.kill()
