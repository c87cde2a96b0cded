"""A small fleet for benchmarks: web, decoder and sentiment on a store, as the Procfile runs them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

import redis

from scripts.machine.gauges import gauge
from scripts.machine.programs import (
    READY_SECONDS,
    WEB,
    cpu_seconds,
    end,
    family_bytes,
    family_cpu_seconds,
    start_python,
)

COMMANDS = {"web": WEB, "decoder": ("-m", "workers.decoder"), "sentiment": ("-m", "workers.sentiment")}


class Processes:
    """One of each kind of process on a store, with their costs."""

    def __init__(
        self,
        folder: Path,
        servers: dict[int, redis.Redis],
        environ: dict[str, str],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """servers: by process id, a client to each.  headers: of our requests to the web process."""
        self.headers = dict(headers or {})
        self.port = int(environ["PORT"])
        self._servers = servers
        self._processes = {
            name: start_python(command, folder / f"{name}.log", environ) for name, command in COMMANDS.items()
        }

    def stop(self) -> None:
        """SIGTERM, and wait."""
        for process in self._processes.values():
            end(process)

    def spent(self) -> dict[str, float]:
        """Processor seconds by kind of process, so far."""
        found = {name: family_cpu_seconds(process.pid) for name, process in self._processes.items()}
        return found | {"server": sum(map(cpu_seconds, self._servers))}

    def resident_megabytes(self) -> dict[str, float]:
        """Memory by kind of process, all its processes together. What they share counts once."""
        return {name: round(family_bytes(process.pid) / 1e6, 1) for name, process in self._processes.items()}

    def server_bytes(self) -> dict[str, int]:
        """Bytes that the servers have in memory, and have received and sent so far. Replicas count, too."""
        told = [client.info() for client in self._servers.values()]
        return {
            "memory": sum(int(info["used_memory"]) for info in told),
            "received": sum(int(info["total_net_input_bytes"]) for info in told),
            "sent": sum(int(info["total_net_output_bytes"]) for info in told),
        }

    def gauge(self, name: str) -> float:
        """A gauge of /metrics; -1 if it is missing."""
        told = gauge(self.port, name, self.headers)
        return -1.0 if told is None else told

    def wait(self, name: str, value: float) -> None:
        """Wait until a gauge is there and has this value."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and all(process.poll() is None for process in self._processes.values()):
            with contextlib.suppress(OSError):
                if self.gauge(name) == value:
                    return
            time.sleep(0.1)
        raise SystemExit(f"bench: a process of the fleet does not work, or {name} is never {value}")
