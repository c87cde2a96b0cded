"""The application factory.

gunicorn -c webapp/gunicorn_conf.py 'webapp.app:create_app()'
"""

from __future__ import annotations

from typing import cast

import redis as redis_py
from flask import Flask
from flask_socketio import SocketIO

from state import settings as settings_module
from state.connection import connect
from state.settings import Settings
from webapp import api_agents, api_calls, api_health, api_rules, exports, headers, openapi, pages, problems
from webapp.audio_forms import MAX_CHUNK_BYTES
from webapp.doorman import Doorman
from webapp.live import LiveTable
from webapp.store import attach

LIVE = "earshot-live"
"""Under this name in `app.extensions`: the application's LiveTable."""

MAX_SAID_BYTES = 4096
"""A page only ever says `follow` with a cursor."""


def create_app(settings: Settings | None = None, redis: redis_py.Redis | None = None) -> Flask:
    """The web application. Reads the environment unless `settings` are given; connects on first use."""
    settings = settings or settings_module.load()
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_CHUNK_BYTES
    app.url_map.merge_slashes = False  # a path that is slightly wrong is wrong, not redirected
    here = attach(app.extensions, settings, redis or connect(settings, "web"))
    problems.install(app)
    headers.install(app)
    for blueprint in (api_calls.api, api_rules.api, api_agents.api, exports.api, api_health.api, pages.pages):
        app.register_blueprint(blueprint)
    openapi.build(app)  # a route that is not described stops the process here
    socketio = SocketIO(
        app,
        async_mode="threading",
        transports=["websocket"],
        ping_interval=20,  # seconds; proxies close a silent connection after 55 (Heroku) or 60 (nginx)
        ping_timeout=20,
        max_http_buffer_size=MAX_SAID_BYTES,
        manage_session=False,
    )
    app.extensions[LIVE] = LiveTable(socketio, here.redis, here.reads)
    app.wsgi_app = Doorman(app.wsgi_app, socketio, settings.web_threads)  # type: ignore[method-assign]
    return app


def live_table(app: Flask) -> LiveTable:
    """The sockets of an application that create_app made."""
    return cast(LiveTable, app.extensions[LIVE])
