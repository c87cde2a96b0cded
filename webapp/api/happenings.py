"""/v1/calls/{id}/events and /recording/pause, /recording/resume: events on the line that the sound does not tell."""

from __future__ import annotations

from flask import Blueprint, Response

from state.calls.happenings import MOST
from state.types import HappeningKind
from webapp.access.identity import sender
from webapp.access.rights import needs, record_act
from webapp.api import history
from webapp.api.documents.openapi import JSON_BODY, operation
from webapp.api.posting import another_sender, sender_ended
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.problems import Problem, invalid
from webapp.schemas.happenings import HappeningReceipt, HappeningTold
from webapp.store import store

api = Blueprint("happenings", __name__, url_prefix="/v1")

_GONE = {404: "No such call.", 410: "The sender has ended the call."}


@api.post("/calls/<call_id>/events")
@operation(
    "Say that a party is on hold, mute, transferred, joins or leaves",
    {200: HappeningReceipt},
    {
        **_GONE,
        409: f"`reason`: full (a call has at most {MOST} of them).",
        **JSON_BODY,
    },
    body=HappeningTold,
)
@needs("ingest")
def post_event(call_id: str) -> Response:
    """It counts from now, the second of the call that its newest audio has reached.

    While somebody is on hold, Earshot does not decode the other parties' audio: it is music, or a talk with others. A
    second hold changes nothing; a transfer and a dtmf count every time. A join says who is on a track from now on. One
    call has all the legs that joined it, wherever a consultation or a transfer leads.
    """
    inputs.query()
    told: HappeningTold = inputs.json_body(HappeningTold)
    if told.kind in ("mute", "unmute", "join", "leave") and told.track is None:
        raise invalid("/track", "must say whose line it is")
    if not told.who.isprintable() or bool(told.who) != (told.kind == "join"):
        raise invalid("/who", "must be printable, and comes with a join only, which needs it")
    if not told.to.isprintable() or (told.to and told.kind != "transfer"):
        raise invalid("/to", "must be printable, and comes with a transfer only")
    return _tell(inputs.call_id(call_id), told.kind, told.track or "", told.to, told.who)


@api.post("/calls/<call_id>/recording/pause")
@operation(
    "Pause the recording, for a payment say",
    {200: HappeningReceipt},
    {**_GONE, 409: "`reason`: not_recorded (the call is not) or full."},
)
@needs("ingest")
def pause_recording(call_id: str) -> Response:
    """Whole chunks from now on are silence in the file. Earshot still writes down the words. Safe to repeat."""
    inputs.query()
    return _tell(inputs.call_id(call_id), "recording-paused")


@api.post("/calls/<call_id>/recording/resume")
@operation("Go on with the recording", {200: HappeningReceipt}, {**_GONE, 409: "`reason`: full."})
@needs("ingest")
def resume_recording(call_id: str) -> Response:
    """The next chunk that begins after this is in the file again. Safe to repeat."""
    inputs.query()
    return _tell(inputs.call_id(call_id), "recording-resumed")


def _tell(call_id: str, kind: HappeningKind, track: str = "", to: str = "", who: str = "") -> Response:
    if kind in ("recording-paused", "recording-resumed"):
        record_act(kind, call_id)  # an act that cannot be written down is not done
    told = store().happenings.tell(call_id, kind, track, to, sender(), who)
    if told.outcome == "UNKNOWN":
        raise history.unknown(call_id)
    if told.outcome == "FOREIGN":
        raise another_sender(call_id)
    if told.outcome == "CLOSED":
        raise sender_ended(call_id)
    if told.outcome == "OFF":
        raise Problem(409, "not_recorded", f"Call {call_id} is not recorded.")
    if told.outcome == "FULL":
        raise Problem(409, "full", f"A call has at most {MOST} events.")
    return as_json(HappeningReceipt(call_id, told.at))
