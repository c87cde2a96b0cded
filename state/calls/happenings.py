"""What telephony and other programs tell of a call beside its sound: holds, transfers, pauses of the recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import msgspec
import redis

from state.server.shards import Shards, shards_of
from state.types import INSIDE, Happening, HappeningKind, Sender

MOST = 200
"""At most so many of a call: each goes to the pages with all before it."""

Outcome = Literal["OK", "SAME", "OFF", "FULL", "CLOSED", "UNKNOWN", "FOREIGN"]

Span = tuple[float, float]

HELD = "customer"
"""Who is on hold where nobody says so."""


class Told(msgspec.Struct, frozen=True):
    """The outcome: see lua/happen.lua. at: second of the call; None if nothing was noted."""

    outcome: Outcome
    at: float | None = None


class Happenings:
    """Writes for a sender. Every method is atomic and may be repeated, except for transfers and keys pressed."""

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)

    def tell(
        self,
        call_id: str,
        kind: HappeningKind,
        track: str = "",
        to: str = "",
        sender: Sender = INSIDE,
        who: str = "",
    ) -> Told:
        """Note it, now. track: whose line (of a hold: who waits; HELD if nobody is named). to: of a transfer. who: of
        a join. Raises redis.RedisError."""
        answer = self._shards.of(call_id).run(
            "happen",
            call_id=call_id,
            kind=kind,
            track=track or (HELD if kind == "hold" else ""),
            to=to,
            who=who,
            most=MOST,
            sender=sender.name,
            sender_reads=sender.reads,
        )
        at = answer.get("at")
        return Told(cast(Outcome, answer["outcome"]), float(at) if at is not None else None)


def spans(events: Sequence[Happening], begins: HappeningKind, ends: HappeningKind, until: float) -> list[Span]:
    """The seconds between each begin and its end; what has not ended lasts until `until`."""
    found: list[Span] = []
    start: float | None = None
    for event in events:
        if event.kind == begins and start is None:
            start = event.at
        elif event.kind == ends and start is not None:
            found.append((start, event.at))
            start = None
    if start is not None and start < until:
        found.append((start, until))
    return found
