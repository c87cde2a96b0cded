"""How gunicorn runs the web process: threads, because an open page keeps one and an upload waits for Redis."""

from __future__ import annotations

import contextlib
import signal
import socket
import struct
import sys
from types import FrameType
from typing import Any

from gunicorn.util import close_graceful
from gunicorn.workers.gthread import _DEFER, ThreadWorker

from state import logs
from state.server.connection import ServerUnfit
from state.server.opening import check_store_if_there
from state.settings import EXIT_CONFIG, SettingsError, load
from webapp.app import stop

try:
    _settings = load()
except SettingsError as error:
    sys.stderr.write(f"earshot web: {error}\n")
    raise SystemExit(EXIT_CONFIG) from None

logs.configure(_settings.log_level)


SWITCH_SECONDS = 0.05
"""How long a thread may compute while others wait for the interpreter. Each that waits asks so often, so that 200
sockets' threads spend more on asking than on audio with Python's 5 ms (measured: 83 % of the audio taken in time
instead of all). Nothing here computes for so long: every read and write lets others go first."""


def _any_address() -> str:
    """[::] takes IPv4 too; 0.0.0.0 where the machine has no IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
    except OSError:
        return "0.0.0.0"
    return "[::]"


def _address() -> str:
    """Where to listen. Without authentication only this machine is served: see settings.load."""
    if not _settings.web_address:
        return "127.0.0.1" if _settings.auth == "off" else _any_address()
    return f"[{_settings.web_address}]" if ":" in _settings.web_address else _settings.web_address


bind = f"{_address()}:{_settings.port}"


SILENT_SECONDS = 20
"""A sender that stops in the middle of a request is given up after so long: until then it keeps a thread."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """gthread, but that a request is not waited for for ever, and that its own thread waits for its peer to close the
    connection, as HTTP wants it.

    gunicorn waits in the main loop, 2 s for each: 30 streams that vanish at once, or a stranger who leaves connections
    open, would let nobody in for a minute, and then the worker is taken for dead.
    """

    def handle(self, conn: Any) -> Any:
        if not conn.initialized and not conn.wait_for_data(0.0):
            return _DEFER  # nothing came yet: the main loop waits for it; gunicorn keeps a thread for 5 s first
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SILENT_SECONDS, 0))
        goes_on = super().handle(conn)
        if goes_on is False:
            with contextlib.suppress(OSError):
                close_graceful(conn.sock.dup())
                conn.sock.shutdown(socket.SHUT_RDWR)  # so that the main loop finds nothing to wait for
        return goes_on


worker_class = Worker
threads = _settings.web_threads
# `workers` is WEB_CONCURRENCY, else 1, by gunicorn's own default. `forwarded_allow_ips` likewise is
# FORWARDED_ALLOW_IPS, else this machine only; TRUSTED_PROXIES says it for proxies elsewhere (webapp/app.py).

worker_connections = threads + 1000
"""Beyond the threads, this many connections may rest between two requests (telephony posts once a second)."""

keepalive = 95
"""Seconds; above the 90 for which Heroku's router keeps a connection, so that it is never the one surprised."""

timeout = 60
"""Seconds without a sign of life from a worker's main loop (not: of a request) before it is replaced."""

graceful_timeout = 8
"""Seconds; SIGTERM is to be obeyed in under 10."""

control_socket_disable = True  # web processes side by side would take it from each other
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"logfmt": {"()": "state.logs.Logfmt"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "logfmt", "stream": "ext://sys.stdout"}},
    "root": {"level": _settings.log_level.upper(), "handlers": ["console"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True}},
}


def on_starting(_server: Any) -> None:
    """End before anything is served if Redis is unfit, as the other processes do. If it does not answer yet, go on:
    /readyz says so, and chunks are refused."""
    try:
        check_store_if_there(_settings)
    except ServerUnfit as error:
        sys.stderr.write(f"earshot web: {error}\n")
        raise SystemExit(EXIT_CONFIG) from None


def post_worker_init(worker: Any) -> None:
    """Close the sockets as soon as the worker is told to stop: open ones would keep it to the last second."""
    sys.setswitchinterval(SWITCH_SECONDS)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        _before(number, lambda: stop(worker.wsgi))


def worker_exit(server: Any, worker: Any) -> None:
    """Also when no signal came (the master was killed): threads of open sockets would keep the process."""
    if getattr(worker, "wsgi", None) is not None:
        stop(worker.wsgi)


def _before(number: signal.Signals, action: Any) -> None:
    """Do `action`, then what the handler of signal `number` does so far."""
    handler: Any = signal.getsignal(number)

    def both(received: int, frame: FrameType | None) -> None:
        action()
        handler(received, frame)

    signal.signal(number, both)
