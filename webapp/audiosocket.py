"""The process with its own ports, for AudioSocket and vosk-server's clients: python -m webapp.audiosocket

It is in the Procfile, and does nothing unless AUDIOSOCKET_PORT or VOSK_PORT is set. Neither protocol has a password,
and plain TCP cannot pass a platform's HTTP router. So the operator says where they may listen.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType

from state import logs
from state.leaving import leave
from state.settings import EXIT_CONFIG, SettingsError, load

log = logging.getLogger("earshot.audiosocket")


def main() -> int:
    """Serve until SIGTERM."""
    try:
        settings = load()
    except SettingsError as error:
        return _unfit(error)
    logs.configure(settings.log_level)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if settings.metrics_port:
        from state import metrics  # not needed by a process that only waits

        try:
            metrics.serve(settings.metrics_address, settings.metrics_port)
        except metrics.NoPort as error:
            sys.stderr.write(f"earshot audiosocket: {error}\n")
            return 1
    if settings.audiosocket_port or settings.vosk_port:
        from state import tracing
        from state.process import introduce, open_many_files
        from state.server.connection import ServerUnfit  # Redis, numpy: a process that only waits does not need them
        from webapp.streams.tcp import serve

        try:
            introduce("audiosocket")
            open_many_files()
            tracing.start("audiosocket", settings)
            serve(settings, stopping)
            tracing.stop()
        except ServerUnfit as error:
            return _unfit(error)
        except OSError as error:
            sys.stderr.write(f"earshot audiosocket: {error.filename}: {error.strerror}\n")
            return 1
    else:
        log.info("neither AUDIOSOCKET_PORT nor VOSK_PORT is set: nothing to do")
        stopping.wait()
    return 0


def _unfit(error: Exception) -> int:
    sys.stderr.write(f"earshot audiosocket: {error}\n")
    return EXIT_CONFIG


if __name__ == "__main__":
    leave(main())
