"""A fleet for benchmarks: an embedded server and one decoder process, with their costs."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scripts.machine.programs import READY_SECONDS, cpu_seconds, family_bytes, family_cpu_seconds
from scripts.machine.server import EmbeddedServer
from state.settings import Settings
from tests.harness.fleet import Fleet
from tests.harness.places import Place


class BenchFleet(Fleet):
    """A fleet that also tells the processor seconds of the decoder with its loops, and of the server."""

    def __init__(self, server: EmbeddedServer, logs: Path, loops: int, **environ: str) -> None:
        usual = {"HEARTBEAT_SECONDS": str(Settings().heartbeat_seconds)}
        super().__init__(Place({"REDIS_URL": server.url}), logs, **usual, **environ)
        self._server_pid = server.pid
        self._decoder = self.start("decoder", DECODER_LOOPS=str(loops))
        self.wait(lambda: self._decoder.poll() is not None or self.health.fleet().decoders >= loops, READY_SECONDS)
        if self._decoder.poll() is not None:
            raise SystemExit(f"bench: no decoder: {(logs / 'decoder-0.log').read_text()[-500:]}")

    def decoder_cpu_seconds(self) -> float:
        """Processor seconds so far of the decoder process, its decode loops, and their children."""
        return family_cpu_seconds(self._decoder.pid)

    def decoder_bytes(self) -> int:
        """Bytes of memory of these processes now."""
        return family_bytes(self._decoder.pid)

    def utterances_open(self) -> int:
        """Number of the decode loops' processes for open utterances."""
        return len(self.utterances(self._decoder))

    def server_cpu_seconds(self) -> float:
        """Processor seconds of the server so far."""
        return cpu_seconds(self._server_pid)


@contextlib.contextmanager
def fleet(loops: int, **environ: str) -> Iterator[BenchFleet]:
    """A fleet that is ready to decode. Everything stops at the end."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "server")
        running = None
        try:
            running = BenchFleet(server, Path(folder), loops, **environ)
            yield running
        finally:
            if running is not None:
                running.stop()
            server.stop()
