"""/v1/streams: the sockets that telephony opens. Each protocol's module says what it understands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from flask import Blueprint, Response, current_app, request
from werkzeug.routing.exceptions import WebsocketMismatch

from state.types import Sender
from webapp.access.identity import sender
from webapp.access.rights import needs, require
from webapp.api.documents.openapi import Parameter, operation
from webapp.http.problems import Problem, invalid
from webapp.store import store
from webapp.streams.audiohook import AudioHookParser
from webapp.streams.binary import BinaryParser
from webapp.streams.events import ProtocolError
from webapp.streams.loop import Loop
from webapp.streams.serve import serve
from webapp.streams.streamed_call import StreamedCall
from webapp.streams.twilio import TwilioParser, is_signed
from webapp.streams.vosk_server import VoskParser, VoskTalk

NO_SOCKET_HERE = (
    "No websocket is served at this path. Telephony connects to /v1/streams/twilio, /v1/streams/audio, /v1/streams/vosk"
    " or /v1/streams/audiohook; vosk-server's clients may connect to / on the port of VOSK_PORT."
)

api = Blueprint("streams", __name__, url_prefix="/v1/streams")

LOOP = "earshot-streams"
"""Under this name in `app.extensions`: the process's Loop."""

_REFUSALS = {
    426: "The request is no websocket upgrade.",
    501: "This server cannot open websockets (only gunicorn can, without TLS of its own).",
}
_TEXT = {"type": "string"}
_CALL = Parameter("call_id", _TEXT, "the call's id, if the protocol brings none")


def _query() -> dict[str, str]:
    """The address's words about the call; the key is not for the parsers."""
    return {name: value for name, value in request.args.items() if name not in ("access_token", "authorization")}


def _address() -> str:
    """The address that the sender used."""
    public = store().settings.public_url
    return public.rstrip("/") + request.full_path.rstrip("?") if public else request.url


View = TypeVar("View", bound=Callable[[], Response])


def _socket(path: str) -> Callable[[View], View]:
    """A route for websocket upgrades. Other requests get an answer that says so."""

    def mark(view: View) -> View:
        for websocket in (True, False):
            api.add_url_rule(path, view_func=view, methods=["GET"], websocket=websocket)
        return view

    return mark


@api.app_errorhandler(WebsocketMismatch)
def no_socket_here(_error: WebsocketMismatch) -> Response:
    """The answer to a websocket at a page's address: it says where to go."""
    return Problem(404, "no_socket", NO_SOCKET_HERE).response()


def loop() -> Loop:
    """The loop of the process that serves this request."""
    return cast(Loop, current_app.extensions[LOOP])


@_socket("/twilio")
@operation(
    "A websocket for Twilio Media Streams and its dialects (Telnyx, Plivo, Exotel, SignalWire, Talkdesk)",
    {101: None},
    {
        **_REFUSALS,
        403: "The key may not ingest; or, where TWILIO_AUTH_TOKEN is set, X-Twilio-Signature is missing or wrong.",
    },
)
@needs("ingest", signed=True)  # Twilio shows no key but signs: decided here
def twilio() -> Response:
    """Text frames of JSON with audio in base64."""
    token = store().settings.twilio_auth_token
    if not token or not is_signed(token, _address(), request.headers.get("X-Twilio-Signature", "")):
        who = require("ingest")
        if token and who.kind != "key":
            raise Problem(403, "signature", "X-Twilio-Signature is not that of this address.")
        asks = sender()
    else:
        asks = Sender("Twilio", reads=False)
    parser = TwilioParser()
    return serve(loop(), parser, StreamedCall(store(), parser, asks))


@_socket("/audio")
@operation(
    "A websocket for JSON first, then raw audio (FreeSWITCH, jambonz, Vonage, Asterisk chan_websocket)",
    {101: None},
    _REFUSALS,
    query=[
        _CALL,
        Parameter("tracks", _TEXT, "names of the audio's channels, with commas: customer,agent"),
        Parameter("rate", {"type": "integer", "minimum": 8000, "maximum": 48000}, "samples a second"),
        Parameter("encoding", _TEXT, "l16 (little-endian), ulaw or alaw"),
    ],
)
@needs("ingest")
def audio() -> Response:
    """The first text says what the call is; what it does not say, the query may. Other words are metadata."""
    parser = BinaryParser(_query())
    return serve(loop(), parser, StreamedCall(store(), parser, sender()))


@_socket("/vosk")
@operation(
    "A websocket that speaks vosk-server's protocol: its clients get partials and results from the fleet",
    {101: None},
    _REFUSALS,
    query=[_CALL, Parameter("track", _TEXT, "who speaks; customer if not given")],
)
@needs("ingest")
def vosk() -> Response:
    """One JSON text for every binary frame."""
    try:
        parser = VoskParser(_query())
    except ProtocolError as error:
        raise invalid("track", str(error)) from None
    return serve(loop(), parser, VoskTalk(store(), parser, sender()), prompt=True)


@_socket("/audiohook")
@operation("A websocket for Genesys AudioHook, version 2", {101: None}, _REFUSALS)
@needs("ingest")
def audiohook() -> Response:
    """JSON messages beside interleaved audio."""
    parser = AudioHookParser()
    return serve(loop(), parser, StreamedCall(store(), parser, sender()))
