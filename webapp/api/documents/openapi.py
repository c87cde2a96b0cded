"""The OpenAPI 3.1 document, generated: routes from Flask's map, bodies from webapp/schemas, the rest from `operation`.

    @api.put("/calls/<call_id>/tracks/<track>/chunks/<seq>")
    @operation("Post a chunk", {202: ChunkReceipt, 200: ChunkReceipt}, refusals={409: "...", 410: "..."})
    def put_chunk(...): ...

A route under /v1 without `operation` is a fault. It stops the process at start.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from flask import Flask

from webapp.access.cookies import COOKIE
from webapp.access.identity import DECODE, STREAMS
from webapp.access.rights import SAFE_METHODS, Requirement, requirement
from webapp.http.audio_forms import KNOWN_TYPES
from webapp.http.problems import ProblemBody
from webapp.schemas.values import AlertKind, CallId, JobId, MessageId, Tag, Track, WebhookName
from webapp.switch.base import Act

View = TypeVar("View", bound=Callable[..., Any])

VERSION = "1.0.0"
"""Version of the interface. The second number grows with every addition, the first with a break."""

DOCUMENT = "earshot-openapi"
"""Name of the application's document in `app.extensions`. It is built once, because strangers may read it."""

EVERYWHERE = {
    400: "A parameter, header or member of the body is wrong. `errors` says which.",
    500: "The server failed.",
    503: "Redis is away or full. Nothing has changed. Repeat the request after Retry-After.",
}
"""Refusals that any operation may give."""

TO_THE_KNOWN_ONLY = {
    401: "No key and no sign-in, or a void one.",
    403: "The key or sign-in does not allow this. `reason` another_sender: the call belongs to another sender.",
    429: "This key makes too many requests, or this address showed too many wrong keys. Repeat after Retry-After.",
}
"""Refusals of operations that are not public."""

_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key, made by scripts/keys."},
    "key_as_password": {
        "type": "http",
        "scheme": "basic",
        "description": "An API key as the password; the name may be any.",
    },
    "key_in_header": {"type": "apiKey", "in": "header", "name": "X-API-KEY", "description": "An API key."},
    "key_in_address": {
        "type": "apiKey",
        "in": "query",
        "name": "access_token",
        "description": "An API key, for clients that take nothing but an address: proxies may log it. A stream"
        " also takes `authorization=Bearer KEY`.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Twilio-Signature",
        "description": "Twilio's signature of the address, where TWILIO_AUTH_TOKEN is set.",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A supervisor's sign-in on the page."},
    "page": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "The token of the page that was signed in to (its meta element csrf-token).",
    },
}
"""Ways to show a key. webapp/access/identity.py decides which of them work where."""

JSON_BODY = {413: "The body is too large.", 415: "The body is not JSON."}
"""Refusals of every operation that takes JSON and says so in its Content-Type."""

_REF = "#/components/schemas/{name}"
_WITH_RETRY_AFTER = (429, 503)
_PATH_TYPES: dict[str, Any] = {
    "call_id": CallId,
    "track": Track,
    "seq": int,
    "form": str,
    "tag": Tag,
    "alert": AlertKind,
    "act": Act,
    "job_id": JobId,
    "name": str,
    "webhook": WebhookName,
    "message_id": MessageId,
}


class Parameter(msgspec.Struct, frozen=True):
    """A query parameter: `schema` is JSON Schema."""

    name: str
    schema: dict[str, Any]
    description: str
    required: bool = False


class Operation(msgspec.Struct, frozen=True):
    """OpenAPI's description of a route, beyond its path and method."""

    summary: str
    answers: Mapping[int, Any]
    refusals: Mapping[int, str]
    body: Any = None
    audio: bool = False
    query: Sequence[Parameter] = ()
    forms: Sequence[str] = ()
    takes: str = ""


def operation(
    summary: str,
    answers: Mapping[int, Any],
    refusals: Mapping[int, str] | None = None,
    *,
    body: Any = None,
    audio: bool = False,
    query: Sequence[Parameter] = (),
    forms: Sequence[str] = (),
    takes: str = "",
) -> Callable[[View], View]:
    """Describe a view. answers: status -> type of the body; refusals: status -> what it means (problem+json).

    body: type of the JSON body, if it takes one. audio: it takes a chunk. query: its parameters. forms: the media types
    of its answer, if that is a file and not JSON. takes: the media type of the file it takes.
    """
    described = Operation(summary, answers, {**EVERYWHERE, **(refusals or {})}, body, audio, query, forms, takes)

    def mark(view: View) -> View:
        view.operation = described  # type: ignore[attr-defined]
        return view

    return mark


def build(app: Flask) -> dict[str, Any]:
    """The document of all described routes. Raises LookupError for a route under /v1 without a description."""
    found: list[tuple[str, str, Callable[..., Any], Operation]] = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        described = getattr(view, "operation", None)
        if described is None and not rule.rule.startswith("/v1/"):
            continue
        if described is None:
            raise LookupError(f"{rule.rule} has no @operation")
        path = re.sub(r"<(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((path, method.lower(), view, described))
    types: dict[Any, None] = {ProblemBody: None}
    for *_, described in found:
        types |= {kind: None for kind in (*described.answers.values(), described.body) if kind not in (None, dict)}
    refs, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = dict(zip(types, refs, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for path, method, view, described in sorted(found, key=lambda item: item[:2]):
        paths.setdefault(path, {})[method] = _operation(path, method, view, described, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Earshot",
            "version": VERSION,
            "description": "Post the audio of phone calls as it is spoken; read transcripts and sentiment live.",
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


def _security(path: str, method: str, needed: Requirement) -> list[dict[str, list[str]]]:
    """Ways to get access to an operation: any one is enough. In OpenAPI 3.1 the list may name the scope."""
    if needed.public:
        return []
    scopes: list[str] = [needed.scope] if needed.scope else []
    opens: list[dict[str, list[str]]] = [{"signature": []}] if needed.signed else []
    if needed.scope not in ("act", "admin"):
        opens.append({"key": scopes})
    if path.startswith(STREAMS):
        opens += [{"key_as_password": scopes}, {"key_in_header": scopes}]
    if path.startswith(STREAMS) or path == DECODE:
        opens.append({"key_in_address": scopes})
    if needed.scope != "ingest":
        opens.append({"session": scopes} if method.upper() in SAFE_METHODS else {"session": scopes, "page": []})
    return opens


def _operation(
    path: str, method: str, view: Callable[..., Any], described: Operation, schema_of: Mapping[Any, Any]
) -> dict[str, Any]:
    needed = requirement(view) or Requirement()
    document: dict[str, Any] = {
        "operationId": view.__name__,
        "summary": described.summary,
        "description": inspect.getdoc(view) or "",
        "security": _security(path, method, needed),
        "responses": _responses(needed, described, schema_of),
    }
    if parameters := _parameters(path, described):
        document["parameters"] = parameters
    if body := _body(described, schema_of):
        document["requestBody"] = body
    return document


def _responses(needed: Requirement, described: Operation, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    """By status: the answers first, then the refusals."""
    refusals = {**({} if needed.public else TO_THE_KNOWN_ONLY), **described.refusals}
    if not needed.public and 429 in described.refusals:
        refusals[429] = f"{described.refusals[429]} Or: {TO_THE_KNOWN_ONLY[429]}"
    responses: dict[str, Any] = {}
    for status, kind in described.answers.items():
        if kind is None:
            responses[str(status)] = {"description": HTTPStatus(status).phrase}
            continue
        schema = schema_of.get(kind, {"type": "object"})
        responses[str(status)] = _response(HTTPStatus(status).phrase, "application/json", schema)
        if described.forms:
            responses[str(status)]["content"] = {form: {"schema": {"type": "string"}} for form in described.forms}
    if 201 in described.answers:
        responses["201"]["headers"] = {"Location": {"schema": {"type": "string"}, "description": "The call"}}
    for status, meaning in sorted(refusals.items()):
        answer = _response(meaning, "application/problem+json", schema_of[ProblemBody])
        if status in _WITH_RETRY_AFTER:
            answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
        responses[str(status)] = answer
    return responses


def _parameters(path: str, described: Operation) -> list[dict[str, Any]]:
    in_path = [
        {"name": part, "in": "path", "required": True, "schema": msgspec.json.schema(_PATH_TYPES[part])}
        for part in re.findall(r"\{(\w+)\}", path)
    ]
    in_query = [
        {
            "name": one.name,
            "in": "query",
            "required": one.required,
            "schema": one.schema,
            "description": one.description,
        }
        for one in described.query
    ]
    return in_path + in_query


def _body(described: Operation, schema_of: Mapping[Any, Any]) -> dict[str, Any] | None:
    """What the request may carry; None for nothing."""
    if described.body is not None:
        return {"required": False, "content": {"application/json": {"schema": schema_of[described.body]}}}
    if described.takes:
        return {"required": True, "content": {described.takes: {"schema": {"type": "string"}}}}
    if described.audio:
        audio = {form: {"schema": {"type": "string", "format": "binary"}} for form in KNOWN_TYPES}
        return {"required": True, "content": audio}
    return None


def _response(description: str, form: str, schema: Any) -> dict[str, Any]:
    return {"description": description, "content": {form: {"schema": schema}}}
