"""/v1/calls/{id}/handling, notes, tags, judgements, messages: what supervisors do about a call."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from flask import Blueprint, Response

from state.archive.judged import judge
from state.calls.handling import MAX_JUDGED, MAX_MESSAGES, MAX_NOTES, MAX_TAGS, Handler, Refused, deed_of, judged
from state.people.audit import Deed
from state.server.clock import now_ms
from state.types import Handling, Judgement
from webapp.access import identity, rights
from webapp.access.rights import needs
from webapp.api.documents.openapi import JSON_BODY, operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import Problem, invalid
from webapp.schemas import shapes
from webapp.schemas.handling import ApiHandling, HandlingAsked, NewJudgement, NewMessage, NewNote
from webapp.schemas.values import ALERT, MAX_NAME, TAG
from webapp.store import store

api = Blueprint("handling", __name__, url_prefix="/v1")

IN_NOTES = "\n\u200c\u200d"
"""Unprintable characters allowed in a note: line breaks, and the joiners of Persian, Indic scripts and emoji."""

_UNKNOWN = {404: "No such call."}
_FULL = {404: "No such call.", 409: "`reason`: full (the call has no room for more)."}


@api.put("/calls/<call_id>/handling")
@operation(
    "Take, hand back, acknowledge or snooze a call",
    {200: ApiHandling},
    {
        **JSON_BODY,
        404: "No such call.",
        409: "`reason`: held (another has taken the call) or changed (it is not the given revision any more). "
        "`detail` says who.",
    },
    body=HandlingAsked,
)
@needs("act")
def put_handling(call_id: str) -> Response:
    """state: taken, open (hand back), acknowledged or snoozed. If two take a call at once, one of them gets a 409.

    To take over a call that another has taken, give its present revision.
    """
    inputs.query()
    asked: HandlingAsked = inputs.json_body(HandlingAsked)
    if (asked.state == "snoozed") != (asked.seconds is not None):
        raise invalid("/seconds", "must come with snoozed, and only with it")
    handler = _handler(asked.by)
    return _answer(
        lambda: handler.set_state(
            inputs.call_id(call_id), asked.state, seconds=asked.seconds, seen=asked.seen, revision=asked.revision
        )
    )


@api.post("/calls/<call_id>/notes")
@operation("Write a note on a call", {200: ApiHandling}, {**JSON_BODY, **_FULL}, body=NewNote)
@needs("act")
def post_note(call_id: str) -> Response:
    """A note says who wrote it and when. It stays as long as the call."""
    inputs.query()
    new: NewNote = inputs.json_body(NewNote)
    text = plain_text(new.text)
    handler = _handler(new.by)
    return _answer(lambda: handler.add_note(inputs.call_id(call_id), text))


@api.post("/calls/<call_id>/messages")
@operation(
    "Write to the agent on a live call",
    {200: ApiHandling},
    {**JSON_BODY, **_UNKNOWN, 409: "`reason`: full (the call has no room for more) or ended (the call is over)."},
    body=NewMessage,
)
@needs("act")
def post_message(call_id: str) -> Response:
    """The agent's own page shows it at once. It answers a request for help."""
    inputs.query()
    new: NewMessage = inputs.json_body(NewMessage)
    text = plain_text(new.text)
    handler = _handler(new.by)
    return _answer(lambda: handler.send_message(inputs.call_id(call_id), text))


@api.put("/calls/<call_id>/tags/<tag>")
@operation("Put a tag on a call", {200: ApiHandling}, _FULL)
@needs("act")
def put_tag(call_id: str, tag: str) -> Response:
    """Safe to repeat."""
    handler = _handler(inputs.query("by").get("by"))
    return _answer(lambda: handler.add_tag(inputs.call_id(call_id), _tag(tag)))


@api.delete("/calls/<call_id>/tags/<tag>")
@operation("Take a tag off a call", {200: ApiHandling}, _UNKNOWN)
@needs("act")
def delete_tag(call_id: str, tag: str) -> Response:
    """Safe to repeat."""
    handler = _handler(inputs.query("by").get("by"))
    return _answer(lambda: handler.remove_tag(inputs.call_id(call_id), _tag(tag)))


@api.put("/calls/<call_id>/judgements/<alert>")
@operation("Say whether an alert was right", {200: ApiHandling}, {**JSON_BODY, **_FULL}, body=NewJudgement)
@needs("act")
def put_judgement(call_id: str, alert: str) -> Response:
    """alert: its kind; needs_attention for the call itself, whether it was raised or not. Also of calls in the archive.

    The last judgement counts. Earshot learns from them what deserves a look (GET /v1/models).
    """
    inputs.query()
    asked: NewJudgement = inputs.json_body(NewJudgement)
    if asked.right and asked.why:
        raise invalid("/why", "must not come with right")
    if not re.fullmatch(ALERT, alert):
        raise invalid("alert", "must be an alert's kind: small letters, digits and : _ -")
    named, who = inputs.call_id(call_id), acting_name(asked.by)
    handler = _handler(asked.by)
    return _answer(lambda: _judge(handler, named, Judgement(alert, asked.right, asked.why, who, 0)))


def _judge(handler: Handler, call_id: str, said: Judgement) -> Handling:
    """Store a judgement in Redis, or in the archive if the call has left Redis. Raises Refused."""
    here = store()
    try:
        return handler.judge(call_id, said.alert, said.right, said.why)
    except Refused as refused:
        if refused.reason != "unknown" or here.archive is None:
            raise
    asker = rights.require("act")
    deed = Deed(said.by, deed_of(said.alert, said.right, said.why), call_id, identity.address(), asker.origin)

    def change(now: Handling) -> Handling:
        after = judged(now, msgspec.structs.replace(said, at_ms=now_ms(here.shards.plain)))
        if after != now:
            here.audit.record(deed, "acts")  # an act that cannot be written down is not done
        return after

    made = judge(here.archive, call_id, change)
    if made is None:
        raise Refused("unknown", None)
    return made


def plain_text(given: str, where: str = "/text") -> str:
    """The text, each kind of blank as one; line breaks stay. Raises Problem 400."""
    text = re.sub(r"[^\S\n]", " ", given).strip()
    if not text or not all(character.isprintable() or character in IN_NOTES for character in text):
        raise invalid(where, "must be printable text")
    return text


def _handler(by: str | None) -> Handler:
    return Handler(store().shards, acting_name(by), identity.address(), rights.require("act").origin)


def _answer(change: Any) -> Response:
    try:
        made: Handling = change()
    except Refused as refused:
        raise refusal(refused) from None
    return as_json(shapes.handling(made))


def refusal(refused: Refused) -> Problem:
    """A refused act, as a problem."""
    now = refused.present
    if now is None:
        return Problem(404, "unknown_call", _("There is no such call. Of archived ones only judgements change."))
    if refused.reason == "full":
        return Problem(
            409,
            "full",
            _(
                "A call has at most {notes} notes, {tags} tags, {judged} judged alerts"
                " and {messages} messages to its agent.",
                notes=MAX_NOTES,
                tags=MAX_TAGS,
                judged=MAX_JUDGED,
                messages=MAX_MESSAGES,
            ),
        )
    if refused.reason == "ended":
        return Problem(409, "ended", _("The call is over."))
    who = {
        "taken": _("{by} is on it.", by=now.by),
        "open": _("Nobody is on it."),
        "acknowledged": _("{by} has acknowledged it.", by=now.by),
        "snoozed": _("{by} has snoozed it.", by=now.by),
    }
    return Problem(409, refused.reason, who[now.state])


def acting_name(given: str | None) -> str:
    """The person who acts and has signed in. With AUTH=off: the name they give."""
    who = rights.require("act")
    if who.kind != "anyone":
        if given is not None and given != who.name:
            raise invalid("by", "works only with AUTH=off; here your sign-in names you")
        return who.name
    name = (given or "").strip()
    if len(name) > MAX_NAME or not name.isprintable():
        raise invalid("by", f"must be printable, with at most {MAX_NAME} characters")
    return name or who.name


def _tag(given: str) -> str:
    if not re.fullmatch(TAG, given):
        raise invalid(
            "tag", "must have at most 32 letters, digits, blanks and . & + - _, and begin with a letter or digit"
        )
    return given
