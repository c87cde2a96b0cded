"""A server that speaks the page's protocol with made-up calls: for the page's tests, screenshots and load.

It serves the product's real page and holds its calls in one process' memory, in the form of the API. Tests hold
a `World` and say what happens in it; chatter.py makes things happen by themselves. Nothing in the product imports this.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
from flask import Flask, Response, abort, render_template, request
from flask_socketio import SocketIO
from werkzeug.serving import make_server

from state.events import FEED_EVENTS
from state.types import CallView
from webapp.api import exports
from webapp.http import headers, language
from webapp.schemas.calls import ApiStanding

STANDING = tuple(ApiStanding.__struct_fields__)
"""What an event of a score tells of the call."""

WEBAPP = Path(__file__).resolve().parents[3] / "webapp"
BATCH_SECONDS = 0.2
FLEET_SECONDS = 2.0

Json = dict[str, Any]


def iso(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{int(seconds * 1000) % 1000:03d}Z"


class World:
    """The calls and the feed. Every method is one thing that happens, seen by all pages."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.calls: dict[str, Json] = {}
        self.feed: list[tuple[int, Json]] = []
        self.count = 0
        self.fleet: Json = {"decoders": 2, "backlog_seconds": 0.4, "backlog_chunks": 1, "model": "synthetic"}
        self.silent = False
        """No `fleet` and no `feed` are sent, though the link stands."""
        self.refusing = False
        """New links are refused."""
        self.lose_batches = 0
        """So many batches are not sent though their events happened: holes for the page to notice."""

    def cursor(self) -> str:
        return f"1700000000000-{self.count}"

    def add(self, call_id: str, age: float = 0.0, **metadata: str) -> None:
        """A call begins, `age` seconds ago."""
        with self.lock:
            self.calls[call_id] = {
                "call_id": call_id,
                "state": "live",
                "started_at": iso(time.time() - age),
                "ended_at": None,
                "metadata": metadata,
                "sentiment": {"score": None, "trend": None},
                "attention": 0.0,
                "raised": False,
                "raised_at": None,
                "reasons": [],
                "alerts": [],
                "findings": [],
                "curve": [],
                "loud": [],
                "loud_since": None,
                "about": "",
                "gist": [],
                "model": None,
                "tracks": {},
                "last": None,
                "events": [],
                "handling": {
                    "state": "open",
                    "by": "",
                    "at": None,
                    "until": None,
                    "seen": None,
                    "revision": 0,
                    "notes": [],
                    "tags": [],
                    "judged": [],
                    "help": None,
                    "messages": [],
                },
                "utterances": [],
                "summary": None,
            }
            self._call_event(call_id)

    def partial(self, call_id: str, track: str, text: str, lag: float = 0.4, wordless: bool = False) -> None:
        """Words of an utterance that is still open; "" closes it. wordless: voice is heard, and gives none."""
        with self.lock:
            was = self._track(call_id, track)
            was.update(partial=text, lag_seconds=lag, wordless=wordless, decoded_seq=was["decoded_seq"] + 1)
            was["next_seq"] = was["decoded_seq"] + 1
            told = {name: was[name] for name in ("partial", "lag_seconds", "decoded_seq", "wordless")}
            self._tell("partial", call_id, {"track": track, **told})

    def final(self, call_id: str, track: str, text: str, start: float, end: float) -> str:
        """An utterance is finished. Returns its id."""
        with self.lock:
            call = self.calls[call_id]
            index = sum(1 for said in call["utterances"] if said["track"] == track)
            said = {
                "id": f"{track}:{index}",
                "track": track,
                "index": index,
                "start": start,
                "end": end,
                "text": text,
                "mark": None,
                "words": _words(text, start, end),
                "sentiment": None,
            }
            call["utterances"].append(said)
            call["utterances"].sort(key=lambda each: (each["start"], each["track"]))
            self._update_last(call)
            self._tell("final", call_id, {"utterance": copy.deepcopy(said)})
            self.partial(call_id, track, "")
            return str(said["id"])

    def score(
        self,
        call_id: str,
        utterance_id: str,
        polarity: float,
        attention: float,
        score: float | None = None,
        trend: float | None = None,
        alert: tuple[str, str] | None = None,
        reasons: tuple[str, ...] = (),
        why: tuple[str, ...] = (),
        raised: bool | None = None,
        loud: bool = False,
    ) -> None:
        """An utterance is scored, and with it the call; it is raised from an attention of 0.5 on if not said otherwise.

        why: what makes up the attention. loud: it was said in a raised voice.
        """
        with self.lock:
            call = self.calls[call_id]
            said = next(each for each in call["utterances"] if each["id"] == utterance_id)
            said["sentiment"] = {"polarity": polarity, "subjectivity": 0.5, "reasons": list(reasons)}
            call["sentiment"] = {"score": polarity if score is None else score, "trend": trend}
            call["attention"] = attention
            call["loud"] = [*call["loud"], *([utterance_id] if loud else [])]
            call["loud_since"] = said["start"] if loud else None
            call["reasons"] = [{"text": text, "at": said["end"], "utterances": [utterance_id]} for text in why]
            call["raised"] = attention >= 0.5 if raised is None else raised
            call["raised_at"] = (call["raised_at"] or said["end"]) if call["raised"] else None
            call["curve"] = [*call["curve"], [said["end"], call["sentiment"]["score"]]][-30:]
            if alert:
                call["alerts"] = [
                    *call["alerts"],
                    {"kind": alert[0], "reason": alert[1], "at": said["end"], "utterances": [utterance_id]},
                ]
            self._update_last(call)
            standing = {name: call[name] for name in STANDING}
            told = {"utterance_id": utterance_id, "sentiment": said["sentiment"], "standing": standing}
            self._tell("score", call_id, copy.deepcopy(told))

    def handle(self, call_id: str, **changed: Any) -> None:
        """A supervisor does something with the call, as `handling` is to say it then."""
        with self.lock:
            handling = self.calls[call_id]["handling"]
            handling.update(at=iso(time.time()), revision=handling["revision"] + 1, **changed)
            self._tell("handling", call_id, {"handling": copy.deepcopy(handling)})

    def line(self, call_id: str, kind: str, at: float, track: str = "", to: str = "", who: str = "") -> None:
        """The switch tells something of the line."""
        with self.lock:
            events = self.calls[call_id]["events"]
            events.append({"kind": kind, "at": at, "track": track, "to": to, "who": who})
            self._tell("line", call_id, {"events": copy.deepcopy(events)})

    def end(self, call_id: str, state: str = "ended", ago: float = 0.0) -> None:
        with self.lock:
            call = self.calls[call_id]
            call["state"] = state
            call["ended_at"] = iso(time.time() - ago) if state == "ended" else None
            self._call_event(call_id)

    def sum_up(self, call_id: str, summary: Json) -> None:
        with self.lock:
            self.calls[call_id]["summary"] = summary
            self._call_event(call_id)

    def point(self, call_id: str, part: str, utterance_id: str, text: str = "") -> None:
        """One more line of what the call is about; the page learns of it with the next score."""
        with self.lock:
            call = self.calls[call_id]
            said = next(each for each in call["utterances"] if each["id"] == utterance_id)
            where = {"at": said["start"], "utterances": [utterance_id], "track": said["track"]}
            call["gist"].append({"part": part, "text": text, "quote": said["text"], **where})
            call["about"] = said["text"] if part == "reason" else call["about"]

    def rows(self) -> list[Json]:
        with self.lock:
            hidden = ("utterances", "summary", "gist")
            rows = [{k: v for k, v in call.items() if k not in hidden} for call in self.calls.values()]
            return copy.deepcopy(rows)

    def view(self, call_id: str) -> CallView:
        """A call as the store would hold it."""
        with self.lock:
            call = copy.deepcopy(self.calls[call_id])
        for said in call["utterances"]:
            said["words"] = [list(word.values()) for word in said["words"]]
        standing = {**call, **call["sentiment"]}
        moments = {"started_at_ms": _ms(call["started_at"]), "ended_at_ms": _ms(call["ended_at"])}
        return msgspec.convert({**call, **moments, "last": None, "standing": standing}, CallView)

    def events_after(self, cursor: str) -> list[Json] | None:
        """The events after a cursor, or None if they are no longer all there."""
        with self.lock:
            after = int(cursor.partition("-")[2])
            oldest = self.feed[0][0] if self.feed else self.count + 1
            if after > self.count or after < oldest - 1:
                return None
            return [event for number, event in self.feed if number > after]

    def _track(self, call_id: str, track: str) -> Json:
        fresh = {"next_seq": 1, "decoded_seq": 0, "lag_seconds": 0.0, "partial": "", "gaps": [], "wordless": False}
        tracks: Json = self.calls[call_id]["tracks"]
        return dict.setdefault(tracks, track, fresh)

    def _update_last(self, call: Json) -> None:
        with_words = [said for said in call["utterances"] if said["text"]]
        if with_words:
            last = max(with_words, key=lambda said: (said["end"], said["track"]))
            kept = ("id", "track", "text", "start", "end", "sentiment")
            call["last"] = {name: last[name] for name in kept}

    def _call_event(self, call_id: str) -> None:
        call = self.calls[call_id]
        self._tell("call", call_id, {k: call[k] for k in ("state", "started_at", "ended_at", "metadata")})

    def _tell(self, kind: str, call_id: str, told: Json) -> None:
        self.count += 1
        self.feed.append((self.count, {"kind": kind, "call_id": call_id, **told}))
        del self.feed[:-FEED_EVENTS]


def _ms(moment: str | None) -> int | None:
    return None if moment is None else int(datetime.fromisoformat(moment).timestamp() * 1000)


def _words(text: str, start: float, end: float) -> list[Json]:
    words = text.split()
    step = (end - start) / max(1, len(words))
    return [
        {
            "word": word,
            "start": round(start + n * step, 2),
            "end": round(start + (n + 1) * step, 2),
            "conf": round(0.35 + (len(word) * 37 + n * 11) % 65 / 100, 2),
        }
        for n, word in enumerate(words)
    ]


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
        """Cuts every page's link, as a web process that dies does."""
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
