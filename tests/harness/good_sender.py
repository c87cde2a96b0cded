"""Senders that go on whatever becomes of the fleet, as docs/PROTOCOL.md wants it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from state.calls.ingest import Ingest
from state.server.shards import Shards
from state.settings import Settings
from tests.harness.protocol import chunk


class Sender:
    """Posts chunk after chunk of some calls, as a good sender does, until it is told to stop."""

    def __init__(self, ingest: Ingest, call_ids: list[str]) -> None:
        self._ingest, self._call_ids = ingest, call_ids
        self._stopping = threading.Event()
        self.sent = 0
        self.refused: list[redis.RedisError] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> int:
        """The number of the last chunk of each call."""
        self._stopping.set()
        self._thread.join()
        return self.sent

    def _run(self) -> None:
        while not self._stopping.is_set():
            for call_id in self._call_ids:
                self._post(call_id, self.sent + 1)
            self.sent += 1

    def _post(self, call_id: str, seq: int) -> None:
        while True:
            try:
                answer = self._ingest.put(call_id, "t", seq, chunk(seq))
            except redis.RedisError as error:
                self.refused.append(error)
                time.sleep(0.02)
                continue
            if answer.outcome in ("OK", "DUP"):
                return
            assert answer.outcome == "GAP", answer  # the successor had not heard of the last ones
            for again in range(answer.next_seq, seq):
                self._post(call_id, again)


@contextmanager
def calls_beginning(store: Shards | redis.Redis) -> Iterator[list[str]]:
    """Declare about a hundred calls a second, whatever happens to the web; yields the list of them as it grows."""
    ingest, enough = Ingest(store, Settings()), threading.Event()
    made: list[str] = []

    def declare() -> None:
        while not enough.wait(0.01):
            call_id = f"call-{len(made)}"
            ingest.create(call_id, ["customer"], {})
            made.append(call_id)

    thread = threading.Thread(target=declare)
    thread.start()
    try:
        yield made
    finally:
        enough.set()
        thread.join()
