"""gunicorn's settings for the streams process: as for the web process, with another port, and one more for its
figures."""

from __future__ import annotations

import sys
from typing import Any

from state import metrics
from state.process import introduce
from state.settings import load
from webapp import gunicorn_conf
from webapp.gunicorn_conf import *  # noqa: F403

_settings = load()
introduce("streams")
bind = gunicorn_conf.bind_to(_settings.streams_port)


def on_starting(server: Any) -> None:  # type: ignore[no-redef]
    """As the web process, and show the figures before there is any worker."""
    gunicorn_conf.on_starting(server)
    if _settings.metrics_port:
        try:
            metrics.serve(_settings.metrics_address, _settings.metrics_port)
        except metrics.NoPort as error:
            sys.stderr.write(f"earshot streams: {error}\n")
            raise SystemExit(1) from None
