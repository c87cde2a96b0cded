"""Starts programs and ends them: for the demo, the tests, chaos and the benchmarks alike."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.machine.leash import leashed

ROOT = Path(__file__).resolve().parents[2]

READY_SECONDS = 180.0
"""Most seconds until a fleet is ready. The first start loads a speech model and may have to prepare it."""

STOP_SECONDS = 20.0
"""Seconds from SIGTERM to SIGKILL. Every process of ours promises to end in 10 s."""

WEB = ("-m", "gunicorn", "-c", "webapp/gunicorn_conf.py", "webapp.app:create_app()")
"""The web process as the Procfile runs it, for `python`."""

STREAMS = ("-m", "webapp.streams")
"""The streams process, in the same way."""

_started: list[subprocess.Popen[bytes]] = []
"""The programs that `start` has started here and that may still run."""

OWN = "PROMETHEUS_MULTIPROC_DIR"
"""Variable that names a process's folder of figures (state/metrics.py). Each program that it starts has its own."""


def start(
    command: Sequence[str | Path],
    log: Path,
    environ: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    leash: bool = False,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, without input; its output is added to `log`.

    environ: variables besides this process's own (all but OWN).  leash: it ends with the thread that starts it; see
    leash.py.
    """
    line = [str(part) for part in command]
    inherited = {name: value for name, value in os.environ.items() if name != OWN}
    with log.open("ab") as output:
        process = subprocess.Popen(
            leashed(line) if leash else line,
            cwd=folder,
            env={**inherited, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # a Ctrl-C in the terminal reaches us alone, and we stop the others in order
            pass_fds=pass_fds,
        )
    _started[:] = [one for one in _started if one.poll() is None] + [process]
    return process


def start_python(arguments: Sequence[str | Path], log: Path, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start this Python with these arguments, as `start` does."""
    return start([sys.executable, *arguments], log, environ)


def end(process: subprocess.Popen[bytes], seconds: float = STOP_SECONDS) -> int:
    """Send SIGTERM, and SIGKILL after so many seconds. Returns the exit status."""
    process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def end_started() -> None:
    """Send SIGTERM to all programs of `start` that still run, and SIGKILL to those that stay."""
    left = [process for process in _started if process.poll() is None]
    for process in left:
        process.terminate()
    for process in left:
        end(process)


def children(pid: int) -> list[int]:
    """Process ids of a process's children (Linux). Empty if it is gone."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def family(pid: int) -> list[int]:
    """Process ids of a process, its children, and theirs (Linux)."""
    return [pid, *(each for child in children(pid) for each in family(child))]


def cpu_seconds(pid: int, ended: bool = False) -> float:
    """Processor seconds of a process so far (Linux). ended: with those of children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")


def family_cpu_seconds(pid: int) -> float:
    """Processor seconds so far of a process and all its descendants, living and ended (Linux)."""
    spent = 0.0
    for each in family(pid):
        with contextlib.suppress(OSError):  # it has just ended
            spent += cpu_seconds(each, ended=True)
    return spent


def resident_bytes(pid: int) -> int:
    """Bytes of memory that a process has now, shared ones included (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def family_bytes(pid: int) -> int:
    """Bytes of memory of a process and all its descendants now; what they share counts once (Linux)."""
    found = 0
    for each in family(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    found += 1024 * int(line.split()[1])
    return found


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
