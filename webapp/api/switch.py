"""/v1/calls/{id}/switch/{act} and /v1/session/extension: supervisors' acts on the switch, and where it calls them."""

from __future__ import annotations

import re

from flask import Blueprint, Response

from webapp.access import rights
from webapp.access.rights import needs
from webapp.api.documents.openapi import JSON_BODY, operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import Problem, invalid
from webapp.schemas.handling import Extension, SwitchReceipt
from webapp.store import store
from webapp.switch.base import ACTS, CHANNEL, CHANNEL_NAME, Order, SwitchError
from webapp.switch.choose import switch_of

api = Blueprint("switch", __name__, url_prefix="/v1")


@api.get("/session/extension")
@operation("The extension at which the switch calls me", {200: Extension})
@needs("act")
def read_extension() -> Response:
    """Empty if none is known. acts: the acts that the switch takes; none where no switch is set up."""
    inputs.query()
    who = rights.require("act")
    acts: list[str] = list(ACTS) if switch_of(store().settings) else []
    return as_json(Extension(store().extensions.of(who.name), acts))


@api.put("/session/extension")
@operation(
    "Say at which extension the switch calls me",
    {200: Extension},
    JSON_BODY,
    body=Extension,
)
@needs("act")
def put_extension() -> Response:
    """It belongs to the account or person, not to the session."""
    inputs.query()
    asked: Extension = inputs.json_body(Extension)
    who = rights.require("act")
    rights.record_act("extension")
    store().extensions.set(who.name, asked.extension)
    return read_extension()


@api.post("/calls/<call_id>/switch/<act>")
@operation(
    "Whisper to the agent, barge in, take the call over or hang it up",
    {202: SwitchReceipt},
    {
        404: "No such call.",
        409: "`reason`: no_switch (none is set up), no_channel (the call's metadata names none), ended (it is over)"
        " or no_extension (say first at which extension you are).",
        502: "The switch does not answer, or will not.",
    },
)
@needs("act")
def post_act(call_id: str, act: str) -> Response:
    """202 when the switch has begun. Then the supervisor's phone rings, except for a hangup."""
    inputs.query()
    call_id = inputs.call_id(call_id)
    if act not in ACTS:
        raise invalid("act", f"must be one of {', '.join(ACTS)}")
    who = rights.require("act")
    switch = switch_of(store().settings)
    if switch is None:
        raise Problem(409, "no_switch", _("No switch is set up here: see ARI_URL and SWITCH_WEBHOOK_URL."))
    call = store().reads.call(call_id)
    if call is None:
        raise Problem(404, "unknown_call", _("There is no such call; ended calls are kept for some hours only."))
    if call.state != "live":
        raise Problem(409, "ended", _("The call is over."))
    channel = call.metadata.get(CHANNEL_NAME, "")
    if not re.fullmatch(CHANNEL, channel):
        raise Problem(
            409, "no_channel", _("The call's metadata names no channel of the switch ({name}).", name=CHANNEL_NAME)
        )
    extension = store().extensions.of(who.name)
    if not extension and act != "hangup":
        raise Problem(409, "no_extension", _("Say first at which extension the switch can call you."))
    rights.record_act(act, call_id)  # an act that cannot be written down is not done
    try:
        switch.carry_out(Order(act, call_id, channel, "" if act == "hangup" else extension, who.who))
    except SwitchError as error:
        raise Problem(502, "switch", str(error)) from None
    return as_json(SwitchReceipt(call_id, act), 202)
