"""Where scripts/run cannot run, it says why in one line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.machine.programs import free_port

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.demo.run", *map(str, arguments)]
    given = os.environ | environ
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=60, check=False)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--port", port, "--data", tmp_path)
    assert ended.stderr == f"run: port {port}: Address already in use; name another with --port\n"
    assert ended.returncode == 1 and not (tmp_path / "server").exists()


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("192.0.2.7", "run: --host 192.0.2.7: not an address of this machine\n"),
        ("no such host", "run: --host no such host: not an address of this machine\n"),
    ],
)
def test_an_address_that_is_not_this_machines_is_named(host: str, said: str, tmp_path: Path) -> None:
    ended = run("--host", host, "--port", free_port(), "--data", tmp_path)
    assert (ended.returncode, ended.stderr) == (1, said)


def test_without_authentication_no_other_machine_is_served(tmp_path: Path) -> None:
    ended = run("--host", "0.0.0.0", "--port", free_port(), "--data", tmp_path, AUTH="off")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("run: WEB_ADDRESS: AUTH=off serves this machine only")


def test_the_environments_port_is_read_as_the_options() -> None:
    assert run("--help", PORT="").returncode == 0
    wrong = run(PORT="eighty")
    assert wrong.returncode == 2 and wrong.stderr.endswith("argument --port: invalid int value: 'eighty'\n")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = run("--data", tmp_path / "file", "--port", free_port())
    assert ended.returncode == 1 and str(tmp_path / "file") in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
