"""Whether a web process answers while much else is asked of it."""

from __future__ import annotations

import threading
import time

import requests


class Health:
    """Asks /healthz again and again in its own thread; `slowest` is in seconds, `asked` counts the answers."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/healthz"
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.slowest = 0.0
        self.asked = 0

    def __enter__(self) -> Health:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._enough.wait(0.05):
            began = time.monotonic()
            assert requests.get(self._url, timeout=60).ok
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.asked += 1
