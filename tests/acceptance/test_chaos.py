"""Half a minute of scripts/chaos, each time with another seed. For an hour: scripts/chaos --seconds 3600."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_half_a_minute_of_disasters_loses_nothing_and_says_nothing_twice() -> None:
    seed = os.environ.get("EARSHOT_SEED", str(random.randrange(10**6)))
    print(f"seed {seed}")
    ran = subprocess.run(
        [sys.executable, "-m", "scripts.disasters", "--seconds", "30", "--seed", seed, "--calls", "6"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    print(ran.stdout, ran.stderr)
    report = json.loads(ran.stdout)
    assert report["violations"] == []
    assert ran.returncode == 0
    assert report["calls"] >= 6
    assert report["page"]["rows_compared"] > 0
    assert report["calls_in_database"] > 0
    assert sum(report["disasters"].values()) >= 8
