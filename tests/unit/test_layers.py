"""Who may import whom: the contracts of pyproject.toml. ARCHITECTURE.md says them in words."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]


def test_the_layers_are_as_promised() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_a_command_that_needs_the_tests_packages_has_set_up_install_them() -> None:
    """Without them the command ends with a traceback where only scripts/run was set up."""
    graph = grimp.build_graph("scripts", "tests", include_external_packages=False)
    needing, lean = [], []
    for command in (path for path in (ROOT / "scripts").iterdir() if path.is_file() and path.suffix == ""):
        found = re.search(r"scripts\.machine\.command \S+ (\S+)", command.read_text())
        if found and graph.chain_exists(importer=found[1], imported="tests", as_packages=True):
            needing.append(command.name)
            if not re.search(r'scripts/setup"? --(dev|tools)$', command.read_text(), re.MULTILINE):
                lean.append(command.name)
    assert "bench" in needing
    assert not lean
