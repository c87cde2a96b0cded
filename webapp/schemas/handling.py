"""Supervisors' acts on a call, over the API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from state.types import HandlingState, Why
from webapp.schemas.values import MAX_NOTE, MAX_REASON, MAX_SNOOZE_SECONDS, By, Moment


class ApiNote(msgspec.Struct):
    """A supervisor's note on a call."""

    by: str
    at: Moment
    text: str


class ApiJudgement(msgspec.Struct):
    """A supervisor's judgement of an alert: see PUT /v1/calls/{call_id}/judgements/{alert}."""

    alert: str
    right: bool
    why: Why
    by: str
    at: Moment


class ApiHelp(msgspec.Struct):
    """An agent asks for a supervisor. answered_at, answered_by: when one came, saw to it or wrote, and who; null and ""
    while the agent waits."""

    by: str
    at: Moment
    reason: str
    answered_at: Moment | None
    answered_by: str


class ApiHandling(msgspec.Struct, kw_only=True):
    """What supervisors do about a call: see PUT /v1/calls/{call_id}/handling.

    by, at: who did what `state` says, and when; until: end of a snooze, from which on the call counts as open; seen:
    alerts up to this second of the call are done with; revision: counts every change of anything here; judged: of each
    alert the last judgement; help: the agent's last request for help, or null; messages: what supervisors wrote to the
    agent.
    """

    state: HandlingState
    by: str
    at: Moment | None
    until: Moment | None
    seen: float | None
    revision: int
    notes: list[ApiNote]
    tags: list[str]
    judged: list[ApiJudgement]
    help: ApiHelp | None
    messages: list[ApiNote]


class HandlingAsked(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to do about a call. See PUT /v1/calls/{call_id}/handling.

    seconds: how long to snooze; only with snoozed.  seen: alerts up to this second of the call are done with (if not
    given: as before).  revision: do it only if nothing has changed since this one; so a taken call is taken over.
    """

    state: HandlingState
    seconds: Annotated[int, Meta(ge=1, le=MAX_SNOOZE_SECONDS)] | None = None
    seen: Annotated[float, Meta(ge=0)] | None = None
    revision: Annotated[int, Meta(ge=0)] | None = None
    by: By | None = None


class NewJudgement(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """right: a look was needed. why: only if it was not. misheard (nobody said the words), friendly (they meant
    something else), ordinary (such calls are usual here), solved (the agent had it in hand), other, or "" for no
    reason."""

    right: bool
    why: Why = ""
    by: By | None = None


class Extension(msgspec.Struct, forbid_unknown_fields=True):
    """Where the switch calls a supervisor; "" forgets it. acts: what may be done on the switch (only told)."""

    extension: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,31})?$", description="such as 201")]
    acts: list[str] = []


class SwitchReceipt(msgspec.Struct):
    """The switch has begun the act."""

    call_id: str
    act: str


class NewMessage(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A message for the agent on the call, who sees it at once."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_NOTE)]
    by: By | None = None


class HelpAsked(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A request for help. reason: in few words; it may be left out."""

    reason: Annotated[str, Meta(max_length=MAX_REASON)] = ""


class NewNote(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A note for a call."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_NOTE)]
    by: By | None = None
