"""After Ctrl-C or SIGTERM a command has the status of an interrupted program, and all that it started has ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from scripts.machine.programs import ROOT

STARTED = re.compile(r'python"? -m (scripts\.\S+)( \S+)?')
"""The module that a command in scripts/ starts, and its first word."""

COMMANDS = sorted(
    path
    for path in (ROOT / "scripts").iterdir()
    if path.is_file() and path.suffix == "" and STARTED.search(path.read_text())
)

STARTER = """
import time
from pathlib import Path
from scripts.machine.programs import start
print(start(["sleep", "60"], Path("/dev/null")).pid, flush=True)
time.sleep(60)
"""


def interrupted(folder: Path, source: str, number: signal.Signals) -> tuple[str, int, str]:
    """Send a command the signal after its first line. Returns that line, the exit status, and its last words."""
    (folder / "slow.py").write_text(source)
    with subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "scripts.machine.command", "keys", "slow", "list"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(folder)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said = process.stdout.readline()
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    return said, process.returncode, told


def test_ctrl_c_while_a_command_still_imports(tmp_path: Path) -> None:
    source = "import time\nprint('begun', flush=True)\ntime.sleep(60)\n"
    assert interrupted(tmp_path, source, signal.SIGINT) == ("begun\n", 130, "keys: stopped\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_a_command_has_started_ends_with_it(tmp_path: Path, number: signal.Signals, status: int) -> None:
    pid, ended, _ = interrupted(tmp_path, STARTER, number)
    assert ended == status
    assert not psutil.pid_exists(int(pid))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: path.name)
def test_every_command_begins_that_way(command: Path) -> None:
    assert set(STARTED.findall(command.read_text())) == {("scripts.machine.command", f" {command.name}")}
