"""Start and end of every worker process: settings, logs, signals, exit status."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from state import logs, metrics, settings
from state.leaving import leave
from state.process import introduce
from state.server.connection import ServerUnfit
from state.settings import EXIT_CONFIG, Settings, SettingsError
from workers.engines.base import ModelUnusable

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Becomes true at SIGTERM or SIGINT, and when the parent this process was forked from is gone."""

    def __init__(self, watch_parent: bool = False) -> None:
        self._asked = False
        self._parent = os.getppid() if watch_parent else None
        self.listen()

    def listen(self) -> None:
        """Hear the signals, again after `die_at_once`."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._ask)

    @staticmethod
    def die_at_once() -> None:
        """Let signals end the process on the spot, while it does nothing that anybody would miss."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def __call__(self) -> bool:
        return self._asked or (self._parent is not None and os.getppid() != self._parent)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True


def start(name: str, body: Callable[[Settings], int | None]) -> NoReturn:
    """Read the settings, set up the logs, run a process's body, and end with its exit status.

    A wrong setting, an unfit server or an unusable model ends it with one line on stderr and EXIT_CONFIG.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: leave(0))  # until the body listens for itself, there is nothing to finish
    try:
        introduce(name)
        values = settings.load()
        logs.configure(values.log_level)
        logging.getLogger(f"earshot.{name}").info("starting", extra=settings.describe(values))
        if values.metrics_port:
            metrics.serve(values.metrics_address, values.metrics_port)
        status = body(values) or 0
    except metrics.NoPort as error:
        sys.stderr.write(f"earshot {name}: {error}\n")
        status = 1
    except (SettingsError, ServerUnfit, ModelUnusable) as error:
        sys.stderr.write(f"earshot {name}: {error}\n")
        status = EXIT_CONFIG
    leave(status)
