"""Made-up calls, and what the feed and the API say of them."""

from __future__ import annotations

import copy
import threading
import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from state.events import FEED_EVENTS
from state.views import CallView
from webapp.schemas.calls import ApiStanding

STANDING = tuple(ApiStanding.__struct_fields__)
"""What a score's event says of the call."""
Json = dict[str, Any]


def iso(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{int(seconds * 1000) % 1000:03d}Z"


class World:
    """The calls and the feed. Each method is one thing that happens, and all pages see it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.calls: dict[str, Json] = {}
        self.feed: list[tuple[int, Json]] = []
        self.count = 0
        self.fleet: Json = {"decoders": 2, "backlog_seconds": 0.4, "backlog_chunks": 1, "model": "synthetic"}
        self.silent = False
        """Whether the server sends no `fleet` and no `feed`, though the link stands."""
        self.refusing = False
        """Whether the server refuses new links."""
        self.lose_batches = 0
        """Batches that the server will not send though their events happened. The page must notice the hole."""

    def cursor(self) -> str:
        return f"1700000000000-{self.count}"

    def add(self, call_id: str, age: float = 0.0, **metadata: str) -> None:
        """A call began `age` seconds ago."""
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
        """Words of an utterance that is still open. "" closes it. wordless: there is voice, but it gives no words."""
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
        """An utterance is scored, and with it the call. From an attention of 0.5 on the call is raised, unless `raised`
        says otherwise.

        why: the reasons for the attention. loud: it was said in a raised voice.
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
        """A supervisor does something with the call. changed: the new fields of `handling`."""
        with self.lock:
            handling = self.calls[call_id]["handling"]
            handling.update(at=iso(time.time()), revision=handling["revision"] + 1, **changed)
            self._tell("handling", call_id, {"handling": copy.deepcopy(handling)})

    def line(self, call_id: str, kind: str, at: float, track: str = "", to: str = "", who: str = "") -> None:
        """The switch says what happened on the line."""
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
        """Add a line to the call's story. The page gets it with the next score."""
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
        """The events after a cursor, or None if some of them are gone."""
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
