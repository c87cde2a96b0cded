"""/v1/calls/{id}/audio: a supervisor hears a call, live or as far back as its audio is kept.

A page asks for piece after piece and plays them one after another. This process keeps nothing for it, so the page can
go on with any web process. Each request may be the first, so each makes sure that the listen is in the audit trail.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response

from state.calls.listening import Sound
from state.credentials import digest
from webapp.access import rights
from webapp.access.rights import needs
from webapp.api import sound
from webapp.api.documents.openapi import Parameter, operation
from webapp.http import inputs
from webapp.http.language import _
from webapp.http.problems import Problem, invalid
from webapp.store import store

api = Blueprint("listen", __name__, url_prefix="/v1")

DEFAULT_PIECE_SECONDS, MAX_PIECE_SECONDS = 5.0, 10.0
"""Most seconds of a piece: 10 s are 320 kB at telephony's 8 kHz."""

LIVE_SECONDS = 0.7
"""Seconds of the past that a listener hears first: about enough until the next chunk comes."""

HANGING_SECONDS = 2.0
"""Seconds behind the others after which nobody waits for a track: its sender has stopped."""

SAME_LISTEN_SECONDS = 30
"""Seconds without listening after which a person's next listen is a new entry of the audit trail."""

_SECONDS = re.compile(r"[0-9]{1,8}(\.[0-9]{1,6})?")


@api.get("/calls/<call_id>/audio")
@operation(
    "Hear a call: the agent on the left, the customer on the right",
    {200: dict, 204: None},
    {404: "No such call, or (`reason`: not_kept) no audio: the call ended too long ago, or LISTEN_SECONDS=0."},
    query=[
        Parameter("from", {"type": "number", "minimum": 0}, "second of the call; not given: the newest second"),
        Parameter(
            "seconds",
            {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_PIECE_SECONDS, "default": DEFAULT_PIECE_SECONDS},
            "how much at most",
        ),
    ],
    forms=("audio/wav",),
)
@needs("act")
def read_audio(call_id: str) -> Response:
    """The audio from that second on, as 16 bit stereo. 204 if there is none yet.

    The headers Earshot-From and Earshot-Until say which seconds of the call these are. Ask for the next piece with
    `from` = Earshot-Until. Earshot-Oldest and Earshot-Newest say which seconds you can hear. The answer leaves out a
    gap longer than the piece. The audit trail has every listen.
    """
    parameters = inputs.query("from", "seconds")
    call_id = inputs.call_id(call_id)
    wanted = _seconds(parameters, "from")
    length = _seconds(parameters, "seconds")
    if length is not None and not 0 < length <= MAX_PIECE_SECONDS:
        raise invalid("seconds", f"must be more than 0 and at most {MAX_PIECE_SECONDS:g}")
    kept = store().listening.ends(call_id)
    if kept is None:
        raise Problem(404, "unknown_call", _("There is no such call; ended calls are kept for some hours only."))
    if not kept:
        raise Problem(404, "not_kept", _("Earshot has no audio of this call."))
    oldest = min(first.start for first, _ in kept.values())
    ends = [last.end for _, last in kept.values()]
    newest = min(end for end in ends if end > max(ends) - HANGING_SECONDS)
    start = max(oldest, newest - LIVE_SECONDS if wanted is None else wanted)
    headers = {"Earshot-Oldest": f"{oldest:.6f}", "Earshot-Newest": f"{newest:.6f}"}
    start, end, sounds = _piece(call_id, list(kept), start, newest, length or DEFAULT_PIECE_SECONDS)
    if not any(sounds.values()):
        return Response(status=204, headers=headers)
    _write_down(call_id)
    headers |= {"Earshot-From": f"{start:.6f}", "Earshot-Until": f"{end:.6f}"}
    return Response(sound.stereo(sounds, start, end), headers=headers, content_type="audio/wav")


def _piece(
    call_id: str, tracks: list[str], start: float, newest: float, length: float
) -> tuple[float, float, dict[str, list[Sound]]]:
    """(start, end, the kept audio in between). If chunks were lost, it starts with the next kept one."""
    listening = store().listening
    end = min(newest, start + length)
    sounds = listening.read(call_id, tracks, start, end) if start < end else {}
    if end < newest and not any(sounds.values()):
        start = listening.next_start(call_id, tracks, end)
        end = min(newest, start + length)
        sounds = listening.read(call_id, tracks, start, end) if start < end else {}
    return start, end, sounds


def _write_down(call_id: str) -> None:
    """Record the listen first: without an entry nobody hears anything."""
    by = digest(rights.require("act").who)
    if not store().listening.goes_on(call_id, by):
        rights.record_read("listen", call_id)
    store().listening.note(call_id, by, SAME_LISTEN_SECONDS)


def _seconds(parameters: dict[str, str], name: str) -> float | None:
    given = parameters.get(name)
    if given is None:
        return None
    if not _SECONDS.fullmatch(given):
        raise invalid(name, "must be a number of seconds with at most six decimals")
    return float(given)
