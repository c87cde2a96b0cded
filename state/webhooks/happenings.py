"""The events that other programs get.

    call.started      a call has begun
    call.alert        something that a supervisor should know of: an alert, or a hit of a rule that names a webhook
    call.handled      supervisors took the call, wrote on it, ...
    help.asked        an agent asks for a supervisor
    help.answered     one came to the call, saw to it or wrote to the agent
    help.cancelled    the agent took the request back
    call.ended        all of a call is decoded and scored
    transcript.final  an utterance is final and scored
    summary.ready     an ended call has its summary

A message's id is computed from its content. So it is written down once, however often somebody notices it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Literal, get_args

import msgspec

from state.moments import moment

EventType = Literal[
    "call.started",
    "call.alert",
    "call.handled",
    "help.asked",
    "help.answered",
    "help.cancelled",
    "call.ended",
    "transcript.final",
    "summary.ready",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)


class Message(msgspec.Struct, frozen=True):
    """A message.

    at_ms: when it happened.  began_ms: when the call began; with call_id, it names the call.  body: JSON as it is sent.
    listed: whether it goes to all who want its type.  also_to: an endpoint that a rule names.
    """

    id: str
    type: EventType
    call_id: str
    began_ms: int
    at_ms: int
    body: str
    listed: bool = True
    also_to: str = ""


def message(kind: EventType, call_id: str, began_ms: int, at_ms: int, data: dict[str, Any], which: str = "") -> Message:
    """A message of `kind`. which: tells it from others of its kind in this call."""
    digest = sha256("\0".join((kind, call_id, str(began_ms), which)).encode()).hexdigest()[:32]
    told = {"type": kind, "timestamp": moment(at_ms), "data": data}
    return Message(f"msg_{digest}", kind, call_id, began_ms, at_ms, msgspec.json.encode(told).decode())
