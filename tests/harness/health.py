"""Whether a web process answers while much else is asked of it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future

import requests

from scripts.machine.programs import cpu_seconds
from tests.harness.beside import beside


class Health:
    """Asks /healthz again and again. It fails at the end if one answer was not 200.

    asked: counts the answers. slowest: seconds that the slowest took. most_work: the most processor seconds that the
    process `pid` spent while one waited. A busy machine makes an answer slower, but not this.
    """

    def __init__(self, url: str, pid: int) -> None:
        self._url, self._pid = f"{url}/healthz", pid
        self._enough = threading.Event()
        self._asking: Future[None]
        self.slowest = self.most_work = 0.0
        self.asked = 0

    def __enter__(self) -> Health:
        self._asking = beside(self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._asking.result()

    def _ask(self) -> None:
        while not self._enough.wait(0.05):
            began, worked = time.monotonic(), cpu_seconds(self._pid)
            assert requests.get(self._url, timeout=60).ok
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.most_work = max(self.most_work, cpu_seconds(self._pid) - worked)
            self.asked += 1
