"""/v1/desk: an agent's own live calls, and asking for help on them. For the agents' page, and for a softphone.

The client is an agent, by an account of the role agent or a personal key. Answers hold only this agent's calls.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import msgspec
from flask import Blueprint, Response, request

from state.calls.handling import Handler, Refused
from state.calls.own import is_of
from state.moments import moment
from state.texts import customer
from state.types import Handling
from state.views import CallRow, CallView
from webapp.access import identity, rights
from webapp.access.identity import Identity
from webapp.access.rights import needs, record_read
from webapp.api.documents.openapi import JSON_BODY, Parameter, operation
from webapp.api.handling import refusal
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import Problem, invalid
from webapp.schemas import shapes
from webapp.schemas.desk import ApiDesk, DeskCall, DeskHelp, DeskLine
from webapp.schemas.handling import HelpAsked
from webapp.store import store

api = Blueprint("desk", __name__, url_prefix="/v1/desk")

LINES = 60
"""Most lines of a call that an agent sees: about the last five minutes."""

_BY = [Parameter("agent", {"type": "string", "maxLength": 128}, "who asks, only with AUTH=off")]
_NOT_YOURS = {404: "You have no such live call."}
_OVER = {409: "`reason`: ended (the call is over)."}


@api.get("")
@operation("Read one's own live calls", {200: ApiDesk, 304: None}, query=_BY)
@needs("agent")
def read_desk() -> Response:
    """Ask for it every two seconds, with the last ETag in If-None-Match: 304 says that nothing has changed.
    Words are masked as they are for everybody."""
    agent = _agent()
    ids = store().own_calls.of(agent)
    tag = _tag(agent, store().reads.some(ids))
    if tag in request.if_none_match:
        return Response(status=304, headers={"ETag": f'"{tag}"'})
    calls = [call for call_id in ids if (call := _own(agent, call_id)) is not None]
    calls.sort(key=lambda call: (call.started_at_ms, call.call_id), reverse=True)
    for call in calls:
        record_read("own-call", call.call_id)
    told = ApiDesk(agent, moment(store().reads.now_ms()), [_shown(call) for call in calls])
    return as_json(told, headers={"ETag": f'"{tag}"'})


@api.put("/calls/<call_id>/help")
@operation(
    "Ask for help on one's own call", {200: DeskHelp}, {**_NOT_YOURS, **_OVER, **JSON_BODY}, body=HelpAsked, query=_BY
)
@needs("agent")
def ask_help(call_id: str) -> Response:
    """Supervisors see it first of all, until one answers or it is taken back. Safe to repeat."""
    agent = _agent()
    asked = inputs.json_body(HelpAsked)
    reason = " ".join(asked.reason.split())
    if not reason.isprintable():
        raise invalid("/reason", "must be printable text")
    return _changed(agent, call_id, lambda handler: handler.ask_help(call_id, reason))


@api.delete("/calls/<call_id>/help")
@operation("Take the request for help back", {200: DeskHelp}, _NOT_YOURS, query=_BY)
@needs("agent")
def cancel_help(call_id: str) -> Response:
    """Nothing changes if a supervisor has answered, or if there is none. Safe to repeat."""
    agent = _agent()
    return _changed(agent, call_id, lambda handler: handler.cancel_help(call_id))


def _agent() -> str:
    """The agent whose calls these are: from the identity; with AUTH=off, from the query."""
    who: Identity = rights.require("agent")
    given = inputs.query("agent").get("agent")
    if who.kind != "anyone":
        if given is not None:
            raise invalid("agent", "works only with AUTH=off; here your sign-in or key names you")
        return who.agent
    if not given or len(given) > 128 or not given.isprintable():
        raise invalid("agent", "must say who asks, in printable text")
    return given


def _tag(agent: str, rows: list[CallRow]) -> str:
    """A name of the agent's view, made without reading the words: every final, score and act changes the call's row."""
    seen = [
        (
            row.call_id,
            row.state,
            row.metadata,
            row.last,
            row.standing,
            row.handling,
            {name: track.partial for name, track in row.tracks.items()},
        )
        for row in rows
        if row.state != "ended" and is_of(agent, row.metadata)
    ]
    return blake2b(msgspec.msgpack.encode(seen), digest_size=12).hexdigest()


def _own(agent: str, call_id: str) -> CallView | None:
    """The call, if it is live and this agent's at this moment."""
    call = store().reads.call(call_id)
    return call if call is not None and call.state != "ended" and is_of(agent, call.metadata) else None


def _changed(agent: str, call_id: str, change: Callable[[Handler], Handling]) -> Response:
    if _own(agent, inputs.call_id(call_id)) is None:
        raise Problem(404, "unknown_call", _("You have no such live call."))
    who = rights.require("agent")
    name = agent if who.kind == "anyone" else who.who
    try:
        made = change(Handler(store().shards, name, identity.address(), who.origin))
    except Refused as refused:
        raise refusal(refused) from None
    return as_json(DeskHelp(call_id, shapes.asked_help(made.help)))


def _shown(call: CallView) -> DeskCall:
    made = call.handling
    return DeskCall(
        call_id=call.call_id,
        state=call.state,
        started_at=moment(call.started_at_ms),
        customer=customer(call.metadata) or "",
        queue=call.metadata.get("queue", ""),
        lines=[DeskLine(said.id, said.track, said.start, said.text) for said in call.utterances[-LINES:]],
        speaking={name: track.partial for name, track in call.tracks.items() if track.partial},
        on_it=made.by if made.state == "taken" else "",
        help=shapes.asked_help(made.help),
        messages=shapes.notes(made.messages),
    )
