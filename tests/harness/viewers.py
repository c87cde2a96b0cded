"""Many open pages in one process. To a web process they look real, but they show nothing."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from tests.harness.page import Following

PATH = "/socket.io/?EIO=4&transport=websocket"


class _Part(msgspec.Struct):
    """A part of a snapshot. The viewer counts its rows and does not read them."""

    part: int
    of: int
    cursor: str
    rows: list[msgspec.Raw]


class _Batch(msgspec.Struct):
    """A batch of the feed. The viewer counts its events and reads them only if somebody listens."""

    since: str = msgspec.field(name="from")
    cursor: str
    events: list[msgspec.Raw]


_decode_part = msgspec.json.Decoder(tuple[str, _Part]).decode
_decode_batch = msgspec.json.Decoder(tuple[str, _Batch]).decode


class _Counted(ClientConnection):
    """Counts the bytes that come over the wire, still compressed."""

    taken = 0

    def data_received(self, data: bytes) -> None:
        self.taken += len(data)
        super().data_received(data)


@dataclass
class Viewer:
    """One page. table_s: seconds from the start of its connection to its whole table, None before it has the table."""

    url: str
    cookie: str = ""
    table_s: float | None = None
    rows: int = 0
    closed: str = ""
    sees: list[str] | None = None
    on_event: Callable[[dict[str, Any]], None] | None = None
    following: Following = field(init=False, repr=False)
    _connection: _Counted | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.following = Following(self._begin, self._hear)

    @property
    def taken_bytes(self) -> int:
        """Bytes that came over the wire so far."""
        return self._connection.taken if self._connection else 0

    async def run(self) -> None:
        """Follow until cancelled or cut off. `closed` says why. A hole ends it too: this page asks only once."""
        self._began = time.monotonic()
        try:
            async with connect(
                self.url.replace("http", "ws", 1) + PATH,
                additional_headers={"Cookie": self.cookie} if self.cookie else None,
                create_connection=_Counted,
                max_size=None,
                open_timeout=120,
                ping_interval=None,
                proxy=None,
            ) as connection:
                self._connection = connection  # type: ignore[assignment]
                await connection.send("40")
                async for message in connection:
                    assert isinstance(message, str)
                    if message == "2":
                        await connection.send("3")
                    elif message.startswith("40"):
                        await connection.send("42" + json.dumps(["follow", {"cursor": self.following.cursor}]))
                        if self.sees is not None:  # otherwise it sees all
                            await connection.send("42" + json.dumps(["sees", {"calls": self.sees}]))
                    else:
                        self._take(message)
            self.closed = "the server closed"
        except Exception as error:
            self.closed = repr(error)

    def _take(self, message: str) -> None:
        if message.startswith('42["snapshot",'):
            part = _decode_part(message[2:])[1]
            self.following.part(part.part, part.of, part.cursor, part.rows)
        elif message.startswith('42["feed",'):
            batch = _decode_batch(message[2:])[1]
            if self.following.batch(batch.since, batch.cursor, batch.events) != "new":
                raise ValueError("a hole, or a part twice")

    def _begin(self, rows: list[msgspec.Raw]) -> None:
        self.table_s = time.monotonic() - self._began
        self.rows = len(rows)

    def _hear(self, events: Sequence[msgspec.Raw]) -> None:
        if self.on_event:
            for event in events:
                self.on_event(msgspec.json.decode(event))


@dataclass
class Herd:
    """Viewers that connect at the same moment."""

    viewers: list[Viewer]
    _tasks: list[asyncio.Task[None]] = field(default_factory=list, repr=False)

    async def come(self, patience_s: float) -> None:
        """Connect all, and wait until each has its table or its socket is closed."""
        self._tasks = [asyncio.create_task(viewer.run()) for viewer in self.viewers]
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and not all(v.table_s is not None or v.closed for v in self.viewers):
            await asyncio.sleep(0.05)

    async def leave(self) -> None:
        """Cut all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def served(self) -> list[float]:
        """Seconds to the table for each viewer that has it, the quickest first."""
        return sorted(viewer.table_s for viewer in self.viewers if viewer.table_s is not None)


def percentile(values: list[float], share: float) -> float | None:
    """The smallest value that is at least as large as this share of all values."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)] if values else None
