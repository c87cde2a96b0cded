"""deploy/platform-scaler.sh, with stand-ins for the platform's command and for scripts/autoscale."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_a_number_rises_at_once_and_falls_after_ten_looks(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "deploy/platform-scaler.sh", tmp_path / "deploy")
    for program, does in (("scripts/autoscale", "cat wanted"), ("heroku", f'echo "$2 $4" >>{tmp_path}/scaled')):
        (tmp_path / program).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / program).chmod(0o755)
    environ = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "APP": "earshot",
        "SCALER_STATE": str(tmp_path / "state"),
    }
    for wanted in [2, 5, *[1] * 10]:
        (tmp_path / "wanted").write_text(f"{wanted}\n")
        subprocess.run([tmp_path / "deploy/platform-scaler.sh"], env=environ, check=True)
    said = (tmp_path / "scaled").read_text().split("\n")
    assert said[:-1] == [f"decoder={n} earshot" for n in (2, *[5] * 10, 1)]
