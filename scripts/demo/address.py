"""Where scripts/run serves: whether it can listen there, and how this machine reaches it."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time


class CannotListen(RuntimeError):
    """One line that names the option to change."""


def check_port(host: str, port: int, stopping: threading.Event, patience_seconds: float) -> None:
    """Raises CannotListen if the web process could not listen there. Else it would start again and again, and we would
    take another program's answers for its own. What a killed run left may take `patience_seconds` to end."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            socket.create_server((host, port), family=_family(host), dualstack_ipv6=host == "::").close()
            return
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline and not stopping.wait(0.2):
                continue
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                raise CannotListen(f"port {port}: {os.strerror(error.errno)}; name another with --port") from None
            raise CannotListen(f"--host {host}: not an address of this machine") from None


def _family(host: str) -> socket.AddressFamily:
    """Raises OSError if the host is unknown."""
    return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][0]


def address(host: str, port: int) -> str:
    """The address at which this machine reaches what listens on `host`."""
    near = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)
    return f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}"
