"""An agent's own calls, over the API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from state.types import CallState
from webapp.schemas.handling import ApiHelp, ApiNote
from webapp.schemas.values import Moment


class DeskLine(msgspec.Struct):
    """A line of the call. start: second of the call. text: may be "" where audio is missing."""

    id: str
    track: str
    start: float
    text: str


class DeskCall(msgspec.Struct):
    """An agent's call, as the agent may see it: no scores, no alerts, no supervisors' notes.

    speaking: of each track the words that are being spoken. on_it: the supervisor who has taken the call, or "".
    """

    call_id: str
    state: CallState
    started_at: Moment
    customer: str
    queue: str
    lines: list[DeskLine]
    speaking: dict[str, str]
    on_it: str
    help: ApiHelp | None
    messages: list[ApiNote]


class ApiDesk(msgspec.Struct):
    """The agent's live calls, the latest first."""

    agent: str
    now: Annotated[Moment, Meta(description="by the server's clock")]
    calls: list[DeskCall]


class DeskHelp(msgspec.Struct):
    """The state of the request for help; null: there is none."""

    call_id: str
    help: ApiHelp | None
