"""One server of the cluster on loopback (tests/harness/cluster.py): options, life and address."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import redis

from scripts.machine.programs import start
from tests.harness.link import Link

NODE_TIMEOUT_MS = 2000
"""Milliseconds without an answer after which a node counts as dead. Its replica takes over about a second later."""

WAIT_SECONDS = 60.0
"""Seconds to wait for what the cluster does by itself. That takes 1 to 5 s, and longer on a busy machine."""

OPTIONS = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": str(NODE_TIMEOUT_MS),
    "cluster-replica-validity-factor": "0",  # a replica takes over however long it was cut off
    "cluster-require-full-coverage": "no",  # other shards go on when one is away
    "cluster-allow-replica-migration": "no",  # replicas stay where the tests expect them
    "repl-diskless-sync-delay": "0",
    "repl-ping-replica-period": "1",
    "appendonly": "yes",  # a master that comes back before its replacement must not come back empty
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
    "protected-mode": "no",  # it listens on loopback alone
}


@dataclass
class Node:
    """One server of the cluster. It announces `port` and `bus_port`: those of its links, or its own."""

    number: int
    folder: Path
    command: list[str]
    own_port: int
    port: int
    bus_port: int
    links: tuple[Link, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    stopped: bool = False
    id: str = ""

    @property
    def host(self) -> str:
        """Its address. No other node has it."""
        return address(self.number)

    @property
    def alive(self) -> bool:
        """Whether it runs and is not paused."""
        return self.process is not None and self.process.poll() is None and not self.stopped

    @property
    def url(self) -> str:
        """A REDIS_URL that names this node."""
        return f"redis://{self.host}:{self.port}/0"

    def client(self) -> redis.Redis:
        """A new client to this node itself, past its link. It follows no redirection and never retries."""
        return redis.Redis(self.host, self.own_port, protocol=2, retry=None, socket_timeout=10, decode_responses=True)

    def start(self) -> None:
        """Start it, or start it again with the data in its folder, and wait until it answers."""
        self.process = start(self.command, self.folder / "server.log", leash=True)
        wait(self._answers, f"node {self.number} answers; its log: {self.folder / 'server.log'}")

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.stopped = False

    def pause(self) -> None:
        """SIGSTOP: its connections stay, but it does not answer. When it wakes up, it knows nothing of the pause."""
        if self.alive and self.process is not None:
            self.process.send_signal(signal.SIGSTOP)
            self.stopped = True

    def resume(self) -> None:
        """SIGCONT."""
        if self.process is not None and self.stopped:
            self.process.send_signal(signal.SIGCONT)
        self.stopped = False

    def _answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"node {self.number} ended: {(self.folder / 'server.log').read_text()[-500:]}")
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False


def address(number: int) -> str:
    """The loopback address of a node. On Linux all of 127.0.0.0/8 is the machine itself, without any set-up."""
    return f"127.0.0.{21 + number}"


def free_ports(host: str, count: int) -> Sequence[int]:
    """Ports of this address that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((host, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def wait(what: Callable[[], bool], why: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait until it is true. Raises TimeoutError with `why` if that takes too long."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in {seconds:.0f} s: {why}")
        time.sleep(0.05)
