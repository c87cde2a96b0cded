"""/docs: the OpenAPI document as a page for people. Plain HTML, so it needs no script and no looser policy."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template

from webapp.access.rights import public
from webapp.api.documents import openapi

pages = Blueprint("docs", __name__)

Pieces = list[tuple[str, str]]
"""A type in words: (text, name of the schema it links to or "")."""

_REF = "#/components/schemas/"
_LIMITS = {
    "minimum": "from {}",
    "maximum": "to {}",
    "minLength": "{} characters or more",
    "maxLength": "at most {} characters",
    "minItems": "{} or more",
    "maxItems": "at most {}",
    "maxProperties": "at most {} entries",
    "default": "default {}",
    "format": "{}",
}
_FIRST = "/v1/calls"
"""Beginning of the paths that the page shows first: a reader comes for these."""

_OPENS = {
    "key": "an API key",
    "key_as_password": "one as the password of HTTP Basic",
    "key_in_header": "one as X-API-KEY",
    "key_in_address": "one as ?access_token=",
    "signature": "Twilio's signature",
    "session": "a sign-in",
    "page": "X-CSRF-Token",
}


@pages.get("/docs")
@public
def docs() -> str:
    """Every operation and type of the API."""
    document = current_app.extensions[openapi.DOCUMENT]
    return render_template(
        "docs.html",
        info=document["info"],
        operations=[
            operation(path, method, described)
            for path, methods in sorted(document["paths"].items(), key=lambda item: not item[0].startswith(_FIRST))
            for method, described in methods.items()
        ],
        types=[schema(name, found) for name, found in sorted(document["components"]["schemas"].items())],
    )


def operation(path: str, method: str, described: dict[str, Any]) -> dict[str, Any]:
    """The page's text of one operation."""
    return {
        "id": described["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": described["summary"],
        "description": described["description"],
        "access": access(described["security"]),
        "parameters": [
            {
                "name": one["name"],
                "in": one["in"],
                "type": type_of(one["schema"]),
                "description": one.get("description") or one["schema"].get("description", ""),
            }
            for one in described.get("parameters", [])
        ],
        "takes": [
            (form, [] if body["schema"].get("format") == "binary" else type_of(body["schema"]))
            for form, body in content(described.get("requestBody"))
        ],
        "answers": [
            (status, answer["description"], [(form, type_of(body["schema"])) for form, body in content(answer)])
            for status, answer in sorted(described["responses"].items())
        ],
    }


def content(holder: dict[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
    return list((holder or {}).get("content", {}).items())


def access(security: list[dict[str, list[str]]]) -> str:
    """Who may do it, in words."""
    if not security:
        return "open to everybody"
    opens = " or ".join(" and ".join(_OPENS[scheme] for scheme in one) for one in security)
    scopes = sorted({scope for one in security for needed in one.values() for scope in needed})
    return f"{opens} with the scope {scopes[0]}" if scopes else opens


def schema(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """The page's text of one type."""
    required = set(found.get("required", []))
    return {
        "name": name,
        "description": found.get("description", ""),
        "type": [] if "properties" in found else type_of(found),
        "fields": [
            {
                "name": field,
                "type": type_of(one),
                "required": field in required,
                "description": one.get("description", ""),
            }
            for field, one in found.get("properties", {}).items()
        ],
    }


def type_of(found: dict[str, Any]) -> Pieces:
    """A JSON Schema in words."""
    if "$ref" in found:
        name = found["$ref"].removeprefix(_REF)
        return [(name, name)]
    if "anyOf" in found:
        pieces: Pieces = []
        for one in found["anyOf"]:
            pieces += ([(" or ", "")] if pieces else []) + type_of(one)
        return pieces
    if "enum" in found:
        said = " or ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in found["enum"])
        return [(said + _limits(found), "")]
    kind = found.get("type", "any value")
    if kind == "array" and "prefixItems" in found:
        inner: Pieces = []
        for one in found["prefixItems"]:
            inner += ([(", ", "")] if inner else []) + type_of(one)
        return [("[", ""), *inner, ("]", "")]
    if kind == "array":
        return [("list of ", ""), *type_of(found.get("items") or {}), (_limits(found), "")]
    if kind == "object" and isinstance(found.get("additionalProperties"), dict):
        return [("object of ", ""), *type_of(found["additionalProperties"]), (_limits(found), "")]
    return [(str(kind) + _limits(found), "")]


def _limits(found: dict[str, Any]) -> str:
    said = [text.format(found[name]) for name, text in _LIMITS.items() if name in found]
    return f" ({', '.join(said)})" if said else ""
