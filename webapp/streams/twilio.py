"""Twilio Media Streams, and its dialects: Telnyx, Plivo, Exotel, SignalWire, Talkdesk.

Text frames of JSON, audio in base64. The dialects differ in spelling (camelCase or snake_case, numbers or strings), in
the audio's encoding, and in whether frames come in order and a stop comes at all. Nobody has to name the provider: this
module understands each form.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec

from webapp.http.names import AGENT, CUSTOMER, clean_call_id, clean_metadata
from webapp.streams.events import Audio, Event, Form, Message, ProtocolError, SampleForm, Start, Stop, Told
from webapp.streams.fields import integer, json_object, mapping, track_name

_ENCODINGS: dict[str, SampleForm] = {
    "audio/x-mulaw": "mulaw",
    "audio/mulaw": "mulaw",
    "audio/basic": "mulaw",
    "pcmu": "mulaw",
    "mulaw": "mulaw",
    "audio/x-alaw": "alaw",
    "audio/alaw": "alaw",
    "pcma": "alaw",
    "alaw": "alaw",
    "audio/x-l16": "s16le",
    "audio/l16": "s16le",
    "l16": "s16le",
    "audio/x-raw": "s16le",
    "audio/raw": "s16le",
    "raw/slin": "s16le",
    "slin": "s16le",
    "linear16": "s16le",
    "pcm": "s16le",
}
"""Names of 16 bit samples. All providers send them little-endian, whatever the name says."""

_CALL_IDS = ("callSid", "call_sid", "callId", "call_id", "call_session_id", "call_control_id", "callUUID", "call_uuid")
_STREAM_IDS = ("streamSid", "stream_sid", "streamId", "stream_id")
_OURS = ("call_id", "inbound", "key")
"""Custom parameters that control Earshot and are no metadata."""


class _Media(msgspec.Struct):
    """What most messages are, decoded in one step."""

    payload: bytes
    track: str = ""
    chunk: int | float | str | None = None
    timestamp: int | float | str | None = None


class _MediaMessage(msgspec.Struct):
    event: Literal["media"]
    media: _Media


_media_message = msgspec.json.Decoder(_MediaMessage)


class TwilioParser:
    """One socket's messages."""

    def __init__(self) -> None:
        self._form: Form | None = None
        self._inbound, self._outbound = CUSTOMER, AGENT

    close_ends = True
    """Plivo has no other word for it."""

    def feed(self, message: Message) -> list[Event]:
        """See Parser.feed."""
        if self._form is not None and isinstance(message, str):
            try:
                media = _media_message.decode(message).media
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                pass  # something else, or put another way
            else:
                number, at_ms = _natural(media.chunk), _natural(media.timestamp)
                return [Audio((self._track(media.track),), self._form, media.payload, number, at_ms)]
        told = json_object(message) if isinstance(message, str) else None
        if told is None:
            raise ProtocolError("every message must be a text frame with a JSON object")
        event = told.get("event")
        if event == "media":
            return [self._media(mapping(told.get("media")))]
        if event == "start":
            return [self._start(told, mapping(told.get("start")))]
        if event == "stop":
            return [Stop()]
        if event == "dtmf":
            return [Told("dtmf", self._track(mapping(told.get("dtmf")).get("track")))]
        return []  # connected, mark, and what will be invented

    def farewell(self) -> list[Message]:
        """See Parser.farewell: there is no word for it."""
        return []

    def _start(self, told: dict[str, Any], start: dict[str, Any]) -> Start:
        custom = mapping(
            start.get("customParameters") or start.get("custom_parameters") or start.get("customHeaders") or {}
        )
        media = mapping(start.get("mediaFormat") or start.get("media_format"))
        encoding = str(media.get("encoding") or "audio/x-mulaw").lower()
        if encoding not in _ENCODINGS:
            raise ProtocolError(f"the encoding {encoding[:40]!r} is not known: use mu-law, A-law or 16 bit PCM")
        if (integer(media.get("channels")) or 1) != 1:
            raise ProtocolError("more than one channel a track")
        rate = integer(media.get("sampleRate") or media.get("sample_rate") or 8000)
        self._form = Form(_ENCODINGS[encoding], rate or 0)
        stream = _first((told, start), _STREAM_IDS)
        call = custom.get("call_id") or _first((start, told), _CALL_IDS) or stream
        if not call:
            raise ProtocolError("the start names neither a call nor a stream")
        if custom.get("inbound"):
            self._inbound = track_name(custom["inbound"])
            self._outbound = CUSTOMER if self._inbound == AGENT else AGENT
        known = {"caller": start.get("from"), "called": start.get("to")}
        extra = {name: value for name, value in custom.items() if name not in _OURS}
        tracks = start.get("tracks")
        named = [self._track(name) for name in tracks if isinstance(name, str)] if isinstance(tracks, list) else []
        return Start(
            clean_call_id(call),
            list(dict.fromkeys(named))[:8] or [self._inbound],
            clean_metadata({name: value for name, value in known.items() if value} | extra),
            str(stream),
        )

    def _media(self, media: dict[str, Any]) -> Audio:
        if self._form is None:
            raise ProtocolError("media came before start")
        payload = media.get("payload")
        try:
            data = base64.b64decode(payload, validate=True) if isinstance(payload, str) else None
        except (binascii.Error, ValueError):
            data = None
        if data is None:
            raise ProtocolError("the payload is not base64")
        return Audio(
            (self._track(media.get("track")),),
            self._form,
            data,
            _natural(media.get("chunk")),
            _natural(media.get("timestamp")),
        )

    def _track(self, name: object) -> str:
        """inbound is what the provider receives from the leg the stream was started on."""
        return self._outbound if isinstance(name, str) and name.lower().startswith("outbound") else self._inbound


def _natural(value: object) -> int | None:
    number = integer(value)
    return number if number is not None and number >= 0 else None


def _first(places: Iterable[dict[str, Any]], names: Iterable[str]) -> str:
    for place in places:
        for name in names:
            value = place.get(name)
            if isinstance(value, str) and value:
                return value
    return ""


def signature(token: str, url: str) -> str:
    """X-Twilio-Signature of a websocket request, which has no parameters: HMAC-SHA1 of its URL, in base64."""
    return base64.b64encode(hmac.new(token.encode(), url.encode(), hashlib.sha1).digest()).decode()


def is_signed(token: str, url: str, given: str) -> bool:
    """Whether `given` is the signature of `url`, with wss:// or https:// and with or without its final slash."""
    parts = urlsplit(url)
    schemes = {"https": ("wss", "https"), "wss": ("wss", "https")}.get(parts.scheme, ("ws", "http"))
    path = parts.path.rstrip("/")
    accepted = False
    for scheme in schemes:
        for ending in ("", "/"):
            expected = signature(token, urlunsplit((scheme, parts.netloc, path + ending, parts.query, "")))
            accepted |= hmac.compare_digest(expected.encode(), given.encode(errors="replace"))
    return accepted
