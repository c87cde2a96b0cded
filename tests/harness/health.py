"""Whether a web process answers while much else is asked of it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future

import requests

from tests.harness.beside import beside


class Health:
    """Asks /healthz again and again. `slowest` is in seconds, `asked` counts the answers. It fails at the end if one
    answer was not 200."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/healthz"
        self._enough = threading.Event()
        self._asking: Future[None]
        self.slowest = 0.0
        self.asked = 0

    def __enter__(self) -> Health:
        self._asking = beside(self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._asking.result()

    def _ask(self) -> None:
        while not self._enough.wait(0.05):
            began = time.monotonic()
            assert requests.get(self._url, timeout=60).ok
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.asked += 1
