"""Erasing calls for good, and the legal holds that forbid it: for admins. The audit trail proves who did what."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import Blueprint, Response

from state.archive import erase
from state.archive.erase import Held, Hold
from state.archive.opening import Archive
from state.erasure import CallIsLive, Erasure
from state.moments import moment
from webapp.access.rights import needs, record, require
from webapp.api import history
from webapp.api.documents.openapi import JSON_BODY, Parameter, operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import Problem, invalid
from webapp.schemas.erasing import ApiErased, ApiHold, ApiHolds, NewHold
from webapp.schemas.values import MAX_METADATA_VALUE
from webapp.store import store

api = Blueprint("erasing", __name__, url_prefix="/v1")

_NO_ARCHIVE = {409: "`reason`: no_archive (holds need a database)."}

_CONFLICTS = {409: "`reason`: live (the call goes on: end it first) or held (a legal hold)."}


@api.delete("/calls/<call_id>")
@operation("Erase a call for good", {200: ApiErased}, {404: "No such call.", **_CONFLICTS})
@needs("admin")
def erase_call(call_id: str) -> Response:
    """The call, everywhere it is kept. It does not reach pages that show the call now, nor backups."""
    inputs.query()
    call_id = inputs.call_id(call_id)
    places = _erase(call_id)
    if not places:
        raise history.unknown(call_id)
    return as_json(ApiErased([call_id]))


@api.delete("/calls")
@operation(
    "Erase all calls of a customer for good",
    {200: ApiErased},
    _CONFLICTS,
    query=[Parameter("customer", {"type": "string", "maxLength": MAX_METADATA_VALUE}, "whose calls, exactly", True)],
)
@needs("admin")
def erase_customer() -> Response:
    """All ended calls whose metadata names this customer (or caller). After a refusal, those before it are gone."""
    name = _name(inputs.query("customer").get("customer", ""), "customer")
    record("erase-customer", f"sha256 {sha256(name.encode()).hexdigest()}")
    gone = [call_id for call_id in _erasure().calls_of(name) if _erase(call_id)]
    return as_json(ApiErased(gone))


@api.get("/holds")
@operation("List the legal holds", {200: ApiHolds}, _NO_ARCHIVE)
@needs("admin")
def list_holds() -> Response:
    """All of them, the newest first."""
    inputs.query()
    return as_json(ApiHolds([_told(one) for one in erase.held(_archive())]))


@api.put("/holds")
@operation(
    "Make a legal hold",
    {200: ApiHold},
    {**JSON_BODY, **_NO_ARCHIVE},
    body=NewHold,
)
@needs("admin")
def make_hold() -> Response:
    """Neither age nor a person erases what a hold names. The same hold again replaces the reason."""
    inputs.query()
    asked = inputs.json_body(NewHold)
    made = Hold(asked.kind, asked.name, asked.reason, require("admin").who, store().reads.now_ms())
    record("hold", _about(asked.kind, asked.name))
    erase.hold(_archive(), made)
    return as_json(_told(made))


@api.delete("/holds")
@operation(
    "Take a legal hold back",
    {200: ApiHolds},
    {404: "No such hold.", **_NO_ARCHIVE},
    query=[
        Parameter("kind", {"enum": ["call", "customer"]}, "what it holds", True),
        Parameter("name", {"type": "string", "maxLength": MAX_METADATA_VALUE}, "the call's id, or the customer", True),
    ],
)
@needs("admin")
def release_hold() -> Response:
    """Answers with the other holds."""
    parameters = inputs.query("kind", "name")
    kind: Any = inputs.choice(parameters, "kind", ("call", "customer"))
    if kind is None:
        raise invalid("kind", "must be call or customer")
    name = _name(parameters.get("name", ""), "name")
    record("release", _about(kind, name))
    if not erase.release(_archive(), kind, name):
        raise Problem(404, "unknown_hold", _("There is no such hold."))
    return as_json(ApiHolds([_told(one) for one in erase.held(_archive())]))


def _erase(call_id: str) -> list[str]:
    """Where it was. The trail records the attempt before, and the outcome afterwards."""
    record("erase", call_id)
    try:
        places = _erasure().erase(call_id)
    except CallIsLive:
        raise Problem(409, "live", _("Call {call_id} goes on: end it first.", call_id=call_id)) from None
    except Held as refusal:
        raise Problem(409, "held", _("Call {call_id} is kept: {why}.", call_id=call_id, why=refusal)) from None
    if places:
        record("erased", f"{call_id} from {' and '.join(places)}")
    return places


def _erasure() -> Erasure:
    here = store()
    return Erasure(here.shards, here.archive, here.settings)


def _archive() -> Archive:
    return store().archive_for(_("Holds need a database: set DATABASE_URL."))


def _name(given: str, parameter: str) -> str:
    if not 1 <= len(given) <= MAX_METADATA_VALUE:
        raise invalid(parameter, f"must have 1 to {MAX_METADATA_VALUE} characters")
    return given


def _about(kind: str, name: str) -> str:
    """As the trail names it: a customer by a digest only."""
    return f"call {name}" if kind == "call" else f"customer sha256 {sha256(name.encode()).hexdigest()}"


def _told(one: Hold) -> ApiHold:
    return ApiHold(one.kind, one.name, one.reason, one.by, moment(one.at_ms))
