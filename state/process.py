"""What this process is, and what it needs from the system. The store's list of clients shows each with its type and
version."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import resource
import socket
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
_type = "command"


class ProcessName(NamedTuple):
    """type: as in the Procfile, or "command". version: names its source. host, pid: which one it is."""

    type: str
    version: str
    host: str
    pid: int


def introduce(process: str) -> None:
    """Say what this process is, before it connects."""
    global _type  # noqa: PLW0603 (one a process)
    _type = process


def introduced() -> str:
    """What this process has said it is."""
    return _type


def open_many_files() -> None:
    """Let this process open as many files as the system allows. Most systems begin with 1,024: no room for a thousand
    sockets."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # not every system keeps its word
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def client_name() -> str:
    """The name of this process's connections: earshot:<type>:<version>:<host>:<pid>, without spaces."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())
    return f"earshot:{_type}:{version()}:{host}:{os.getpid()}"


def read_client_name(name: str) -> ProcessName | None:
    """The process that has a connection of this name; None if it is none of ours."""
    found = re.fullmatch(r"earshot:([a-z]+):([0-9a-f]+):([A-Za-z0-9.-]+):(\d{1,10})", name)
    return ProcessName(found[1], found[2], found[3], int(found[4])) if found else None


@cache
def version() -> str:
    """Eight characters that name the source of state/, workers/ and webapp/: other code, another version."""
    digest = hashlib.blake2b(digest_size=4)
    for folder in ("state", "workers", "webapp"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".lua") and "node_modules" not in path.parts:
                digest.update(path.read_bytes())
    return digest.hexdigest()
