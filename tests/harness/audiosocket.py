"""A real process for AudioSocket and vosk-server's port, and AudioSocket's packets."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.machine.programs import free_port, start
from tests.harness.web import wait_until


def packet(kind: int, payload: bytes = b"") -> bytes:
    """A message of AudioSocket: three bytes of head, then the payload."""
    return bytes([kind, len(payload) >> 8, len(payload) & 0xFF]) + payload


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


@contextlib.contextmanager
def audiosocket_process(
    environ: Mapping[str, str], tmp_path: Path, setting: str = "AUDIOSOCKET_PORT"
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The port and the process, killed at the end. Its output goes to audiosocket.log in the folder."""
    port = free_port()
    command = [sys.executable, "-m", "webapp.audiosocket"]
    process = start(command, tmp_path / "audiosocket.log", {**environ, setting: str(port)}, leash=True)
    try:
        wait_until(lambda: listens(port), "it listens")
        yield port, process
    finally:
        process.kill()
        process.wait()
