"""Senders that go on whatever happens to the fleet, as docs/PROTOCOL.md says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from state.calls.ingest import Ingest
from state.server.shards import Shards
from state.settings import Settings
from tests.harness.beside import beside
from tests.harness.protocol import chunk


class Sender:
    """Posts chunk after chunk of some calls, as a good sender does, until it must stop."""

    def __init__(self, ingest: Ingest, call_ids: list[str]) -> None:
        self._ingest, self._call_ids = ingest, call_ids
        self._stopping = threading.Event()
        self.sent = 0
        self.refused: list[redis.RedisError] = []
        self._posting = beside(self._run)

    def stop(self) -> int:
        """Stop. Returns the number of each call's last chunk. Fails if an answer was none that a sender may get."""
        self._stopping.set()
        self._posting.result()
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
            assert answer.outcome == "GAP", answer  # the new master did not get the last ones
            for again in range(answer.next_seq, seq):
                self._post(call_id, again)


@contextmanager
def calls_beginning(store: Shards | redis.Redis) -> Iterator[list[str]]:
    """Declare about a hundred calls a second, whatever happens to the web. Yields the list of them as it grows."""
    ingest, enough = Ingest(store, Settings()), threading.Event()
    made: list[str] = []

    def declare() -> None:
        while not enough.wait(0.01):
            call_id = f"call-{len(made)}"
            ingest.create(call_id, ["customer"], {})
            made.append(call_id)

    declaring = beside(declare)
    try:
        yield made
    finally:
        enough.set()
        declaring.result()
