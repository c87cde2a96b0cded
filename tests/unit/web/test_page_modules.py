"""The page's pure modules have their tests in JavaScript; this runs them with the rest."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2] / "js"


def test_the_pages_modules_pass_their_own_tests() -> None:
    node = shutil.which("node")
    assert node, "node is missing: install it (Debian: apt-get install nodejs npm) and run again"
    files = sorted(str(path) for path in TESTS.glob("*.test.mjs"))
    assert files
    done = subprocess.run([node, "--test", *files], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
