"""The AsyncAPI 3.0 document: the live socket's messages, as types. docs/LIVE.md has it in words, with examples."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from state.calls.health import FleetHealth
from state.types import CallState, EndReason
from webapp.schemas.calls import ApiRow, ApiSentiment, ApiStanding, ApiUtterance, Sees
from webapp.schemas.handling import ApiHandling
from webapp.schemas.happenings import ApiHappening
from webapp.schemas.values import Moment

_REF = "#/components/schemas/{name}"


class Follow(msgspec.Struct, forbid_unknown_fields=True):
    """Tell me what comes after `cursor`: null at first, then that of the last message applied."""

    cursor: str | None


class CallChanged(msgspec.Struct, tag="call", tag_field="kind", forbid_unknown_fields=True):
    """A call began, was described, ended or was summed up."""

    call_id: str
    state: CallState
    started_at: Moment
    ended_at: Moment | None
    end_reason: EndReason | None
    metadata: dict[str, str]


class Partial(msgspec.Struct, tag="partial", tag_field="kind", forbid_unknown_fields=True):
    """Words of the open utterance of a track; "" when none is open. wordless: voice is heard, and gives no words."""

    call_id: str
    track: str
    partial: str
    lag_seconds: float
    decoded_seq: int
    wordless: bool


class Final(msgspec.Struct, tag="final", tag_field="kind", forbid_unknown_fields=True):
    """A finished utterance, or a new form of one."""

    call_id: str
    utterance: ApiUtterance


class Score(msgspec.Struct, tag="score", tag_field="kind", forbid_unknown_fields=True):
    """An utterance's score, and how the call stands with it."""

    call_id: str
    utterance_id: str
    sentiment: ApiSentiment
    standing: ApiStanding


class HandlingChanged(msgspec.Struct, tag="handling", tag_field="kind", forbid_unknown_fields=True):
    """A supervisor took it, wrote on it and so on."""

    call_id: str
    handling: ApiHandling


class LineChanged(msgspec.Struct, tag="line", tag_field="kind", forbid_unknown_fields=True):
    """A hold, a transfer and the like; all of the call so far."""

    call_id: str
    events: list[ApiHappening]


class Snapshot(msgspec.Struct, forbid_unknown_fields=True):
    """The whole table in `of` parts, numbered from 1. It replaces everything before. It lacks calls of the parts of the
    store in `away`, and comes again once those answer."""

    part: int
    of: int
    cursor: str
    away: list[int]
    rows: list[ApiRow]


FeedEvent = CallChanged | Partial | Final | Score | HandlingChanged | LineChanged


class Feed(msgspec.Struct, rename={"from_": "from"}, forbid_unknown_fields=True):
    """All events after `from` up to `cursor`. Each carries new values, so applying one twice changes nothing."""

    from_: str
    cursor: str
    events: list[FeedEvent]


class Fleet(FleetHealth, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sign of life, every two seconds; none while Redis is away."""

    server_time_ms: int


SAID: dict[str, type[msgspec.Struct]] = {"snapshot": Snapshot, "feed": Feed, "fleet": Fleet}
"""Messages of the server, by their Socket.IO names."""

HEARD: dict[str, type[msgspec.Struct]] = {"follow": Follow, "sees": Sees}
"""Messages of the program."""


@cache
def document() -> dict[str, Any]:
    """The document; do not change it."""
    every = {**SAID, **HEARD}
    refs, schemas = msgspec.json.schema_components(every.values(), ref_template=_REF)
    messages = {
        name: {"name": name, "summary": kind.__doc__, "payload": ref}
        for (name, kind), ref in zip(every.items(), refs, strict=True)
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Earshot, live",
            "version": "1.0.0",
            "description": "Socket.IO 5 over a websocket: its frames carry the name of the message and its payload.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/socket.io/?EIO=4&transport=websocket",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in every},
            }
        },
        "operations": {
            **{name: _operation("send", name) for name in SAID},
            **{name: _operation("receive", name) for name in HEARD},
        },
        "components": {
            "schemas": schemas,
            "messages": messages,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key with the scope read."}
            },
        },
    }


def _operation(action: str, name: str) -> dict[str, Any]:
    """As the server sees it."""
    return {
        "action": action,
        "channel": {"$ref": "#/channels/live"},
        "messages": [{"$ref": f"#/channels/live/messages/{name}"}],
        "security": [{"$ref": "#/components/securitySchemes/key"}],
    }
