"""Many open pages in one process, as a web process sees them: sockets that take everything and show nothing."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PATH = "/socket.io/?EIO=4&transport=websocket"

_PART = re.compile(r'42\["snapshot",\{"part":(\d+),"of":(\d+)')
_CURSOR = re.compile(r'"cursor":"([^"]+)"')


class _Counted(ClientConnection):
    """Counts the bytes that come over the wire, compressed as they are."""

    taken = 0

    def data_received(self, data: bytes) -> None:
        self.taken += len(data)
        super().data_received(data)


@dataclass
class Viewer:
    """One page. table_s: seconds from the start of its connection to its whole table, once it has it."""

    url: str
    cookie: str = ""
    table_s: float | None = None
    rows: int = 0
    cursor: str | None = None
    batches: int = 0
    events: int = 0
    closed: str = ""
    on_event: Callable[[dict[str, Any]], None] | None = None
    _connection: _Counted | None = field(default=None, repr=False)

    @property
    def taken_bytes(self) -> int:
        """What came over the wire so far."""
        return self._connection.taken if self._connection else 0

    async def run(self) -> None:
        """Follow until cancelled or cut off; `closed` says why."""
        began = time.monotonic()
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
                        await connection.send("42" + json.dumps(["follow", {"cursor": self.cursor}]))
                    else:
                        self._take(message, began)
            self.closed = "the server closed"
        except (OSError, asyncio.IncompleteReadError) as error:
            self.closed = repr(error)
        except Exception as error:
            self.closed = repr(error)

    def _take(self, message: str, began: float) -> None:
        if part := _PART.match(message):
            self.rows = (0 if part[1] == "1" else self.rows) + message.count('"call_id":')
            if part[1] == part[2]:
                self.table_s = time.monotonic() - began
                self._reach(message)
        elif message.startswith('42["feed",'):
            told = json.loads(message[2:])[1] if self.on_event else None
            since = re.search(r'"from":"([^"]+)"', message)
            if self.cursor is None or since is None or since[1] != self.cursor:
                raise ValueError("a hole, or a part twice")
            self._reach(message)
            self.batches += 1
            self.events += message.count('"kind":')
            for event in told["events"] if told and self.on_event else []:
                self.on_event(event)

    def _reach(self, message: str) -> None:
        found = _CURSOR.search(message)
        self.cursor = found[1] if found else None


@dataclass
class Herd:
    """Viewers that come at the same moment."""

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
        """Seconds to the table, of those that have it, the quickest first."""
        return sorted(viewer.table_s for viewer in self.viewers if viewer.table_s is not None)


def percentile(values: list[float], share: float) -> float | None:
    """The smallest value that at least this share of all does not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)] if values else None
