"""What this process is, and what it needs from the system. The store's list of clients shows each with its type and
version."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import resource
import socket
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

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


SPARE_FILES = 128
"""At most so many descriptors that connections from outside leave to the store's connections (64 unless set otherwise),
the database's and files."""


def accept(listener: socket.socket) -> tuple[socket.socket, Any]:
    """Accept a connection, and leave some descriptors to the calls that are here.

    Returns:
        What socket.accept returns.

    Raises:
        OSError: as socket.accept does; with EMFILE while only the last descriptors are free. Whoever waits to be
            accepted waits on.
    """
    lowest_free = os.dup(listener.fileno())
    os.close(lowest_free)
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and lowest_free >= most - min(SPARE_FILES, most // 2):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return listener.accept()


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
