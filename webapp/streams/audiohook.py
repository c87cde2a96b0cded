"""Genesys AudioHook, version 2: a JSON conversation beside interleaved audio, external party first.

The client opens with the forms it can send; we choose one. It numbers its messages, we number ours, and each
answer names the last number heard. Before a deploy we ask it to connect again, as the protocol provides.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from webapp.http.names import AGENT, CUSTOMER, clean_call_id, clean_metadata
from webapp.streams.events import Audio, Event, Form, Lost, Message, ProtocolError, SampleForm, Say, Start, Stop, Told
from webapp.streams.fields import integer, json_object, mapping

_TRACKS = {"external": CUSTOMER, "internal": AGENT}
_FORMS: dict[str, SampleForm] = {"PCMU": "mulaw", "L16": "s16le"}
PROBE = "00000000-0000-0000-0000-000000000000"
"""Conversation id of a test by the administrator's page. It gets an answer and is no call."""


class AudioHookParser:
    """One session."""

    def __init__(self) -> None:
        self._id = ""
        self._seq = 0
        self._heard = 0
        self._form: Form | None = None
        self._tracks: tuple[str, ...] = ()
        self._probe = False

    close_ends = False
    """A session also closes properly before it comes back, so only a message ends a call."""

    def feed(self, message: Message) -> list[Event]:
        """See Parser.feed."""
        if isinstance(message, bytes):
            if self._probe or not message:  # a probe sends an empty frame, to see whether any comes through
                return []
            if self._form is None or not self._tracks:
                raise ProtocolError("audio came before it was agreed on")
            return [Audio(self._tracks, self._form, message)]
        told = json_object(message)
        if told is None or not isinstance(told.get("type"), str):
            raise ProtocolError("every text must be a JSON object with a type")
        if told.get("version") != "2":
            raise ProtocolError("only version 2 of AudioHook is known")
        self._heard = integer(told.get("seq")) or self._heard
        parameters = mapping(told.get("parameters"))
        kind = told["type"]
        if kind == "open":
            return self._open(str(told.get("id") or ""), parameters)
        if kind == "ping":
            return [Say(self._message("pong", {}))]
        if kind == "close":
            closed = self._message("closed", {})
            # "reconnect" and "error": the call goes on, over another session or not at all.
            return [Stop(closed)] if parameters.get("reason") in ("end", "disconnect") else [Say(closed)]
        if kind == "paused":
            return [Told("hold", CUSTOMER)]
        if kind in ("discarded", "resumed") and self._form is not None:
            seconds = _seconds(parameters.get("discarded"))
            lost = [Lost(seconds)] if seconds > 0 else []
            return [*lost, Told("resume")] if kind == "resumed" else [*lost]
        if kind == "dtmf":
            return [Told("dtmf", CUSTOMER)]
        return []  # error, update, and what will be invented

    def farewell(self) -> list[Message]:
        """See Parser.farewell."""
        return [self._message("reconnect", {})] if self._id else []

    def _open(self, session: str, parameters: dict[str, Any]) -> list[Event]:
        if self._id:
            raise ProtocolError("the session is open already")
        conversation = parameters.get("conversationId")
        if not session or not isinstance(conversation, str) or not conversation:
            raise ProtocolError("open names no session or no conversation")
        self._id = session
        offered = parameters.get("media")
        usable = [one for one in (mapping(o) for o in offered) if _usable(one)] if isinstance(offered, list) else []
        if conversation == PROBE:
            self._probe = True
            return [Say(self._message("opened", {"startPaused": False, "media": usable[:1]}))]
        if not usable:
            return [
                Say(self._message("disconnect", {"reason": "error", "info": "PCMU or L16 is needed"})),
            ]
        media = max(usable, key=lambda one: (len(one["channels"]), one["format"] == "PCMU"))
        self._form = Form(_FORMS[media["format"]], integer(media.get("rate")) or 8000)
        self._tracks = tuple(_TRACKS[channel] for channel in media["channels"])
        participant = mapping(parameters.get("participant"))
        known = {
            "caller": participant.get("ani"),
            "caller_name": participant.get("aniName"),
            "called": participant.get("dnis"),
            **mapping(parameters.get("customConfig")),
        }
        return [
            Start(
                clean_call_id(conversation),
                list(self._tracks),
                clean_metadata({name: value for name, value in known.items() if value}),
            ),
            Say(self._message("opened", {"startPaused": False, "media": [media]})),
        ]

    def _message(self, kind: str, parameters: dict[str, Any]) -> str:
        self._seq += 1
        message = {
            "version": "2",
            "id": self._id,
            "type": kind,
            "seq": self._seq,
            "clientseq": self._heard,
            "parameters": parameters,
        }
        return msgspec.json.encode(message).decode()


def _usable(media: dict[str, Any]) -> bool:
    channels = media.get("channels")
    rate = integer(media.get("rate"))
    return (
        media.get("type") == "audio"
        and isinstance(media.get("format"), str)
        and media["format"] in _FORMS
        and isinstance(channels, list)
        and 0 < len(channels) <= 2
        and all(isinstance(channel, str) and channel in _TRACKS for channel in channels)
        and len(set(channels)) == len(channels)
        and rate is not None
        and 8000 <= rate <= 48000
    )


def _seconds(duration: object) -> float:
    """Seconds of an ISO 8601 duration as AudioHook writes it: PT12.5S. 0 for anything else."""
    found = re.fullmatch(r"PT([0-9]{1,9}(?:\.[0-9]{1,9})?)S", duration) if isinstance(duration, str) else None
    return float(found[1]) if found else 0.0
