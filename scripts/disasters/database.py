"""The database of a chaos run. Ended calls move to it during the disasters. It is away at times. It is checked at the
end."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import msgspec
from sqlalchemy import select

from state.archive.opening import Archive
from state.archive.search import read_call
from state.archive.tables import calls
from state.calls.departures import Departures
from state.calls.reads import Reads
from state.server.shards import Shards
from workers.insight.redaction.masking import view

AWAY_SECONDS = (0.5, 8.0)
"""Seconds for which somebody else writes. A job waits 5 s (state/archive/opening.py). Then the call stays in Redis."""

_encode = msgspec.json.Encoder().encode


class Database:
    """An SQLite file. `url` is for the fleet."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self._path, self._dice = folder / "archive.db", dice
        self.url = f"sqlite:///{self._path}"
        self._archive = Archive(self.url)
        self._archive.prepare()
        self._busy: threading.Thread | None = None
        self._stopping = threading.Event()

    def take_away(self) -> bool:
        """A disaster: nobody else can write for a while."""
        if self._busy is not None and self._busy.is_alive():
            return False
        self._busy = threading.Thread(target=self._lock, args=(self._dice.uniform(*AWAY_SECONDS),), name="away")
        self._busy.start()
        return True

    def calm(self) -> None:
        """Let everybody write again."""
        self._stopping.set()
        if self._busy is not None:
            self._busy.join()

    def close(self) -> None:
        self.calm()
        self._archive.close()

    def wait_first(self, patience_seconds: float) -> list[str]:
        """Wait until a call is in the database, so that every run tests it. Returns complaints."""
        deadline = time.monotonic() + patience_seconds
        while not self.moved():
            if time.monotonic() > deadline:
                return [f"no call came into the database in {patience_seconds:.0f} s without any disaster"]
            time.sleep(0.2)
        return []

    def wait_moved(self, shards: Shards, stalled_seconds: float) -> list[str]:
        """Wait until no call waits for the database, as long as they become fewer. Returns complaints."""
        fewest, since = -1, time.monotonic()
        while outstanding := len(Departures(shards).outstanding()):
            if fewest < 0 or outstanding < fewest:
                fewest, since = outstanding, time.monotonic()
            if time.monotonic() - since > stalled_seconds:
                return [f"{outstanding} calls are not in the database, and none came in {stalled_seconds:.0f} s"]
            time.sleep(0.5)
        return []

    def moved(self) -> list[str]:
        """Ids of the calls in the database. A call that is there twice comes twice."""
        with self._archive.reading() as connection:
            return list(connection.execute(select(calls.c.call_id)).scalars())

    def complaints(self, shards: Shards, redact: bool) -> list[str]:
        """Faults in the database: it must have each call once, as Redis has it (masked, if `redact`), and no other."""
        found = self.moved()
        wrong = [f"{call_id} is in the database {n} times" for call_id, n in Counter(found).items() if n > 1]
        waiting, reads = set(Departures(shards).outstanding()), Reads(shards)
        for call_id in sorted(set(found) - waiting):
            kept, call = read_call(self._archive, call_id), reads.call(call_id)
            if kept is None or call is None:
                wrong.append(f"{call_id} is in the database, and not in Redis")
                continue
            said = view(call.utterances, ended=True) if redact else call.utterances
            if _encode(kept.utterances) != _encode(said) or kept.metadata != call.metadata:
                wrong.append(f"{call_id} differs in the database: {kept.utterances} {said}"[:500])
        return wrong

    def _lock(self, seconds: float) -> None:
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._stopping.wait(seconds)
        finally:
            connection.close()
