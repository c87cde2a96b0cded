"""gunicorn's settings for the web process: it has threads, because an open page occupies one and an upload waits for
Redis. gunicorn_streams_conf.py has the differences for the streams process.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from types import FrameType
from typing import Any

from state import logs, tracing
from state.leaving import leave
from state.process import introduce, introduced, open_many_files
from state.server.connection import ServerUnfit
from state.server.opening import check_store_if_there
from state.settings import EXIT_CONFIG, SettingsError, load
from webapp.app import stop, wait_for_streams
from webapp.worker import Log, Worker

try:
    _settings = load()
except SettingsError as error:
    sys.stderr.write(f"earshot web: {error}\n")
    raise SystemExit(EXIT_CONFIG) from None

logs.configure(_settings.log_level)
introduce("web")
open_many_files()


SWITCH_SECONDS = 0.05
"""Seconds a thread may compute while others wait for the interpreter. Each waiting thread asks so often. With Python's
5 ms, many threads spend more time on asking than on work. Nothing here computes that long: every read and write lets
others go first."""


def _any_address() -> str:
    """[::] accepts IPv4 too; 0.0.0.0 if the machine has no IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
    except OSError:
        return "0.0.0.0"
    return "[::]"


def bind_to(port: int) -> str:
    """This port of the address where to listen. Without authentication the process serves this machine only: see
    settings.load."""
    address = _settings.web_address
    if not address:
        address = "127.0.0.1" if _settings.auth == "off" else _any_address()
    elif ":" in address:
        address = f"[{address}]"
    return f"{address}:{port}"


bind = bind_to(_settings.port)


worker_class = Worker
logger_class = Log
threads = _settings.web_threads
# By gunicorn's own defaults, `workers` is WEB_CONCURRENCY, else 1, and `forwarded_allow_ips` is FORWARDED_ALLOW_IPS,
# else this machine only. TRUSTED_PROXIES covers proxies elsewhere (webapp/app.py).

worker_connections = threads + 1000
"""Connections that may rest between two requests, beyond the threads (telephony posts once a second)."""

keepalive = 95
"""Seconds an idle connection stays open. Heroku's router keeps one for 90, so it always closes first."""

timeout = 60
"""Seconds without a sign of life from a worker's main loop (not from a request) until gunicorn replaces it."""

graceful_timeout = 8
"""Seconds until a worker ends after SIGTERM. It must take less than 10."""

control_socket_disable = True  # web processes side by side would take it from one another
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"logfmt": {"()": "state.logs.Logfmt"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "logfmt", "stream": "ext://sys.stdout"}},
    "root": {"level": _settings.log_level.upper(), "handlers": ["console"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True}},
}


def on_starting(_server: Any) -> None:
    """End before serving if Redis is unfit, as the other processes do. If it does not answer yet, go on: /readyz says
    so, and the process refuses chunks."""
    try:
        check_store_if_there(_settings)
    except ServerUnfit as error:
        sys.stderr.write(f"earshot {introduced()}: {error}\n")
        raise SystemExit(EXIT_CONFIG) from None


def post_worker_init(worker: Any) -> None:
    """Close the sockets as soon as the worker must stop: open sockets would keep it to the last second."""
    sys.setswitchinterval(SWITCH_SECONDS)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        _before(number, lambda: stop(worker.wsgi))


_asked = threading.Event()


def worker_exit(server: Any, worker: Any) -> None:
    """End also without a signal, if somebody has killed the master: threads of open sockets would keep the process.
    Streams put the audio that they hold."""
    if getattr(worker, "wsgi", None) is not None:
        stop(worker.wsgi)
        wait_for_streams(worker.wsgi, graceful_timeout)
    tracing.stop()
    going = sys.exc_info()[1]
    if worker.pid == os.getpid() and isinstance(going, SystemExit) and isinstance(going.code, int):
        leave(going.code)


def when_ready(_server: Any) -> None:
    """Remember in gunicorn's master that somebody asked it to end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        _before(number, _asked.set)


def on_exit(_server: Any) -> None:
    """End at once if that is what was asked for; a master that gives up has a status of its own."""
    if _asked.is_set():
        leave(0)


def _before(number: signal.Signals, action: Any) -> None:
    """Do `action`, then what the present handler of signal `number` does."""
    handler: Any = signal.getsignal(number)

    def both(received: int, frame: FrameType | None) -> None:
        action()
        handler(received, frame)

    signal.signal(number, both)
