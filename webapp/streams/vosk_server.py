"""vosk-server's protocol: audio in, and for every binary frame exactly one text back, a partial or a result.

The words come from the fleet. The answer to a frame holds the words known by then. A sender that is faster than speech
has to wait for its answers, as with vosk-server.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import redis

from state.calls.streams import Heard
from state.types import Sender, Utterance
from webapp.http.names import CUSTOMER, clean_call_id, clean_metadata
from webapp.store import Store
from webapp.streams.events import Audio, Event, Form, Message, Start, Stop
from webapp.streams.fields import integer, json_object, mapping, track_name
from webapp.streams.streamed_call import StreamedCall

log = logging.getLogger("earshot.web.streams")

DEFAULT_RATE = 8000
"""Sample rate in Hz if the client names none, as in vosk-server."""

LOOK_SECONDS = 0.1
"""Least time between two looks at the fleet's words, unless..."""

LOOK_AT_LEAST_SECONDS = 0.5
"""...it takes long: then it looks less often, down to this. Each look costs the store something. Or unless..."""

LOOK_AUDIO_SECONDS = 0.5
"""...so much audio came meanwhile: then the sender is faster than speech, and may have to wait."""

BEHIND_SECONDS = 2.0
"""Seconds of audio that the fleet may be behind before a sender has to wait for its answer."""

BEHIND_PATIENCE_SECONDS = 10.0
"""Most seconds to wait for one answer. Then an empty partial says that nothing is known yet."""

_TOLD = ("sample_rate", "rate", "metadata")
"""Members of a client's texts to keep until its audio comes. It may send others, as often as it likes."""

ROUNDING_SECONDS = 0.001
"""Seconds to which an utterance's bounds are rounded."""

FINAL_PATIENCE_SECONDS = 60.0
"""Most seconds to wait for the last words. Then the client gets the words so far."""


class VoskParser:
    """One socket's messages up to its end or reset; `query` is its address's."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._told: dict[str, Any] = dict(query)
        self._form: Form | None = None
        self.reset_wanted = False
        self.words = True
        self.alternatives = 0
        self._name = query.get("call_id") or str(uuid.uuid4())
        self._rounds = 0
        self.track = track_name(query.get("track") or CUSTOMER)

    close_ends = True

    @property
    def call_id(self) -> str:
        """Id of the present call: the given name, after a reset `<name>.2` and so on."""
        return clean_call_id(f"{self._name}.{self._rounds + 1}" if self._rounds else self._name)

    def feed(self, message: Message) -> list[Event]:
        """See Parser.feed."""
        if isinstance(message, str):
            return self._text(json_object(message) or {})
        started: list[Event] = []
        if self._form is None:
            rate = integer(self._told.get("sample_rate") or self._told.get("rate") or DEFAULT_RATE)
            self._form = Form("s16le", rate or 0)
            started.append(self._start())
        return [*started, Audio((self.track,), self._form, message)]

    def farewell(self) -> list[Message]:
        """See Parser.farewell."""
        return []

    def _text(self, told: dict[str, Any]) -> list[Event]:
        config = mapping(told.get("config"))
        if config and self._form is None:
            self._told |= {name: config[name] for name in _TOLD if name in config}
            name = config.get("call_id")
            if isinstance(name, str) and name not in ("", self._name):
                self._name, self._rounds = name, 0
            if isinstance(config.get("track"), str):
                self.track = track_name(config["track"])
        if "words" in config:
            self.words = bool(config["words"])
        self.alternatives = integer(config.get("max_alternatives")) or self.alternatives
        if told.get("reset"):
            self.reset_wanted = True
            return [Stop()]
        return [Stop()] if told.get("eof") else []

    def _start(self) -> Start:
        metadata = mapping(self._told.get("metadata"))
        return Start(self.call_id, [self.track], clean_metadata(metadata))

    def seconds(self, audio: bytes) -> float:
        """Seconds of speech in a binary message."""
        return len(audio) / 2 / self._form.rate if self._form else 0.0

    def begin_again(self) -> None:
        """Begin another call after a reset."""
        self._rounds += 1
        self._form = None
        self.reset_wanted = False


def _pauses() -> Iterator[float]:
    """Seconds between one look and the next."""
    pause = LOOK_SECONDS / 2
    while True:
        yield pause
        pause = min(1.5 * pause, LOOK_AT_LEAST_SECONDS)


class VoskTalk:
    """A streamed call that answers with the words. A sender that may not read gets those of this socket's own audio. An
    utterance that began before the socket came, or in audio that came another way, is left out."""

    def __init__(self, store: Store, parser: VoskParser, sender: Sender) -> None:
        self._store = store
        self._sender = sender
        self._parser = parser
        self._begin()
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """See Talk."""
        return self._stopped

    @property
    def due_seconds(self) -> float:
        """See Talk: the sender waits."""
        return 0.0

    def _begin(self) -> None:
        self._call = StreamedCall(self._store, self._parser, self._sender)
        self._told = 0
        self._results: list[Utterance] = []
        self._partial = ""
        self._looked_at = self._unheard_seconds = 0.0

    @property
    def call_id(self) -> str | None:
        return self._call.call_id

    def take(self, message: Message) -> list[Message]:
        """See StreamedCall.take."""
        self._store.sight.look([self._parser.call_id])  # before its audio is decoded: there may be no more of it
        self._call.take(message)
        self._call.put()
        if self._call.stopped:
            text = self._last_words()
            if self._parser.reset_wanted:
                self._parser.begin_again()
                self._begin()
            else:
                self._stopped = True
            return [text]
        if isinstance(message, str):
            return []
        self._unheard_seconds += self._parser.seconds(message)
        self._listen(BEHIND_SECONDS, BEHIND_PATIENCE_SECONDS)
        if self._results:
            return [self._result([self._results.pop(0)])]
        return [self._json({"partial": self._partial})]

    def tick(self) -> None:
        """See StreamedCall.tick."""
        self._call.tick()

    def stop(self) -> None:
        """See StreamedCall.stop; nobody is there for the last words."""
        self._call.stop()

    def drop(self) -> None:
        """See StreamedCall.drop."""
        self._call.drop()

    def _last_words(self) -> str:
        if self._call.call_id is not None:
            deadline = time.monotonic() + FINAL_PATIENCE_SECONDS
            pauses = _pauses()
            while not self._look().finished and time.monotonic() < deadline:
                time.sleep(next(pauses))
        results, self._results = self._results, []
        return self._result(results)

    def _listen(self, behind_seconds: float, patience_seconds: float) -> None:
        """Bring results and partial up to date; wait while the fleet is too far behind."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS and self._unheard_seconds < LOOK_AUDIO_SECONDS:
            return
        self._unheard_seconds = 0.0
        deadline = now + patience_seconds
        pauses = _pauses()
        while self._look().behind_seconds > behind_seconds and time.monotonic() < deadline and not self._results:
            self._call.tick()
            time.sleep(next(pauses))
        self._looked_at = time.monotonic()

    def _look(self) -> Heard:
        try:
            heard = self._store.streams.heard(self._parser.call_id, self._parser.track, self._told, self._sender)
        except redis.RedisError as error:
            log.warning("redis refused", extra={"call_id": self.call_id, "error": repr(error)})
            time.sleep(LOOK_SECONDS)
            return Heard([], self._partial, 0.0, False)
        self._told += len(heard.finals)
        self._results += [final for final in heard.finals if final.text and self._is_own(final, heard)]
        self._partial = heard.partial if self._is_own(None, heard) else ""
        return heard

    def _is_own(self, final: Utterance | None, heard: Heard) -> bool:
        """Whether a final, or the partial, comes from this socket's audio alone."""
        own = self._call.own(self._parser.track)
        if self._sender.reads or own is None:
            return self._sender.reads
        alone = heard.next_seq <= own.next_seq
        if final is None:
            return alone and heard.partial_seq >= own.first_seq
        return final.start >= own.start - ROUNDING_SECONDS and (alone or final.end <= own.end + ROUNDING_SECONDS)

    def _result(self, finals: list[Utterance]) -> str:
        text = " ".join(final.text for final in finals)
        words = [
            {"conf": 1.0 if word.conf is None else word.conf, "end": word.end, "start": word.start, "word": word.word}
            for final in finals
            for word in final.words
        ]
        result: dict[str, Any] = {"result": words, "text": text} if self._parser.words and words else {"text": text}
        if self._parser.alternatives > 0:
            result = {"alternatives": [{"confidence": 1.0, **result}]}
        return self._json(result)

    @staticmethod
    def _json(value: dict[str, Any]) -> str:
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
