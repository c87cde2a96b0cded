"""A server that speaks the page's protocol with made-up calls: for the page's tests, screenshots and load.

It serves the product's real page. It holds its calls in the memory of one process, in the form of the API. Tests have a
`World` (world.py) and say what happens in it. chatter.py makes things happen by themselves.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from flask import Flask, Response, abort, render_template, request
from flask_socketio import SocketIO
from werkzeug.serving import make_server

from tests.harness.calls.world import Json, World
from webapp.api import exports
from webapp.http import headers, language

WEBAPP = Path(__file__).resolve().parents[3] / "webapp"
BATCH_SECONDS = 0.2
FLEET_SECONDS = 2.0


class SyntheticServer:
    """Serves one World on a free port of 127.0.0.1 until closed."""

    def __init__(self, world: World, port: int = 0) -> None:
        self.world = world
        app = Flask("webapp", template_folder=str(WEBAPP / "templates"), static_folder=str(WEBAPP / "static"))
        self._socketio = SocketIO(app, async_mode="threading", transports=["websocket"])
        headers.install(app)  # with the product's content policy
        language.install(app)
        self._routes(app)
        self._server = make_server("127.0.0.1", port, app, threaded=True)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._closed = threading.Event()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        threading.Thread(target=self._broadcast, daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        self.drop_links()
        self._server.shutdown()
        self._server.server_close()

    def drop_links(self) -> None:
        """Cut every page's link, as if the web process died."""
        for link in list(self._socketio.server.eio.sockets.values()):
            link.close(wait=False, abort=True)

    def _routes(self, app: Flask) -> None:
        @app.get("/")
        def wall() -> str:
            return render_template("wall.html", listening=True)

        @app.get("/v1/calls")
        def find() -> Json:
            if "customer" in request.args:
                return {"calls": self._ended_of(request.args["customer"]), "next_cursor": None, "hits": {}}
            words = request.args["text"].lower().split()
            with self.world.lock:
                texts = {
                    call_id: " ".join(said["text"] for said in call["utterances"]).lower()
                    for call_id, call in self.world.calls.items()
                }
                found = [{"call_id": name} for name, text in texts.items() if all(word in text for word in words)]
                hits = {call["call_id"]: self._hit(call["call_id"], words) for call in found}
            return {"calls": found, "next_cursor": None, "hits": hits}

        @app.get("/v1/calls/<call_id>")
        def call(call_id: str) -> Json:
            with self.world.lock:
                if call_id not in self.world.calls:
                    abort(404)
                return copy.deepcopy(self.world.calls[call_id])

        @app.get("/v1/calls/<call_id>/summary")
        def summary(call_id: str) -> Json:
            with self.world.lock:
                call = copy.deepcopy(self.world.calls[call_id])
            told = call["summary"] or {}
            points = told.get("points", call["gist"])
            final = call["summary"] is not None
            return {"call_id": call_id, "final": final, "points": points, "by_model": told.get("by_model")}

        @app.get("/v1/calls/<call_id>/transcript.<form>")
        def transcript(call_id: str, form: str) -> Response:
            body = exports.render(self.world.view(call_id), cast(exports.Form, form))
            return Response(body, content_type=exports.MEDIA_TYPES[form])

        @self._socketio.on("connect")  # type: ignore[untyped-decorator]
        def connect() -> bool:
            return not self.world.refusing

        @self._socketio.on("follow")  # type: ignore[untyped-decorator]
        def follow(asked: Json) -> None:
            sid = request.sid  # type: ignore[attr-defined]
            with self.world.lock:
                cursor = self.world.cursor()
                events = self.world.events_after(asked["cursor"]) if asked["cursor"] else None
                self._socketio.emit("fleet", self._fleet(), to=sid)
                if events is None:
                    whole = {"part": 1, "of": 1, "rows": self.world.rows(), "cursor": cursor, "away": []}
                    self._socketio.emit("snapshot", whole, to=sid)
                elif events:
                    self._socketio.emit("feed", {"from": asked["cursor"], "cursor": cursor, "events": events}, to=sid)
                self._socketio.server.enter_room(sid, "feed")

    def _ended_of(self, customer: str) -> list[Json]:
        rows = self.world.rows()
        return [row for row in rows if row["state"] == "ended" and row["metadata"].get("customer") == customer]

    def _hit(self, call_id: str, words: list[str]) -> Json:
        said = next(s for s in self.world.calls[call_id]["utterances"] if any(w in s["text"] for w in words))
        return {"utterance_id": said["id"], **{name: said[name] for name in ("track", "start", "text")}}

    def _fleet(self) -> Json:
        return {**self.world.fleet, "server_time_ms": int(time.time() * 1000)}

    def _broadcast(self) -> None:
        sent = self.world.cursor()
        next_fleet = 0.0
        while not self._closed.wait(BATCH_SECONDS):
            if self.world.silent:
                continue
            with self.world.lock:
                events = self.world.events_after(sent) or []
                batch = {"from": sent, "cursor": self.world.cursor(), "events": events}
            sent = str(batch["cursor"])
            if events and self.world.lose_batches:
                self.world.lose_batches -= 1
            elif events:
                self._socketio.emit("feed", batch, to="feed")
            if time.monotonic() >= next_fleet:
                next_fleet = time.monotonic() + FLEET_SECONDS
                self._socketio.emit("fleet", self._fleet(), to="feed")


@contextmanager
def serving(world: World) -> Iterator[SyntheticServer]:
    server = SyntheticServer(world)
    try:
        yield server
    finally:
        server.close()
