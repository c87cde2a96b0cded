"""Who is on which call: take, hand back, acknowledge, snooze, notes, tags, judgements of alerts; agents ask for help.

This module computes a change from what is in Redis. lua/handle.lua stores it only if nothing else has changed, together
with the event for the pages and the line in the audit trail. So if two people take a call at once, one gets it, and
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
from state.types import Handling, HandlingState, Help, Judgement, Note, Why

MAX_NOTES, MAX_TAGS, MAX_JUDGED, MAX_MESSAGES, MAX_HELPS_BEFORE = 20, 10, 20, 20, 20
"""At most so many of a call: every row and every event of the call carries all of them. The oldest requests for help
go first."""

ATTEMPTS = 100
"""At most so many tries if another change comes between. There are too few supervisors to need more."""

Refusal = Literal["held", "changed", "full", "ended", "unknown"]
"""held: another supervisor has taken the call.  changed: the given revision is not the present one.
full: as many notes, tags, judgements or messages are there as may be.  ended: the call is over.
unknown: no such call."""

_decode = msgspec.msgpack.Decoder(Handling).decode
_pack = msgspec.msgpack.Encoder().encode


class Refused(Exception):
    """The change was not made. present: the call's handling; None with "unknown"."""

    def __init__(self, reason: Refusal, present: Handling | None) -> None:
        super().__init__(reason)
        self.reason, self.present = reason, present


class Handler:
    """Changes on behalf of one supervisor, or of the agent on the call. Every method returns the handling after it, and
    raises Refused."""

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
        state. Repeating changes nothing, except that a snooze begins again.
        """

        def change(now: Handling, now_ms: int) -> Handling:
            if revision is not None and revision != now.revision:
                raise Refused("changed", now)
            if revision is None and now.state == "taken" and now.by != self._who:
                raise Refused("held", now)
            done_with = seen if seen is not None else now.seen
            given = self._answered(now.help, now_ms) if state in ("taken", "acknowledged") else now.help
            same = (now.state, now.by, now.seen, now.help) == (state, self._who, done_with, given)
            if same and state != "snoozed":
                return now
            return msgspec.structs.replace(
                now,
                state=state,
                by=self._who,
                at_ms=now_ms,
                until_ms=now_ms + (seconds or 0) * 1000 if state == "snoozed" else None,
                seen=done_with,
                help=given,
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
        """Judge an alert right or not needed. This replaces every earlier judgement of it."""
        return self._change(
            call_id,
            deed_of(alert, right, why),
            lambda now, now_ms: judged(now, Judgement(alert, right, why, self._who, now_ms)),
        )

    def ask_help(self, call_id: str, reason: str) -> Handling:
        """Ask for a supervisor. A call that was snoozed or seen is open again: this is news. Asking twice with one
        reason while nobody has answered changes nothing."""

        def change(now: Handling, now_ms: int) -> Handling:
            waits = now.help is not None and now.help.answered_at_ms is None
            if waits and now.help is not None and now.help.reason == reason:
                return now
            latest = max((one.at_ms for one in now.helps), default=0)
            since = latest if waits else max(now_ms, latest + 1)  # its moment names a request
            before = now.helps_before if waits else now.helps[-MAX_HELPS_BEFORE:]
            asked = msgspec.structs.replace(now, help=Help(self._who, since, reason), helps_before=before)
            if now.state in ("snoozed", "acknowledged"):
                asked = msgspec.structs.replace(asked, state="open", until_ms=None)
            return asked

        return self._change(call_id, "help-asked", change, live=True)

    def cancel_help(self, call_id: str) -> Handling:
        """Take the request for help back, if there is one that nobody has answered."""

        def change(now: Handling, now_ms: int) -> Handling:
            if now.help is None or now.help.answered_at_ms is not None:
                return now
            taken_back = msgspec.structs.replace(now.help, cancelled_at_ms=max(now_ms, now.help.at_ms))
            before = [*now.helps_before, taken_back][-MAX_HELPS_BEFORE:]
            return msgspec.structs.replace(now, help=None, helps_before=before)

        return self._change(call_id, "help-cancelled", change)

    def send_message(self, call_id: str, text: str) -> Handling:
        """Write to the agent on the call; that answers a request for help."""

        def change(now: Handling, now_ms: int) -> Handling:
            if len(now.messages) >= MAX_MESSAGES:
                raise Refused("full", now)
            messages = [*now.messages, Note(self._who, now_ms, text)]
            return msgspec.structs.replace(now, messages=messages, help=self._answered(now.help, now_ms))

        return self._change(call_id, "message", change, live=True)

    def _answered(self, asked: Help | None, now_ms: int) -> Help | None:
        if asked is None or asked.answered_at_ms is not None:
            return asked
        return msgspec.structs.replace(asked, answered_at_ms=max(now_ms, asked.at_ms), answered_by=self._who)

    def _change(
        self, call_id: str, what: str, change: Callable[[Handling, int], Handling], live: bool = False
    ) -> Handling:
        """Store the change. live: only while the call goes on."""
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
            if live and state != b"live":
                raise Refused("ended", now)
            after = change(now, seconds * 1000 + micros // 1000)
            if after == now:
                return now
            after = msgspec.structs.replace(after, revision=now.revision + 1)
            answer = shard.run(
                "handle",
                call_id=call_id,
                after=_pack(after),
                event=encode(HandlingEvent(call_id, after)),
                deed=audit.encode(Deed(self._who, what + _waited(now, after), call_id, self._address, self._origin)),
                deeds_kept=audit.KEPT,
                **({"before": stored} if stored else {}),
            )
            if answer["outcome"] == "OK":
                return after
        raise redis.exceptions.BusyLoadingError("a call's handling changes all the time")


def judged(now: Handling, said: Judgement) -> Handling:
    """The handling with this judgement of its alert; the same handling if it has this judgement already.
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


def _waited(now: Handling, after: Handling) -> str:
    """For the trail: how long the agent waited, if this change answers the request for help."""
    answered = after.help.answered_at_ms if after.help is not None else None
    if now.help is None or now.help.answered_at_ms is not None or answered is None:
        return ""
    return f" (help after {max(0, answered - now.help.at_ms) // 1000} s)"


_DEEDS: dict[HandlingState, str] = {
    "open": "hand-back",
    "acknowledged": "acknowledge",
    "snoozed": "snooze",
    "taken": "take",
}
"""As the audit trail names them."""
