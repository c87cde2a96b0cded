"""JSON first, raw audio after it: FreeSWITCH (mod_audio_stream, mod_audio_fork), jambonz, Vonage, Asterisk
chan_websocket, and the client of AWS' Live Call Analytics.

In all of them the first text describes the call, and binary frames are audio. The names differ, and users of some
choose them. The address can supply what the text lacks: ?call_id= &track= or &tracks= &rate= &encoding= and any other
word as metadata.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from state.types import HappeningKind
from webapp.http.names import AGENT, CUSTOMER, clean_call_id, clean_metadata
from webapp.streams.events import Audio, Event, Form, Message, ProtocolError, SampleForm, Start, Stop, Told
from webapp.streams.fields import integer, json_object, mapping, track_name

_FORMATS: dict[str, tuple[SampleForm, int | None]] = {
    "ulaw": ("mulaw", 8000),
    "mulaw": ("mulaw", 8000),
    "pcmu": ("mulaw", 8000),
    "alaw": ("alaw", 8000),
    "pcma": ("alaw", 8000),
    "slin": ("s16le", 8000),
    "slin12": ("s16le", 12000),
    "slin16": ("s16le", 16000),
    "slin24": ("s16le", 24000),
    "slin32": ("s16le", 32000),
    "slin44": ("s16le", 44100),
    "slin48": ("s16le", 48000),
    "l16": ("s16le", None),
    "pcm": ("s16le", None),
    "s16le": ("s16le", None),
    "linear16": ("s16le", None),
}
"""Asterisk's names of its formats, and others' for the same. 16 bit samples are little-endian on all of them."""

_CALL_IDS = ("call_id", "callSid", "call_sid", "callId", "uuid", "call_uuid", "conversation_uuid", "channel_id", "call")
"""The first of these that is there names the call. jambonz sends both: callSid is the call, callId one SIP dialogue."""

_RATES = ("rate", "sampleRate", "sample_rate", "samplingRate")
_ENDS = ("stop", "end", "eof", "hangup", "websocket:disconnected", "media_stop")
_HAPPENINGS: dict[str, HappeningKind] = {
    "hold": "hold",
    "resume": "resume",
    "mute": "mute",
    "unmute": "unmute",
    "transfer": "transfer",
    "join": "join",
    "leave": "leave",
}
"""Events of senders made for Earshot: {"event": "transfer", "to": "billing"}."""
_KEY_DOWN = ("dtmf_start", "dtmf_begin")
"""Events of senders that also tell when the key is up again."""
_STEERING = {
    *_CALL_IDS,
    *_RATES,
    "track",
    "tracks",
    "encoding",
    "format",
    "content-type",
    "mixType",
    "event",
    "type",
    "callEvent",
    "channels",
    "connection_id",
    "channel",
    "optimal_frame_size",
    "ptime",
    "key",
}
_METADATA_NAMES = {"from": "caller", "fromNumber": "caller", "to": "called", "toNumber": "called", "agentId": "agent"}


class BinaryParser:
    """One socket's messages; `query` is its address's."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._told: dict[str, Any] = dict(query)
        self._form: Form | None = None
        self._tracks: tuple[str, ...] = ()

    close_ends = True

    def feed(self, message: Message) -> list[Event]:
        """See Parser.feed."""
        if isinstance(message, str):
            return self._text(message)
        started = [] if self._form else [self._start()]
        assert self._form is not None
        return [*started, Audio(self._tracks, self._form, message)] if message else [*started]

    def farewell(self) -> list[Message]:
        """See Parser.farewell: there is no word for it."""
        return []

    def _text(self, text: str) -> list[Event]:
        told = json_object(text) or _plain(text)
        event = str(told.get("event") or told.get("type") or told.get("callEvent") or "").lower()
        if event in _ENDS or told.get("eof"):
            return [Stop()]
        if event.startswith(("dtmf", "websocket:dtmf")):
            return [Told("dtmf", self._tracks[0])] if self._tracks and event not in _KEY_DOWN else []
        if self._form is not None and event in _HAPPENINGS:
            named = told.get("track")
            track = track_name(named) if named else self._tracks[0] if event in ("join", "leave") else ""
            to, who = (_words(told, name) if event == of else "" for name, of in (("to", "transfer"), ("who", "join")))
            return [Told(_HAPPENINGS[event], track, to, who)] if event != "join" or who else []
        if self._form is not None or event.startswith("media_x"):
            return []
        nested = {**mapping(told.get("channel_variables")), **mapping(told.get("metadata"))}
        self._told = {**self._told, **told, **nested}
        return [self._start()]

    def _start(self) -> Start:
        told = self._told
        self._form = self._read_form()
        self._tracks = self._read_tracks()
        call = next((told[name] for name in _CALL_IDS if isinstance(told.get(name), str | int) and told[name]), None)
        metadata = {
            _METADATA_NAMES.get(name, name): value
            for name, value in told.items()
            if name not in _STEERING and not isinstance(value, dict)
        }
        return Start(clean_call_id(call or uuid.uuid4()), list(self._tracks), clean_metadata(metadata))

    def _read_form(self) -> Form:
        told = self._told
        content_type = str(told.get("content-type") or "")
        name = str(told.get("encoding") or told.get("format") or content_type.split(";")[0].rpartition("/")[2] or "l16")
        name = name.lower().removeprefix("audio/").removeprefix("x-")
        if name not in _FORMATS:
            raise ProtocolError(f"the format {name[:40]!r} is not known; known are {', '.join(_FORMATS)}")
        encoding, rate = _FORMATS[name]
        in_type = re.search(r"rate=([0-9]{1,6})", content_type)
        named = next((told[rate_name] for rate_name in _RATES if told.get(rate_name)), None)
        said = integer(named)
        if named is not None and said is None:
            raise ProtocolError("the rate is no whole number")
        if rate is None or (said is not None and encoding != "s16le"):
            rate = said or (int(in_type[1]) if in_type else 8000)
        return Form(encoding, rate)

    def _read_tracks(self) -> tuple[str, ...]:
        told = self._told
        named = told.get("tracks") or told.get("track")
        if isinstance(named, str):
            named = named.split(",")
        if isinstance(named, list) and named:
            names = tuple(track_name(name) for name in named)
            if len(names) > 8 or len(set(names)) != len(names):
                raise ProtocolError("at most 8 tracks, each named once")
            return names
        stereo = (
            str(told.get("mixType") or "").lower() == "stereo"
            or integer(told.get("channels")) == 2
            or "samplingRate" in told  # Live Call Analytics' client only knows stereo
        )
        return (CUSTOMER, AGENT) if stereo else (CUSTOMER,)


def _words(told: dict[str, Any], name: str) -> str:
    """A name in the message, as far as it can be shown."""
    said = str(told.get(name) or "")[:128]
    return said if said.isprintable() else ""


def _plain(text: str) -> dict[str, Any]:
    """Asterisk's plain form, "MEDIA_START connection_id:abc format:ulaw", as an object; {} for anything else."""
    event, *words = text.split()[:64] or [""]
    if not re.fullmatch(r"[A-Z_]{4,40}", event):
        return {}
    pairs = (word.partition(":") for word in words)
    return {"event": event, **{name: value for name, _, value in pairs if name and value}}
