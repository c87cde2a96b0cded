"""A real web or streams process for tests: gunicorn as the Procfile runs it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from scripts.machine.programs import STREAMS, WEB, children, free_port, start

PATIENCE_SECONDS = 30
"""Seconds that a test waits for what takes well under a second on a quiet machine."""

START_SECONDS = 120
"""Seconds that a web process may take to start: 1.3 s of processor time, but beside many other tests."""

ROOT = Path(__file__).parents[2]


def wait_until(holds: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return as soon as `holds()` is true. If it does not become true in time, fail and name `what`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.02)


CONF = "webapp/gunicorn_conf.py"
OPEN = {"WEB_THREADS": "16", "AUTH": "off"}


@dataclass
class Web:
    """A gunicorn on 127.0.0.1. output: its log. conf: its configuration. streams: it takes only telephony's
    websockets."""

    redis_url: str
    output: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    conf: str = CONF
    port: int = field(default_factory=free_port)
    streams: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until /healthz answers."""
        listens = {"STREAMS_PORT" if self.streams else "PORT": str(self.port)}
        environ = {"REDIS_URL": self.redis_url, **listens, **self.environ}
        arguments = [self.conf if part == CONF else part for part in (STREAMS if self.streams else WEB)]
        self.process = start([sys.executable, *arguments], self.output, environ, leash=True)
        wait_until(self._serves, f"the web process serves; see {self.output}", START_SECONDS)

    def _serves(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.output.read_text()[-3000:]
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()  # costs a fortieth of a request that fails
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        except OSError:  # all errors of requests are OSErrors
            return False

    @property
    def worker_pid(self) -> int:
        """Process id of gunicorn's one worker."""
        assert self.process is not None
        [worker] = children(self.process.pid)
        return worker

    def terminate(self, patience_seconds: float) -> int:
        """SIGTERM. Returns the exit status. Raises subprocess.TimeoutExpired if it takes longer."""
        assert self.process is not None
        self.process.terminate()
        status = self.process.wait(patience_seconds)
        self.process = None
        return status

    def kill(self) -> None:
        """SIGKILL to the master and every worker, as if the machine crashed."""
        if self.process is None:
            return
        family = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        self.process.kill()
        for child in family:
            child.kill()
        self.process.wait(10)
        psutil.wait_procs(family, 10)
        self.process = None


@contextmanager
def web_process(redis_url: str, output: Path, conf: str = CONF, **environ: str) -> Iterator[Web]:
    """A running web process, killed at the end. Everybody may do everything unless `environ` says otherwise."""
    with _running(Web(redis_url, output, {**OPEN, **environ}, conf)) as web:
        yield web


@contextmanager
def streams_process(redis_url: str, output: Path, **environ: str) -> Iterator[Web]:
    """A running process for telephony's websockets alone, killed at the end."""
    with _running(Web(redis_url, output, {**OPEN, **environ}, streams=True)) as streams:
        yield streams


Process = Callable[..., AbstractContextManager[Web]]
"""web_process or streams_process."""


@contextmanager
def _running(web: Web) -> Iterator[Web]:
    try:
        web.start()
        yield web
    finally:
        web.kill()
