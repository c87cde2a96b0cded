"""Checks everything from outside except audio: path, query and JSON bodies.

Checked values may be part of a key in Redis and of a log line. All others raise `Problem` 400, 413 or 415.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from flask import request

from state.calls.ingest import MAX_TRACKS
from state.types import CALL_ID, TRACK
from webapp.http.problems import ErrorItem, Problem, invalid
from webapp.schemas.calls import CallEnd, NewCall
from webapp.schemas.values import MAX_METADATA_CHARACTERS, MAX_METADATA_KEY, MAX_SEQ

MAX_JSON_BYTES = 64 * 1024
"""Most bytes of a JSON body: the largest metadata, with every character escaped, has 50 kB."""

_CURSOR = re.compile(r"[0-9.e+-]{1,32}_[0-9]{1,9}")
_SEQ = re.compile(r"[0-9]{1,16}")
_new_call = msgspec.json.Decoder(NewCall)
_call_end = msgspec.json.Decoder(CallEnd)
Body = TypeVar("Body")


def call_id(given: str) -> str:
    if not re.fullmatch(CALL_ID, given):
        raise invalid("call_id", "must have at most 128 letters, digits and . _ ~ -, and begin with a letter or digit")
    return given


def track(given: str) -> str:
    if not re.fullmatch(TRACK, given):
        raise invalid("track", "must have at most 32 small letters, digits, _ and -, and begin with a letter or digit")
    return given


def tracks(given: str | None) -> list[str]:
    """The tracks of a chunk's channels, from ?tracks=agent,customer."""
    if given is None:
        raise invalid("tracks", "must name the audio's channels in order: tracks=agent,customer")
    names = [track(name) for name in given.split(",")]
    if not 2 <= len(names) <= MAX_TRACKS or len(set(names)) != len(names):
        raise invalid("tracks", f"must be 2 to {MAX_TRACKS} distinct names")
    return names


def seq(given: str) -> int:
    if not _SEQ.fullmatch(given) or not 1 <= int(given) <= MAX_SEQ:
        raise invalid("seq", "must be a number from 1 (the track's first chunk) to 2^53")
    return int(given)


def query(*known: str) -> dict[str, str]:
    """The query's parameters. Refuses an unknown or repeated one, because it is probably a typing error."""
    for name, values in request.args.lists():
        if name not in known:
            raise invalid(name, f"is not a parameter here; known: {', '.join(known) or 'none'}")
        if len(values) > 1:
            raise invalid(name, "is given more than once")
    return request.args.to_dict()


def choice(parameters: dict[str, str], name: str, known: tuple[str, ...]) -> str | None:
    given = parameters.get(name)
    if given is not None and given not in known:
        raise invalid(name, f"must be {' or '.join(known)}")
    return given


def number(parameters: dict[str, str], name: str, default: int, most: int) -> int:
    given = parameters.get(name)
    if given is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", given) or not 1 <= int(given) <= most:
        raise invalid(name, f"must be a number from 1 to {most}")
    return int(given)


def bad_cursor() -> Problem:
    return invalid("cursor", "must be a next_cursor from the list before")


def cursor(parameters: dict[str, str]) -> str | None:
    given = parameters.get("cursor")
    if given is not None and not _CURSOR.fullmatch(given):
        raise bad_cursor()
    return given


def raw_body() -> bytes:
    """The body as it came. Refuses a compressed one, because it would be stored as noise."""
    coding = request.headers.get("Content-Encoding", "identity")
    if coding.lower() != "identity":
        raise Problem(415, "unknown_coding", "Content-Encoding is not supported. Send the body plain.")
    return request.get_data(cache=False)


def new_call() -> NewCall:
    """The body of POST /v1/calls. An empty one declares a call with all defaults."""
    declared = _json(_new_call) or NewCall()
    wrong = _faults(declared)
    if wrong:
        raise Problem(400, "invalid", f"The body does not fit: {wrong[0].detail}", errors=wrong)
    return declared


def call_end() -> CallEnd:
    """The body of POST /v1/calls/{call_id}/end. It may be empty."""
    said = _json(_call_end) or CallEnd()
    if not all(re.fullmatch(TRACK, name) for name in said.last_seq):
        raise invalid("last_seq", "names an impossible track")
    return said


def json_body(form: type[Body]) -> Body:
    """The body of this request, which must be JSON of that form."""
    found = _json(msgspec.json.Decoder(form))
    if found is None:
        raise invalid("body", "is missing")
    return found


def _json(decoder: msgspec.json.Decoder[Body]) -> Body | None:
    """The JSON body, checked against its type. None if it is empty."""
    request.max_content_length = MAX_JSON_BYTES
    body = raw_body()
    if not body:
        return None
    if not request.is_json:
        raise Problem(415, "unknown_form", "The body must be JSON (Content-Type: application/json).")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        item = ErrorItem(_pointer(where), what)
        raise Problem(400, "invalid", f"The body does not fit: {error}", errors=[item]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, "invalid", f"The body is not JSON: {error}", errors=[ErrorItem("", str(error))]) from None


def _faults(declared: NewCall) -> list[ErrorItem]:
    """Checks that the types cannot express. (msgspec searches with a pattern, whose $ lets a final line break pass.)"""
    wrong = []
    if declared.call_id is not None and not re.fullmatch(CALL_ID, declared.call_id):
        wrong.append(ErrorItem("/call_id", "Line breaks are not allowed"))
    if not all(re.fullmatch(TRACK, name) for name in declared.tracks):
        wrong.append(ErrorItem("/tracks", "Line breaks are not allowed"))
    if len(set(declared.tracks)) != len(declared.tracks):
        wrong.append(ErrorItem("/tracks", "The same track is named twice"))
    if sum(map(len, (*declared.metadata, *declared.metadata.values()))) > MAX_METADATA_CHARACTERS:
        wrong.append(ErrorItem("/metadata", f"All of it has at most {MAX_METADATA_CHARACTERS} characters"))
    for key, value in declared.metadata.items():
        pointer = "/metadata/" + key.replace("~", "~0").replace("/", "~1")
        if not key or len(key) > MAX_METADATA_KEY:
            wrong.append(ErrorItem(pointer, f"Keys have 1 to {MAX_METADATA_KEY} characters"))
        if not key.isprintable() or not value.isprintable():
            wrong.append(ErrorItem(pointer, "Keys and values must be printable text without line breaks"))
    return wrong


def _pointer(path: str) -> str:
    """msgspec's path ("$.tracks[0]`") as a JSON Pointer ("/tracks/0"). It names no key of a map ("[...]")."""
    parts = re.findall(r"\.([^.\[\]`]+)|\[([0-9]+)\]", path)
    return "".join(f"/{name or index}" for name, index in parts)
