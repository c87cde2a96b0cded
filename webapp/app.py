"""The application factories: of the web process, and of the streams process, which has telephony's sockets alone.

gunicorn -c webapp/gunicorn_conf.py 'webapp.app:create_app()'
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import cast

from flask import Blueprint, Flask
from flask_socketio import SocketIO
from werkzeug.middleware.proxy_fix import ProxyFix

from state import settings as settings_module
from state import tracing
from state.server.opening import open_shards
from state.settings import Settings
from webapp.access import cookies, identity, oidc, origins, rights, sign_in
from webapp.access.doorman import Doorman
from webapp.api import (
    agents,
    calls,
    decode,
    desk,
    exports,
    handling,
    happenings,
    health,
    listen,
    posting,
    recording,
    reports,
    reviews,
    rules,
    scorecard_file,
    session,
    short_way,
    summaries,
    switch,
)
from webapp.api.admin import audit, erasing, jobs, models, operations, people, queues, webhooks
from webapp.api.documents import docs, openapi
from webapp.http import crowds, headers, language, problem_pages, problems, timed, traced
from webapp.http.arrival import Arrival
from webapp.http.audio_forms import MAX_CHUNK_BYTES
from webapp.page import admin, page_wire, pages
from webapp.page.live import Json, LiveTable
from webapp.store import Store, attach
from webapp.streams import routes
from webapp.streams.loop import Loop

log = logging.getLogger("earshot.web")

LIVE = "earshot-live"
"""Name of the web application's LiveTable in `app.extensions`."""


BLUEPRINTS = (
    posting.api,
    calls.api,
    handling.api,
    listen.api,
    recording.api,
    happenings.api,
    decode.api,
    routes.api,
    rules.api,
    agents.api,
    desk.api,
    reports.api,
    reviews.api,
    scorecard_file.api,
    summaries.api,
    exports.api,
    erasing.api,
    jobs.api,
    operations.api,
    health.api,
    health.fleet,
    models.api,
    session.api,
    audit.api,
    people.api,
    queues.api,
    switch.api,
    webhooks.api,
    pages.pages,
    admin.pages,
    docs.pages,
    sign_in.pages,
)
"""The web application's routes."""


def create_app(settings: Settings | None = None) -> Flask:
    """The web application. Reads the environment unless `settings` are given; connects on first use."""
    settings = settings or settings_module.load()
    app, here = _begin("web", BLUEPRINTS, settings)
    problem_pages.install(app)
    oidc.install(app, settings)
    socketio = _socketio(app, settings)
    app.extensions[LIVE] = LiveTable(socketio, here.reads, here.health, here.sight, partial(identity.still_in, app))
    doorman = Doorman(app.wsgi_app, socketio, settings.web_threads, partial(rights.at_the_door, app))
    decodes = int(settings.web_threads * crowds.DECODE_SHARE)
    slow = {
        identity.DECODE: crowds.Crowd(
            decodes, MAX_CHUNK_BYTES, crowds.problem(identity.DECODE, "Too many requests wait for words.")
        ),
        sign_in.PATH: crowds.Crowd(
            crowds.SIGN_INS_AT_ONCE, sign_in.MAX_FORM_BYTES, crowds.page(f"{sign_in.BUSY} Go back to do so.")
        ),
    }
    return _end(app, short_way.ShortWay(crowds.Crowds(doorman, slow), here), settings)


def create_streams_app(settings: Settings | None = None) -> Flask:
    """The same without people: telephony's sockets, and what machines ask about this process."""
    settings = settings or settings_module.load()
    app, _ = _begin("streams", (routes.api, health.api), settings)
    return _end(app, app.wsgi_app, settings)


def _begin(process: str, blueprints: tuple[Blueprint, ...], settings: Settings) -> tuple[Flask, Store]:
    """An application with these routes, and its store."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_CHUNK_BYTES
    app.url_map.merge_slashes = False  # a slightly wrong path is wrong; it is not redirected
    tracing.start(process, settings)
    here = attach(app.extensions, settings, open_shards(settings, "web"))
    timed.install(app)
    short_way.install(app)
    problems.install(app)
    headers.install(app)
    language.install(app)
    cookies.install(app)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    rights.install(app)  # a route that does not say who may call it stops the process here
    traced.install(app, settings)
    app.extensions[openapi.DOCUMENT] = openapi.build(app)  # so does one without a description
    app.extensions[routes.LOOP] = Loop()
    return app, here


def _socketio(app: Flask, settings: Settings) -> SocketIO:
    socketio = SocketIO(
        app,
        async_mode="threading",
        transports=["websocket"],
        ping_interval=20,  # seconds; proxies close a silent connection after 55 (Heroku) or 60 (nginx)
        ping_timeout=20,
        max_http_buffer_size=page_wire.MAX_MESSAGE_BYTES,
        manage_session=False,
        async_handlers=False,  # a page's messages come one after the other, not each in its own thread
        json=Json,
        cors_allowed_origins=partial(origins.is_ours, settings.public_url),
    )
    page_wire.install(socketio)
    return socketio


def _end(app: Flask, inner: Callable[..., Iterable[bytes]], settings: Settings) -> Flask:
    """`inner` with the layers between it and gunicorn."""
    app.wsgi_app = Arrival(inner)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    if settings.auth == "off":
        log.warning("AUTH=off: everybody on this machine may see and do everything")
    return app


def stop(app: Flask) -> None:
    """Close every socket soon. Safe in a signal handler."""
    if LIVE in app.extensions:
        live_table(app).stop()
    cast(Loop, app.extensions[routes.LOOP]).stop()


def wait_for_streams(app: Flask, seconds: float) -> None:
    """Wait until every stream is closed, at most so long after stop()."""
    cast(Loop, app.extensions[routes.LOOP]).join(seconds)


def live_table(app: Flask) -> LiveTable:
    """The pages' sockets of an application from create_app."""
    return cast(LiveTable, app.extensions[LIVE])
