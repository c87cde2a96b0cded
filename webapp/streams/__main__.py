"""The process for telephony's websockets alone: python -m webapp.streams

gunicorn answers its requests as it does the web process's, and the same code takes over the sockets. So pages and
calls do not hold up each other. Without STREAMS_PORT it has nothing to do: every web process takes the same sockets at
the same addresses. That is enough on a platform whose router only reaches web.
"""

from __future__ import annotations

import logging
import os
import signal
import sys

from state import logs
from state.leaving import leave
from state.settings import EXIT_CONFIG, SettingsError, load

GUNICORN = ("-m", "gunicorn", "-c", "webapp/gunicorn_streams_conf.py", "webapp.app:create_streams_app()")

STOPS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Become gunicorn; or wait for SIGTERM."""
    try:
        settings = load()
    except SettingsError as error:
        sys.stderr.write(f"earshot streams: {error}\n")
        return EXIT_CONFIG
    if settings.streams_port:
        os.execv(sys.executable, [sys.executable, *GUNICORN])
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    logs.configure(settings.log_level)
    logging.getLogger("earshot.streams").info("STREAMS_PORT is not set: nothing to do")
    signal.sigwait(STOPS)
    return 0


if __name__ == "__main__":
    leave(main())
