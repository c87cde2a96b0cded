"""Who is on which call: take, hand back, acknowledge, snooze, notes, tags and judgements of alerts.

This module computes a change from what is in Redis. lua/handle.lua stores it only if nothing has changed meanwhile, and
with it the event for the pages and the line in the audit trail. So if two people take a call at once, one gets it, and
the other learns who has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec
import redis

from state.events import HandlingEvent, encode
from state.people import audit
from state.people.audit import Deed, Origin
from state.server.shards import Shards, shards_of
from state.types import Handling, HandlingState, Judgement, Note, Why

MAX_NOTES, MAX_TAGS, MAX_JUDGED = 20, 10, 20
"""At most so many of a call: every row and every event of the call carries all of them."""

ATTEMPTS = 100
"""At most so many tries if another change comes between. Supervisors are too few to need more."""

Refusal = Literal["held", "changed", "full", "unknown"]
"""held: another supervisor has taken the call.  changed: the given revision is not the present one.
full: MAX_NOTES, MAX_TAGS or MAX_JUDGED are there.  unknown: no such call."""

_decode = msgspec.msgpack.Decoder(Handling).decode
_pack = msgspec.msgpack.Encoder().encode


class Refused(Exception):
    """The change was not made. present: the call's handling; None with "unknown"."""

    def __init__(self, reason: Refusal, present: Handling | None) -> None:
        super().__init__(reason)
        self.reason, self.present = reason, present


class Handler:
    """Changes on behalf of one supervisor. Every method returns the handling after it, and raises Refused."""

    def __init__(self, store: Shards | redis.Redis, who: str, address: str = "", origin: Origin = "account") -> None:
        self._shards = shards_of(store)
        self._who = who
        self._address = address
        self._origin: Origin = origin

    def set_state(
        self,
        call_id: str,
        state: HandlingState,
        *,
        seconds: int | None = None,
        seen: float | None = None,
        revision: int | None = None,
    ) -> Handling:
        """Take (state taken), hand back (open), acknowledge or snooze for `seconds` a call.

        A call that another supervisor has taken stays theirs, unless `revision` shows that this one knows its present
        state. Repeating changes nothing, except that a snooze begins anew.
        """

        def change(now: Handling, now_ms: int) -> Handling:
            if revision is not None and revision != now.revision:
                raise Refused("changed", now)
            if revision is None and now.state == "taken" and now.by != self._who:
                raise Refused("held", now)
            done_with = seen if seen is not None else now.seen
            if (now.state, now.by, now.seen) == (state, self._who, done_with) and state != "snoozed":
                return now
            return msgspec.structs.replace(
                now,
                state=state,
                by=self._who,
                at_ms=now_ms,
                until_ms=now_ms + (seconds or 0) * 1000 if state == "snoozed" else None,
                seen=done_with,
            )

        return self._change(call_id, _DEEDS[state], change)

    def add_note(self, call_id: str, text: str) -> Handling:
        """Write a note on a call."""

        def change(now: Handling, now_ms: int) -> Handling:
            if len(now.notes) >= MAX_NOTES:
                raise Refused("full", now)
            return msgspec.structs.replace(now, notes=[*now.notes, Note(self._who, now_ms, text)])

        return self._change(call_id, "note", change)

    def add_tag(self, call_id: str, tag: str) -> Handling:
        """Put a tag on a call. Nothing changes if it is there already."""

        def change(now: Handling, _now_ms: int) -> Handling:
            if tag in now.tags:
                return now
            if len(now.tags) >= MAX_TAGS:
                raise Refused("full", now)
            return msgspec.structs.replace(now, tags=sorted([*now.tags, tag]))

        return self._change(call_id, f"tag {tag}", change)

    def remove_tag(self, call_id: str, tag: str) -> Handling:
        """Remove a tag from a call, if it is there."""

        def change(now: Handling, _now_ms: int) -> Handling:
            if tag not in now.tags:
                return now
            return msgspec.structs.replace(now, tags=[one for one in now.tags if one != tag])

        return self._change(call_id, f"untag {tag}", change)

    def judge(self, call_id: str, alert: str, right: bool, why: Why = "") -> Handling:
        """Say of an alert that it was right or not needed; it replaces what anybody said of it before."""
        return self._change(
            call_id,
            deed_of(alert, right, why),
            lambda now, now_ms: judged(now, Judgement(alert, right, why, self._who, now_ms)),
        )

    def _change(self, call_id: str, what: str, change: Callable[[Handling, int], Handling]) -> Handling:
        shard = self._shards.of(call_id)
        for _ in range(ATTEMPTS):
            pipe = shard.redis.pipeline(transaction=False)
            pipe.hmget(shard.keys.call(call_id), "state", "handling")
            pipe.time()
            answers: Any = pipe.execute()
            (state, stored), (seconds, micros) = answers
            if state is None:
                raise Refused("unknown", None)
            now = _decode(stored) if stored else Handling()
            after = change(now, seconds * 1000 + micros // 1000)
            if after == now:
                return now
            after = msgspec.structs.replace(after, revision=now.revision + 1)
            answer = shard.run(
                "handle",
                call_id=call_id,
                after=_pack(after),
                event=encode(HandlingEvent(call_id, after)),
                deed=audit.encode(Deed(self._who, what, call_id, self._address, self._origin)),
                deeds_kept=audit.KEPT,
                **({"before": stored} if stored else {}),
            )
            if answer["outcome"] == "OK":
                return after
        raise redis.exceptions.BusyLoadingError("a call's handling changes all the time")


def judged(now: Handling, said: Judgement) -> Handling:
    """The handling with this judgement in the place of what was said of its alert; the same if that was said already.
    Raises Refused."""
    known = next((one for one in now.judged if one.alert == said.alert), None)
    if known is not None and (known.right, known.why) == (said.right, said.why):
        return now
    others = [one for one in now.judged if one.alert != said.alert]
    if len(others) >= MAX_JUDGED:
        raise Refused("full", now)
    return msgspec.structs.replace(now, judged=sorted([*others, said], key=lambda one: one.alert))


def deed_of(alert: str, right: bool, why: Why) -> str:
    """A judgement as the audit trail names it."""
    told = "right" if right else f"not needed, {why}" if why else "not needed"
    return f"judge {alert}: {told}"


_DEEDS: dict[HandlingState, str] = {
    "open": "hand-back",
    "acknowledged": "acknowledge",
    "snoozed": "snooze",
    "taken": "take",
}
"""As the audit trail names them."""
