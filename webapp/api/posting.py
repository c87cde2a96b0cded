"""/v1/calls, the sender's side: telephony declares calls, posts their audio and ends them. The contract fixes the
statuses."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, request, url_for

from state.calls.ingest import MAX_GAP, MAX_TRACKS, Chunk, PutAnswer
from state.types import Sender
from webapp.access.identity import sender
from webapp.access.rights import needs
from webapp.api import history
from webapp.api.documents.openapi import JSON_BODY, Parameter, operation
from webapp.http import audio_forms, inputs
from webapp.http.answers import as_json
from webapp.http.problems import Problem
from webapp.schemas.calls import CallEnd, ChannelsReceipt, ChunkReceipt, DeclaredCall, EndReceipt, NewCall
from webapp.store import Store, store

api = Blueprint("posting", __name__, url_prefix="/v1")

_CHUNK_REFUSALS = {
    409: "`reason`: gap (see `expected_seq`), other_bytes, rate or too_many_tracks.",
    410: "The call's sender has ended it.",
    413: "More than 1 MiB or 10 s of audio.",
    415: "A form that is not known: `known_types` lists those that are.",
    429: "Too much audio is waiting to be decoded, or too many calls are live: repeat after Retry-After.",
}

_ON_GAP = Parameter("on_gap", {"enum": ["skip"]}, "skip: chunks before this one are lost; record a gap and go on")


@api.post("/calls")
@operation(
    "Declare a call",
    {201: DeclaredCall, 200: DeclaredCall},
    {
        409: "`reason`: differs (the call exists with other tracks or metadata).",
        **JSON_BODY,
        429: "Too much audio is waiting to be decoded, or too many calls are live: repeat after Retry-After.",
    },
    body=NewCall,
)
@needs("ingest")
def declare_call() -> Response:
    """201 for a new call, 200 if the same declaration came before."""
    inputs.query()
    declared = inputs.new_call()
    call_id = declared.call_id or str(uuid.uuid4())
    _refuse_under_pressure(store(), call_id)
    outcome = store().ingest.create(call_id, declared.tracks, declared.metadata, sender())
    if outcome == "BUSY":
        raise _busy()
    if outcome == "FOREIGN":
        raise another_sender(call_id)
    if outcome == "DIFFERS":
        raise Problem(409, "differs", f"Call {call_id} exists with other tracks or metadata.")
    location = url_for("calls.read_call", call_id=call_id)
    answer = DeclaredCall(call_id, declared.tracks, declared.metadata)
    return as_json(answer, 201 if outcome == "CREATED" else 200, {"Location": location})


@api.put("/calls/<call_id>/tracks/<track>/chunks/<seq>")
@operation(
    "Post chunk number seq of a track; safe to repeat",
    {202: ChunkReceipt, 200: ChunkReceipt},
    _CHUNK_REFUSALS,
    audio=True,
    query=[_ON_GAP],
)
@needs("ingest")
def put_chunk(call_id: str, track: str, seq: str) -> Response:
    """202 for a new chunk, 200 for one that was accepted before. A chunk of an unknown call creates the call."""
    skip = inputs.choice(inputs.query("on_gap"), "on_gap", ("skip",)) is not None
    return _take_chunk(call_id, track, inputs.seq(seq), skip)


@api.put("/calls/<call_id>/chunks/<seq>")
@operation(
    "Post chunk number seq of several tracks, interleaved; safe to repeat",
    {202: ChannelsReceipt, 200: ChannelsReceipt},
    _CHUNK_REFUSALS,
    audio=True,
    query=[
        Parameter("tracks", {"type": "string"}, "names of the channels in order, with commas: agent,customer", True),
        _ON_GAP,
    ],
)
@needs("ingest")
def put_channels(call_id: str, seq: str) -> Response:
    """202 for a new chunk, 200 for one that was accepted before. A chunk of an unknown call creates the call.

    The server takes the tracks one after another. After a refusal (409, 429, 503) it may have the first ones. Repeat
    the request, or go on from `expected_seq`, to complete the chunk. The server takes nothing twice.
    """
    parameters = inputs.query("tracks", "on_gap")
    skip = inputs.choice(parameters, "on_gap", ("skip",)) is not None
    call_id, number = inputs.call_id(call_id), inputs.seq(seq)
    names = inputs.tracks(parameters.get("tracks"))
    chunks = audio_forms.parse_channels(request.headers.get("Content-Type"), inputs.raw_body(), len(names))
    _refuse_under_pressure(store(), call_id)
    ingest = store().ingest
    asks = sender()
    answers = [ingest.put(call_id, name, number, chunk, skip, asks) for name, chunk in zip(names, chunks, strict=True)]
    behind = min((answer for answer in answers if answer.outcome == "GAP"), key=lambda a: a.next_seq, default=None)
    if behind is not None:
        raise _refusal(call_id, ",".join(names), behind)
    for name, answer in zip(names, answers, strict=True):
        if answer.outcome not in ("OK", "DUP"):
            raise _refusal(call_id, name, answer)
    following = {name: answer.next_seq for name, answer in zip(names, answers, strict=True)}
    new = any(answer.outcome == "OK" for answer in answers)
    return as_json(ChannelsReceipt(call_id, number, following), 202 if new else 200)


@api.post("/calls/<call_id>/tracks/<track>/chunks")
@operation(
    "Post the next chunk of a track; the server numbers it, so a repeated post is a second chunk",
    {202: ChunkReceipt},
    _CHUNK_REFUSALS,
    audio=True,
)
@needs("ingest")
def post_chunk(call_id: str, track: str) -> Response:
    """202 for every chunk that the server takes."""
    inputs.query()
    return _take_chunk(call_id, track, None, False)


def _take_chunk(call_id: str, track: str, seq: int | None, skip_gap: bool) -> Response:
    call_id, track = inputs.call_id(call_id), inputs.track(track)
    chunk = audio_forms.parse(request.headers.get("Content-Type"), inputs.raw_body())
    new, receipt = take(store(), sender(), call_id, track, seq, chunk, skip_gap)
    return as_json(receipt, 202 if new else 200)


def take(
    here: Store, asks: Sender, call_id: str, track: str, seq: int | None, chunk: Chunk, skip_gap: bool = False
) -> tuple[bool, ChunkReceipt]:
    """Put a chunk into the store. Returns whether it is new, and the receipt. Raises Problem for a refused chunk."""
    _refuse_under_pressure(here, call_id)
    answer = here.ingest.put(call_id, track, seq, chunk, skip_gap, asks)
    if answer.outcome not in ("OK", "DUP"):
        raise _refusal(call_id, track, answer)
    return answer.outcome == "OK", ChunkReceipt(call_id, track, answer.seq, answer.next_seq)


@api.post("/calls/<call_id>/end")
@operation(
    "Say that no more audio comes; safe to repeat",
    {202: EndReceipt},
    {
        404: "No such call.",
        409: "`reason`: gap (chunks up to a `last_seq` are missing: post them from `expected_seq` on and end again).",
        **JSON_BODY,
    },
    body=CallEnd,
)
@needs("ingest")
def end_call(call_id: str) -> Response:
    """202, the first time and every time."""
    inputs.query()
    call_id = inputs.call_id(call_id)
    answer = store().ingest.end(call_id, inputs.call_end().last_seq, sender())
    if answer.outcome == "UNKNOWN":
        raise history.unknown(call_id)
    if answer.outcome == "FOREIGN":
        raise another_sender(call_id)
    if answer.outcome == "SHORT":
        detail = f"The server expects chunk {answer.next_seq} of {answer.track} before the end."
        raise Problem(409, "gap", detail, expected_seq=answer.next_seq)
    return as_json(EndReceipt(call_id), 202)


def _refuse_under_pressure(here: Store, call_id: str) -> None:
    if here.under_pressure(call_id):
        raise Problem(503, "store_full", "The store's memory is nearly full.", retry=True)


def _refusal(call_id: str, track: str, answer: PutAnswer) -> Problem:
    if answer.outcome == "GAP":
        detail = f"You posted chunk {answer.seq}, but the server expects {answer.next_seq} next."
        if answer.seq - answer.next_seq > MAX_GAP:
            detail += f" on_gap=skip bridges at most {MAX_GAP} chunks."
        return Problem(409, "gap", detail, expected_seq=answer.next_seq)
    if answer.outcome == "OTHER":
        return Problem(409, "other_bytes", f"The server accepted chunk {answer.seq} before, with other audio.")
    if answer.outcome == "RATE":
        return Problem(409, "rate", f"The first chunk fixed the sample rate of track {track}.")
    if answer.outcome == "TRACKS":
        return Problem(409, "too_many_tracks", f"A call has at most {MAX_TRACKS} tracks.")
    if answer.outcome == "FOREIGN":
        return another_sender(call_id)
    if answer.outcome == "CLOSED":
        return sender_ended(call_id)
    return _busy()


def another_sender(call_id: str) -> Problem:
    """403: the call belongs to another sender."""
    return Problem(403, "another_sender", f"Call {call_id} belongs to another sender.")


def sender_ended(call_id: str) -> Problem:
    """410: no more comes to the call."""
    return Problem(410, "ended", f"The sender has ended call {call_id}.")


def _busy() -> Problem:
    return Problem(429, "busy", "Too much audio is waiting to be decoded, or too many calls are live.", retry=True)
