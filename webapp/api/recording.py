"""/v1/calls/{id}/recording: the kept sound of an ended call."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.wsgi import wrap_file

from state.recording import catalogue
from state.recording.catalogue import Recording
from state.recording.sounds import Named
from webapp.access.rights import needs, record_read
from webapp.api.documents.openapi import operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import Problem
from webapp.schemas.recording import ApiRecording, ApiSilence
from webapp.store import store

api = Blueprint("recording", __name__, url_prefix="/v1")

_NONE = {404: "The call has no recording: it was not recorded, is not made ready yet, or its time is over."}


@api.get("/calls/<call_id>/recording")
@operation("Read what is known of a call's recording", {200: ApiRecording}, _NONE)
@needs("read")
def read_recording(call_id: str) -> Response:
    """How long it is, where it is silent and why, and its waveform."""
    inputs.query()
    _, found = _found(inputs.call_id(call_id))
    silences = [ApiSilence(*one) for one in found.silences]
    told = ApiRecording(found.seconds, found.rate, found.size, silences, found.step, *found.peaks)
    return as_json(told)


@api.get("/calls/<call_id>/recording/sound")
@operation(
    "Hear a call's recording: the agent on the left, the customer on the right",
    {200: dict, 206: dict},
    {**_NONE, 416: "The file has no such range."},
    forms=("audio/flac",),
)
@needs("read")
def read_sound(call_id: str) -> Response:
    """The whole file, or with `Range` a part of it. The audit trail says who fetched it."""
    inputs.query()
    call_id = inputs.call_id(call_id)
    call, found = _found(call_id)
    sounds = store().sounds
    file = sounds.open(call) if sounds is not None else None
    if file is None:
        raise _no_recording(call_id)
    record_read("recording", call_id)
    answer = Response(wrap_file(request.environ, file), content_type="audio/flac")
    answer.direct_passthrough = True
    answer.headers["Content-Disposition"] = f'inline; filename="{call_id}.flac"'
    answer.cache_control.no_store = True
    answer.content_length = found.size
    answer.make_conditional(request, accept_ranges=True, complete_length=found.size)
    return answer


def _found(call_id: str) -> tuple[Named, Recording]:
    archive = store().archive
    found = catalogue.find(archive, call_id) if archive is not None else None
    if found is None:
        raise _no_recording(call_id)
    return found


def _no_recording(call_id: str) -> Problem:
    return Problem(404, "no_recording", _("Call {call_id} has no recording.", call_id=call_id))
