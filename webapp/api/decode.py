"""POST /decode: the client of this idea's first demonstration runs unchanged.

It posts JSON with a quarter of a second of samples and prints `hstr` and `confidence` of the answer. `id` names the
speaker. `do_finalize` ends the conversation; the next piece under the same id begins another call.
"""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
import numpy as np
from flask import Blueprint, Response
from msgspec import Meta

from state.calls.ingest import Chunk
from state.calls.streams import Heard, OtherSender
from state.types import Sender
from webapp.access.identity import sender
from webapp.access.rights import needs
from webapp.api.documents.openapi import operation
from webapp.api.posting import another_sender
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.audio_forms import MAX_CHUNK_SECONDS, MAX_RATE, MIN_RATE
from webapp.http.names import CUSTOMER, clean_call_id
from webapp.http.problems import Problem, invalid
from webapp.store import Store, store

api = Blueprint("decode", __name__)

BEHIND_SECONDS = 2.0
"""Seconds the fleet may be behind before the answer waits for it. This slows down a client that posts a file."""

PATIENCE_SECONDS = 10.0
"""At most so many seconds to wait for words. Below any proxy's limit (Heroku: 30 s)."""

LOOK_SECONDS, LOOK_AT_LEAST_SECONDS = 0.05, 0.25
"""Seconds between two looks at the words: at first, and later. Each look is a step of the store."""


class DecodeRequest(msgspec.Struct):
    """A piece of a conversation. audio: signed 16 bit samples. The server ignores broker and topic."""

    audio: list[Annotated[int, Meta(ge=-32768, le=32767)]]
    sample_rate: Annotated[int, Meta(ge=MIN_RATE, le=MAX_RATE)]
    id: int | Annotated[str, Meta(min_length=1, max_length=128)]
    do_finalize: bool = False
    broker: str | None = None
    topic: str | None = None


class Decoded(msgspec.Struct):
    """hstr: all words of the conversation so far. confidence: their mean, 0 to 1; 1 from an engine without any."""

    hstr: str
    confidence: float
    id: str
    call_id: str


_request = msgspec.json.Decoder(DecodeRequest)


@api.post("/decode")
@operation(
    "Post a piece of audio and get the conversation's words so far (the first demonstration's interface)",
    {200: Decoded},
    {
        409: "The sample rate changed within a conversation.",
        413: "More than 1 MiB of JSON or 10 s of audio.",
        429: "Too much audio waits for a decoder, or too many requests ask for words. Repeat after Retry-After.",
        503: "`reason`: no_decoder (nobody would hear it), or the store is away or full: repeat after Retry-After.",
    },
    body=DecodeRequest,
)
@needs("ingest")
def decode() -> Response:
    """The words known by now; with do_finalize all of them."""
    inputs.query("access_token")
    asked = _asked(inputs.raw_body())
    here = store()
    asks = sender("decode")
    speaker = clean_call_id(asked.id)
    if not here.health.decoder_lives():
        raise Problem(503, "no_decoder", "No decoder is alive.", retry=True)
    conversation = here.streams.conversation(speaker)
    call_id = _call_id(speaker, conversation)
    if asked.audio and not _put(here, call_id, asks, asked):  # it was idle and has ended: a new conversation begins
        conversation = here.streams.next_conversation(speaker, conversation, _keep_seconds(here))
        call_id = _call_id(speaker, conversation)
        if not _put(here, call_id, asks, asked):
            raise _busy()
    ended = False
    if asked.do_finalize:
        outcome = here.ingest.end(call_id, sender=asks).outcome
        if outcome == "FOREIGN":
            raise another_sender(call_id)
        ended = outcome != "UNKNOWN"
        if ended:
            here.streams.next_conversation(speaker, conversation, _keep_seconds(here))
    try:
        said = _listen(here, call_id, asks, ended)
    except OtherSender:
        raise another_sender(call_id) from None
    text = " ".join(part for part in (*(final.text for final in said.finals), said.partial) if part)
    return as_json(Decoded(text, _confidence(said, text), str(asked.id), call_id))


def _asked(body: bytes) -> DecodeRequest:
    try:
        asked = _request.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # it also tells of values that do not fit the types
        raise invalid("body", str(error)) from None
    if len(asked.audio) > MAX_CHUNK_SECONDS * asked.sample_rate:
        raise Problem(413, "too_long", f"A piece is at most {MAX_CHUNK_SECONDS} s.")
    return asked


def _put(here: Store, call_id: str, asks: Sender, asked: DecodeRequest) -> bool:
    """Take the piece of audio. False if its conversation has ended."""
    if here.under_pressure(call_id):
        raise Problem(503, "store_full", "The store's memory is nearly full.", retry=True)
    chunk = Chunk(np.array(asked.audio, "<i2").tobytes(), "s16le", asked.sample_rate)
    outcome = here.ingest.put(call_id, CUSTOMER, None, chunk, sender=asks).outcome
    if outcome == "FOREIGN":
        raise another_sender(call_id)
    if outcome == "RATE":
        raise Problem(409, "rate", "The conversation's first piece fixed the sample rate.")
    if outcome not in ("OK", "CLOSED"):
        raise _busy()
    return outcome == "OK"


def _busy() -> Problem:
    return Problem(429, "busy", "Too much audio waits for a decoder.", retry=True)


def _confidence(said: Heard, text: str) -> float:
    """The mean of the words' confidences; where the engine gives none, 1 for words and 0 for no words."""
    known = [word.conf for final in said.finals for word in final.words if word.conf is not None]
    return round(sum(known) / len(known), 4) if known else float(bool(text))


def _call_id(speaker: str, conversation: int) -> str:
    return clean_call_id(f"{speaker}.{conversation + 1}" if conversation else speaker)


def _keep_seconds(here: Store) -> int:
    return here.settings.retention_hours * 3600 * 2


def _listen(here: Store, call_id: str, asks: Sender, to_the_end: bool) -> Heard:
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause_seconds = LOOK_SECONDS
    while True:
        here.sight.look([call_id])
        heard = here.streams.heard(call_id, CUSTOMER, 0, asks)
        enough = heard.finished if to_the_end else heard.behind_seconds <= BEHIND_SECONDS
        if enough or time.monotonic() > deadline:
            return heard
        time.sleep(pause_seconds)
        pause_seconds = min(1.5 * pause_seconds, LOOK_AT_LEAST_SECONDS)
