"""A TCP link that can be cut in the worst way: the request arrives, and the reply is lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Coroutine
from typing import Any

MUTE_SECONDS = (0.02, 0.3)
"""Seconds that a cut connection still takes requests before both ends see it closed."""


class Link:
    """Forwards connections from `port` of `host` to `port_behind` of `host`, on its own thread."""

    def __init__(self, port_behind: int, host: str = "127.0.0.1") -> None:
        self.port_behind = port_behind
        self._host = host
        self._refused: set[str] = set()
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link", daemon=True)
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._accept, host, 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut(self, share: float, dice: random.Random) -> int:
        """Cut this share of the connections (0..1). Returns how many."""
        return int(self._do(self._cut(share, dice)))

    def refuse(self, addresses: set[str]) -> None:
        """From now on refuse exactly these addresses."""
        self._do(self._refuse(addresses))

    def close(self) -> None:
        """Stop forwarding."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _cut(self, share: float, dice: random.Random) -> int:
        chosen = [connection for connection in self._connections if dice.random() < share]
        for connection in chosen:
            connection.muted = True
            self._loop.call_later(dice.uniform(*MUTE_SECONDS), connection.close)
        return len(chosen)

    async def _refuse(self, addresses: set[str]) -> None:
        self._refused = addresses
        for connection in list(self._connections):
            if connection.peer in addresses:
                connection.close()

    async def _close(self) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.close()
        while self._connections:
            await asyncio.sleep(0.01)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if writer.get_extra_info("peername")[0] in self._refused:
                raise ConnectionRefusedError
            behind_reader, behind_writer = await asyncio.open_connection(self._host, self.port_behind)
        except OSError:
            writer.close()
            return
        connection = _Connection(writer, behind_writer)
        self._connections.add(connection)
        try:
            await asyncio.gather(
                connection.pump(reader, behind_writer, replies=False),
                connection.pump(behind_reader, writer, replies=True),
            )
        finally:
            self._connections.discard(connection)


class _Connection:
    """Both directions of one connection."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.muted = False
        self.peer: str = client.get_extra_info("peername")[0]
        self._ends = (client, server)

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, replies: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not (replies and self.muted):
                    writer.write(data)
                    await writer.drain()
        self.close()

    def close(self) -> None:
        for end in self._ends:
            with contextlib.suppress(OSError, RuntimeError):
                end.close()
