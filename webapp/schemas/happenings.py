"""Events on the line that the sound does not tell: holds, mutes, transfers, pressed keys, pauses of the recording."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from state.types import HappeningKind
from webapp.schemas.values import Track


class ApiHappening(msgspec.Struct):
    """An event on the line that the sound does not tell. at: second of the call. track: whose line; of a hold who
    waits. to: of a transfer. who: joins, and is on that track from now on. dtmf: a key was pressed; nobody keeps which
    one."""

    kind: HappeningKind
    at: float
    track: str
    to: str
    who: str


class HappeningTold(msgspec.Struct, forbid_unknown_fields=True):
    """An event on the line. There is no place for the digits of a dtmf: they may be secret."""

    kind: Literal["hold", "resume", "mute", "unmute", "transfer", "join", "leave", "dtmf"]
    track: Annotated[
        Track | None,
        Meta(description="whose line; of a hold who waits (customer, if not given). mute, join and leave need it"),
    ] = None
    to: Annotated[str, Meta(max_length=128, description="to whom a transfer goes")] = ""
    who: Annotated[str, Meta(max_length=128, description="who joins, and is on that track from now on")] = ""


class HappeningReceipt(msgspec.Struct):
    """at: second of the call; null if the event has changed nothing."""

    call_id: str
    at: float | None
