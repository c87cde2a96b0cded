"""The process that takes Asterisk's AudioSocket connections: python -m webapp.audiosocket

It is in the Procfile, and does nothing unless AUDIOSOCKET_PORT is set: AudioSocket knows no password and plain TCP
cannot pass a platform's HTTP router, so whoever wants it says where it may listen.
"""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from state import logs
from state.settings import SettingsError, load

log = logging.getLogger("earshot.audiosocket")


def main() -> int:
    """Serve until SIGTERM."""
    try:
        settings = load()
    except SettingsError as error:
        raise SystemExit(f"earshot: {error}") from None
    logs.configure(settings.log_level)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if settings.audiosocket_port:
        from webapp.streams.tcp import serve  # numpy, Redis: not for a process that only waits

        serve(settings, stopping)
    else:
        log.info("AUDIOSOCKET_PORT is not set: nothing to do")
        stopping.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
