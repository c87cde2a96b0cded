"""A real web process for tests (gunicorn as the Procfile runs it), and a page as the browser's script behaves."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psutil
import requests
import socketio

from scripts.machine.programs import WEB, children, free_port, start_python
from webapp.api.documents.asyncapi import SAID

PATIENCE_SECONDS = 30
"""How long a test waits for what takes well under a second on a quiet machine."""

ROOT = Path(__file__).parents[2]


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Return as soon as `holds()` is true. Fails, naming `what`, if it does not become so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s in vain: {what}"
        time.sleep(0.02)


CONF = "webapp/gunicorn_conf.py"


@dataclass
class Web:
    """A gunicorn on 127.0.0.1; `output` is its log, `conf` what it is told of itself."""

    redis_url: str
    output: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    conf: str = CONF
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until /healthz answers."""
        environ = {"REDIS_URL": self.redis_url, "PORT": str(self.port), **self.environ}
        arguments = [self.conf if part == CONF else part for part in WEB]
        self.process = start_python(arguments, self.output, environ)
        wait_until(self._serves, f"the web process serves; see {self.output}")

    def _serves(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.output.read_text()[-3000:]
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    @property
    def worker_pid(self) -> int:
        """Process id of gunicorn's one worker."""
        assert self.process is not None
        [worker] = children(self.process.pid)
        return worker

    def terminate(self, patience_seconds: float) -> int:
        """SIGTERM; returns the exit status. Raises subprocess.TimeoutExpired if it takes longer."""
        assert self.process is not None
        self.process.terminate()
        status = self.process.wait(patience_seconds)
        self.process = None
        return status

    def kill(self) -> None:
        """SIGKILL to the master and every worker, as a crash of the machine."""
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
    """A running web process, killed at the end. Everybody may do everything, unless `environ` says otherwise."""
    web = Web(redis_url, output, {"WEB_THREADS": "16", "AUTH": "off", **environ}, conf)
    try:
        web.start()
        yield web
    finally:
        web.kill()


def reaches(ours: str, theirs: str) -> bool:
    """Whether who was told all up to cursor `ours` was told all up to `theirs`, in every shard."""

    def ids(cursor: str) -> list[tuple[int, ...]]:
        return [tuple(map(int, re.split("[.+]", part)[0].split("-"))) for part in cursor.split(",")]

    return all(our >= their for our, their in zip(ids(ours), ids(theirs), strict=True))


class Page:
    """A page: snapshot, batches by cursor, `follow` again at a hole and after every reconnection.

    It takes every message by the types of the document for programs (webapp/api/documents/asyncapi.py). At the end it
    fails if one does not fit.

    told: every (kind, call_id) that an event brought, in order. rows: those of the last snapshot.
    certificate: a file, for a site whose certificate nobody else knows.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, certificate: str = "") -> None:
        self.cursor: str | None = None
        self.rows: list[dict[str, Any]] = []
        self.snapshots = 0
        self.told: list[dict[str, Any]] = []
        self.fleets: list[dict[str, Any]] = []
        self.disconnections = 0
        self._parts: list[dict[str, Any]] = []
        self._faults: list[str] = []
        self._lock = threading.RLock()
        web = requests.Session()
        web.verify = certificate or True
        self._client = socketio.Client(
            http_session=web, reconnection_delay=0.1, reconnection_delay_max=0.3, handle_sigint=False
        )
        self._client.on("connect", self._follow)
        self._client.on("disconnect", self._cut_off)
        for name, handler in (("snapshot", self._part), ("feed", self._batch), ("fleet", self.fleets.append)):
            self._client.on(name, partial(self._checked, name, handler))
        self._client.connect(url, headers=dict(headers or {}), transports=["websocket"])

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.shutdown()
        assert not self._faults, self._faults[:3]

    @property
    def calls(self) -> list[str]:
        """Calls it knows, in the order it learned of them."""
        seen = [row["call_id"] for row in self.rows] + [event["call_id"] for event in self.told]
        return list(dict.fromkeys(seen))

    def follow_from(self, cursor: str) -> None:
        """Follow as if `cursor` were the last thing it has seen."""
        with self._lock:
            self.cursor = cursor
            self._follow()

    def _checked(self, name: str, handler: Callable[[dict[str, Any]], None], told: dict[str, Any]) -> None:
        try:
            msgspec.convert(told, SAID[name])
        except msgspec.ValidationError as error:
            self._faults.append(f"{name}: {error}")
        handler(told)

    def _cut_off(self, *_: object) -> None:
        self.disconnections += 1

    def _follow(self) -> None:
        self._client.emit("follow", {"cursor": self.cursor})

    def _part(self, told: dict[str, Any]) -> None:
        with self._lock:
            self._parts = [*(self._parts if told["part"] > 1 else []), told]
            if told["part"] == told["of"]:
                self.rows, self.told = [row for part in self._parts for row in part["rows"]], []
                self.cursor = told["cursor"]
                self.snapshots += 1

    def _batch(self, batch: dict[str, Any]) -> None:
        with self._lock:
            if self.cursor is None or not reaches(self.cursor, batch["from"]):
                self._follow()
            elif not reaches(self.cursor, batch["cursor"]):
                self.told += batch["events"]
                self.cursor = batch["cursor"]
