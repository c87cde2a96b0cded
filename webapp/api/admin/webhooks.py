"""Webhooks, for admins: the receivers, the log of deliveries, and delivering again."""

from __future__ import annotations

import re

import msgspec
from flask import Blueprint, Response

from state.archive.opening import Archive
from state.moments import moment
from state.refusal import Unknown
from state.webhooks import deliveries, endpoints
from state.webhooks.deliveries import STATES, Delivery
from state.webhooks.endpoints import KAFKA, NAME, Endpoint, EndpointRefused
from webapp.access.rights import needs, record
from webapp.api.documents.openapi import JSON_BODY, Parameter, operation
from webapp.http import inputs, refusals
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import Problem, invalid
from webapp.schemas.webhooks import ApiDeliveries, ApiDelivery, ApiWebhook, ApiWebhooks, NewWebhook
from webapp.store import store

api = Blueprint("webhooks", __name__, url_prefix="/v1")

PAGE = 100

_MESSAGE_ID = re.compile(r"msg_[0-9a-f]{32}")
_NO_ARCHIVE = {409: "`reason`: no_archive (webhooks need a database)."}
_UNKNOWN = {404: "No such webhook.", **_NO_ARCHIVE}


@api.get("/webhooks")
@operation("List the webhooks", {200: ApiWebhooks}, _NO_ARCHIVE)
@needs("admin")
def list_webhooks() -> Response:
    """By name, without their secrets."""
    inputs.query()
    return as_json(_all(_archive()))


@api.post("/webhooks")
@operation(
    "Make a webhook",
    {201: ApiWebhook},
    {
        409: "`reason`: no_archive (webhooks need a database) or refused (such as a name that is taken).",
        **JSON_BODY,
    },
    body=NewWebhook,
)
@needs("admin")
def make_webhook() -> Response:
    """It gets all that happens from now on. Only this answer holds its secret."""
    inputs.query()
    asked, archive = inputs.json_body(NewWebhook), _archive()
    record("webhook", f"add {asked.name or ''} {endpoints.host(asked.url)}")
    try:
        made = endpoints.add(
            archive, asked.url, asked.events, asked.form, asked.name or "", store().reads.now_ms(), store().reads.tip()
        )
    except EndpointRefused as refusal:
        raise Problem(409, "refused", _("The webhook cannot be made: {why}.", why=refusals.in_words(refusal))) from None
    told = msgspec.structs.replace(_told(made, {}), secret=made.secret)
    answer = as_json(told, 201)
    answer.headers["Location"] = "/v1/webhooks"
    return answer


@api.delete("/webhooks/<webhook>")
@operation("Remove a webhook", {200: ApiWebhooks}, _UNKNOWN)
@needs("admin")
def remove_webhook(webhook: str) -> Response:
    """Its log goes, too, and so do messages that it has not got yet. Answers with the other webhooks."""
    inputs.query()
    name, archive = _name(webhook), _archive()
    record("webhook", f"remove {name}")
    if name == KAFKA or not endpoints.remove(archive, name):
        raise _unknown(name)
    return as_json(_all(archive))


@api.post("/webhooks/<webhook>/enable")
@operation("Switch a webhook on again", {200: ApiWebhooks}, _UNKNOWN)
@needs("admin")
def enable_webhook(webhook: str) -> Response:
    """A webhook that answered 410 was switched off. It gets all that happens from now on."""
    inputs.query()
    name, archive = _name(webhook), _archive()
    record("webhook", f"enable {name}")
    if not endpoints.enable(archive, name, store().reads.tip()):
        raise _unknown(name)
    return as_json(_all(archive))


@api.get("/deliveries")
@operation(
    "Read the log of deliveries",
    {200: ApiDeliveries},
    _NO_ARCHIVE,
    query=[
        Parameter("webhook", {"type": "string", "pattern": NAME}, "only of this one"),
        Parameter("state", {"enum": list(STATES)}, "only those that wait, were delivered or failed"),
        Parameter("cursor", {"type": "string"}, "next_cursor of the page before"),
    ],
)
@needs("admin")
def list_deliveries() -> Response:
    """The newest first. The log goes back two days."""
    parameters = inputs.query("webhook", "state", "cursor")
    only = _name(parameters["webhook"]) if "webhook" in parameters else None
    state = inputs.choice(parameters, "state", STATES)
    given = parameters.get("cursor")
    if given is not None and not re.fullmatch(r"[0-9]{1,18}", given):
        raise inputs.bad_cursor()
    found, following = deliveries.log(_archive(), PAGE, only, state, int(given) if given else None)
    return as_json(ApiDeliveries([_line(one) for one in found], str(following) if following else None))


@api.post("/webhooks/<webhook>/deliveries/<message_id>/redeliver")
@operation("Deliver again", {202: ApiWebhooks}, {404: "No such delivery, or its webhook is off.", **_NO_ARCHIVE})
@needs("admin")
def redeliver(webhook: str, message_id: str) -> Response:
    """With the same message id, at once, and with retries as at first."""
    inputs.query()
    name, archive = _name(webhook), _archive()
    if not _MESSAGE_ID.fullmatch(message_id):
        raise invalid("message_id", "must be one of the log")
    record("webhook", f"redeliver {message_id} to {name}")
    try:
        deliveries.redeliver(archive, name, message_id, store().reads.now_ms())
    except Unknown as refusal:
        raise Problem(404, "unknown_delivery", refusals.sentence(refusal)) from None
    return as_json(_all(archive), 202)


def _archive() -> Archive:
    return store().archive_for(_("Webhooks need a database: set DATABASE_URL."))


def _name(given: str) -> str:
    if not re.fullmatch(NAME, given):
        raise invalid("webhook", "must be the name of a webhook")
    return given


def _unknown(name: str) -> Problem:
    return Problem(404, "unknown_webhook", _("There is no webhook named {name}.", name=name))


def _all(archive: Archive) -> ApiWebhooks:
    counts = endpoints.counts(archive)
    return ApiWebhooks([_told(one, counts) for one in endpoints.every(archive)])


def _told(one: Endpoint, counts: dict[tuple[str, str], int]) -> ApiWebhook:
    return ApiWebhook(
        name=one.name,
        url=one.url,
        events=one.events,
        form=one.form,
        made_at=moment(one.made_at_ms),
        gone_at=None if one.gone_at_ms is None else moment(one.gone_at_ms),
        gone_why=one.gone_why,
        waiting=counts.get((one.name, "waiting"), 0),
        failed=counts.get((one.name, "failed"), 0),
    )


def _line(one: Delivery) -> ApiDelivery:
    due = moment(one.due_at_ms) if one.state == "waiting" else None
    tried = moment(one.tried_at_ms) if one.tried_at_ms is not None else None
    about = (one.message_id, one.endpoint, one.type, one.call_id, moment(one.at_ms))
    return ApiDelivery(*about, one.state, one.tries, due, tried, one.status, one.error)
