"""The OpenAPI 3.1 document, generated: routes from Flask's map, bodies from schemas.py, the rest from `operation`.

    @api.put("/calls/<call_id>/tracks/<track>/chunks/<seq>")
    @operation("Post a chunk", {202: ChunkReceipt, 200: ChunkReceipt}, refusals={409: "...", 410: "..."})
    def put_chunk(...): ...

A route under /v1 without `operation` is a fault and stops the process at start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from flask import Flask

from webapp.audio_forms import KNOWN_TYPES
from webapp.problems import ProblemBody
from webapp.schemas import CallId, Track

View = TypeVar("View", bound=Callable[..., Any])

VERSION = "1.0.0"
"""Of the interface: the second number grows with every addition, the first with a break."""

EVERYWHERE = {
    400: "A parameter, header or member of the body is wrong: `errors` says which.",
    500: "The server failed.",
    503: "Redis is away or full. Nothing was changed: repeat the request after Retry-After.",
}
"""Refusals any operation may answer."""

_REF = "#/components/schemas/{name}"
_WITH_RETRY_AFTER = (429, 503)
_PATH_TYPES: dict[str, Any] = {
    "call_id": CallId,
    "track": Track,
    "seq": int,
    "form": str,
}


class Parameter(msgspec.Struct, frozen=True):
    """A query parameter: `schema` is JSON Schema."""

    name: str
    schema: dict[str, Any]
    description: str


class Operation(msgspec.Struct, frozen=True):
    """What OpenAPI says of a route beyond its path and method."""

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

    body: type of the JSON body, if it takes one; audio: it takes a chunk; query: its parameters;
    forms: the media types of what it answers, if that is a file and not JSON; takes: that of the file it takes.
    """
    described = Operation(summary, answers, {**EVERYWHERE, **(refusals or {})}, body, audio, query, forms, takes)

    def mark(view: View) -> View:
        view.operation = described  # type: ignore[attr-defined]
        return view

    return mark


def build(app: Flask) -> dict[str, Any]:
    """The document for every route of `app` under /v1. Raises LookupError for one that is not described."""
    found: list[tuple[str, str, str, Operation]] = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/v1/"):
            continue
        view = app.view_functions[rule.endpoint]
        described = getattr(view, "operation", None)
        if described is None:
            raise LookupError(f"{rule.rule} has no @operation")
        path = re.sub(r"<(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((path, method.lower(), view.__name__, described))
    types: dict[Any, None] = {ProblemBody: None}
    for *_, described in found:
        types |= {kind: None for kind in (*described.answers.values(), described.body) if kind not in (None, dict)}
    refs, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = dict(zip(types, refs, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for path, method, name, described in sorted(found, key=lambda item: item[:2]):
        paths.setdefault(path, {})[method] = _operation(path, name, described, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Earshot",
            "version": VERSION,
            "description": "Post the audio of phone calls as it is spoken; read transcripts and sentiment live.",
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(path: str, name: str, described: Operation, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, kind in described.answers.items():
        schema = schema_of.get(kind, {"type": "object"})
        responses[str(status)] = _response(HTTPStatus(status).phrase, "application/json", schema)
        if described.forms:
            responses[str(status)]["content"] = {form: {"schema": {"type": "string"}} for form in described.forms}
    if 201 in described.answers:
        responses["201"]["headers"] = {"Location": {"schema": {"type": "string"}, "description": "The call"}}
    for status, meaning in sorted(described.refusals.items()):
        answer = _response(meaning, "application/problem+json", schema_of[ProblemBody])
        if status in _WITH_RETRY_AFTER:
            answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
        responses[str(status)] = answer
    document: dict[str, Any] = {"operationId": name, "summary": described.summary, "responses": responses}
    parameters = [
        {"name": part, "in": "path", "required": True, "schema": msgspec.json.schema(_PATH_TYPES[part])}
        for part in re.findall(r"\{(\w+)\}", path)
    ]
    parameters += [
        {"name": one.name, "in": "query", "schema": one.schema, "description": one.description}
        for one in described.query
    ]
    if parameters:
        document["parameters"] = parameters
    if described.body is not None:
        content: dict[str, Any] = {"application/json": {"schema": schema_of[described.body]}}
        document["requestBody"] = {"required": False, "content": content}
    elif described.takes:
        document["requestBody"] = {"required": True, "content": {described.takes: {"schema": {"type": "string"}}}}
    elif described.audio:
        audio = {form: {"schema": {"type": "string", "format": "binary"}} for form in KNOWN_TYPES}
        document["requestBody"] = {"required": True, "content": audio}
    return document


def _response(description: str, form: str, schema: Any) -> dict[str, Any]:
    return {"description": description, "content": {form: {"schema": schema}}}
