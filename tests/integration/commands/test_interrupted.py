"""Ctrl-C before a command has come to itself: one line, and the status of an interrupted program."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.machine.programs import ROOT

COMMANDS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file() and path.suffix == "")


def test_ctrl_c_while_a_command_still_imports(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "scripts.machine.command", "keys", "slow", "list"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(tmp_path)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, "keys: stopped\n")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: path.name)
def test_every_command_begins_that_way(command: Path) -> None:
    for module in re.findall(r"python\"? -m (scripts\.\S+)( \S+)?", command.read_text()):
        assert module == ("scripts.machine.command", f" {command.name}")
