"""From the calls' feed, and from calls as they stand, to messages. Words are told as the page shows them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from state.events import CallEvent, Event, FinalEvent, HandlingEvent, ScoreEvent
from state.moments import moment
from state.types import Alert, Handling, Help, ScoredUtterance, Sentiment, Standing, Utterance
from state.views import CallView
from state.webhooks.happenings import EventType, Message, message

REMEMBERED = 5_000
"""Live calls and unscored utterances kept in mind. Only a cache: what is missing is read."""

_decode = msgspec.json.Decoder(Event).decode

Rules = Mapping[str, str]
"""A rule's id -> the webhook that it calls."""


class Known(msgspec.Struct, frozen=True):
    """What every message says of its call."""

    call_id: str
    began_ms: int
    metadata: dict[str, str]


class Notices:
    """Makes messages from the feed. read: a call as it may be shown; None if it is gone."""

    def __init__(self, read: Callable[[str], CallView | None]) -> None:
        self._read = read
        self._calls: OrderedDict[str, Known] = OrderedDict()
        self._said: OrderedDict[tuple[str, str], Utterance] = OrderedDict()

    def of_event(self, event: bytes, at_ms: int, rules: Rules) -> list[Message]:
        """Messages of one event of the feed, told at that moment. What the feed holds besides is passed over."""
        try:
            told: Any = _decode(event)
        except msgspec.DecodeError:
            return []
        if isinstance(told, CallEvent):
            return self._of_call(told, at_ms)
        if isinstance(told, FinalEvent):
            brief = msgspec.structs.replace(told.utterance, words=[], voice=None)  # no message tells them
            _keep(self._said, (told.call_id, brief.id), brief)
            return []
        if not isinstance(told, ScoreEvent | HandlingEvent):
            return []
        known = self._known(told.call_id)
        if known is None:
            return []
        if isinstance(told, HandlingEvent):
            return [_handled(known, told.handling, at_ms), *_helps(known, told.handling)]
        made = list(_alerts(known, told.standing, rules, lambda _: at_ms))
        said = self._said.pop((told.call_id, told.utterance_id), None) or self._utterance(told)
        return [*([_final(known, said, told.sentiment, at_ms)] if said is not None else []), *made]

    def _of_call(self, told: CallEvent, at_ms: int) -> list[Message]:
        known = Known(told.call_id, told.started_at_ms, told.metadata)
        _keep(self._calls, told.call_id, known)
        made = [_started(known, at_ms)]
        if told.state == "ended":
            made.append(_ended(known, told.ended_at_ms or at_ms, told.end_reason, at_ms))
            call = self._read(told.call_id)
            if call is not None and call.summary is not None and call.started_at_ms == known.began_ms:
                made.append(_summary(known, call.summary, at_ms))
            self._forget(told.call_id)
        return made

    def _forget(self, call_id: str) -> None:
        """An ended call has all its scores. Utterances that redaction told of once more are still here."""
        self._calls.pop(call_id, None)
        for key in [key for key in self._said if key[0] == call_id]:
            del self._said[key]

    def _known(self, call_id: str) -> Known | None:
        if call_id not in self._calls and (call := self._read(call_id)) is not None:
            _keep(self._calls, call_id, _about(call))
        return self._calls.get(call_id)

    def _utterance(self, told: ScoreEvent) -> Utterance | None:
        call = self._read(told.call_id)
        said = call.utterances if call is not None else []
        return next((one for one in said if one.id == told.utterance_id), None)


def of_standing(call: CallView, rules: Rules) -> Iterator[Message]:
    """All messages of a call as it stands: for when the feed has lost what led there. Moments are the audio's."""
    known = _about(call)

    def spoken_ms(second: float) -> int:
        return call.started_at_ms + int(second * 1000)

    yield _started(known, call.started_at_ms)
    for said in call.utterances:
        if said.sentiment is not None:
            yield _final(known, said, said.sentiment, spoken_ms(said.end))
    yield from _alerts(known, call.standing, rules, spoken_ms)
    if call.handling.revision:
        noted = [call.handling.at_ms or 0, *(note.at_ms for note in call.handling.notes)]
        yield _handled(known, call.handling, max(noted) or call.started_at_ms)
        yield from _helps(known, call.handling)
    if call.state == "ended":
        ended_ms = call.ended_at_ms or call.started_at_ms
        yield _ended(known, ended_ms, call.end_reason, ended_ms)
        if call.summary is not None:
            yield _summary(known, call.summary, ended_ms)


def _about(call: CallView) -> Known:
    return Known(call.call_id, call.started_at_ms, call.metadata)


def _data(known: Known, **more: Any) -> dict[str, Any]:
    return {"call_id": known.call_id, "started_at": moment(known.began_ms), "metadata": known.metadata, **more}


def _started(known: Known, at_ms: int) -> Message:
    return message("call.started", known.call_id, known.began_ms, at_ms, _data(known))


def _ended(known: Known, ended_ms: int, reason: str | None, at_ms: int) -> Message:
    data = _data(known, ended_at=moment(ended_ms), end_reason=reason)
    return message("call.ended", known.call_id, known.began_ms, at_ms, data)


def _summary(known: Known, summary: dict[str, Any], at_ms: int) -> Message:
    return message("summary.ready", known.call_id, known.began_ms, at_ms, _data(known, summary=summary))


def _final(known: Known, said: Utterance | ScoredUtterance, sentiment: Sentiment, at_ms: int) -> Message:
    shown = {name: getattr(said, name) for name in ("id", "track", "index", "start", "end", "text", "mark")}
    judged = {"polarity": sentiment.polarity, "subjectivity": sentiment.subjectivity}
    data = _data(known, utterance=shown | {"sentiment": judged})
    return message("transcript.final", known.call_id, known.began_ms, at_ms, data, said.id)


def _handled(known: Known, handling: Handling, at_ms: int) -> Message:
    shown = {
        "state": handling.state,
        "by": handling.by,
        "at": moment(handling.at_ms) if handling.at_ms else None,
        "until": moment(handling.until_ms) if handling.until_ms else None,
        "notes": [{"by": note.by, "at": moment(note.at_ms), "text": note.text} for note in handling.notes],
        "tags": handling.tags,
    }
    data = _data(known, handling=shown)
    return message("call.handled", known.call_id, known.began_ms, at_ms, data, str(handling.revision))


def _helps(known: Known, handling: Handling) -> Iterator[Message]:
    """All requests for help, new or not, and what became of each."""
    for asked in handling.helps:
        yield _help(known, "help.asked", asked, asked.at_ms)
        if asked.answered_at_ms is not None:
            yield _help(known, "help.answered", asked, asked.answered_at_ms)
        if asked.cancelled_at_ms is not None:
            yield _help(known, "help.cancelled", asked, asked.cancelled_at_ms)


def _help(known: Known, kind: EventType, asked: Help, at_ms: int) -> Message:
    shown = {
        "by": asked.by,
        "reason": asked.reason,
        "asked_at": moment(asked.at_ms),
        "answered_by": asked.answered_by if kind == "help.answered" else "",
        "waited_seconds": round((at_ms - asked.at_ms) / 1000, 1),
    }
    return message(kind, known.call_id, known.began_ms, at_ms, _data(known, help=shown), str(asked.at_ms))


def _alerts(known: Known, standing: Standing, rules: Rules, moment_of: Callable[[float], int]) -> Iterator[Message]:
    """All alerts of a standing, new or not, and findings of rules that name a webhook."""
    for alert in standing.alerts:
        yield _alert(known, standing, alert, rules, moment_of, listed=True)
    for finding in standing.findings:
        if _rule(finding) in rules:
            yield _alert(known, standing, finding, rules, moment_of, listed=False)


def _alert(
    known: Known, standing: Standing, alert: Alert, rules: Rules, moment_of: Callable[[float], int], listed: bool
) -> Message:
    shown = {"kind": alert.kind, "reason": alert.reason, "at": alert.at, "utterances": alert.utterances}
    data = _data(known, alert=shown, attention=standing.attention)
    which = f"{alert.kind} {alert.at}"
    made = message("call.alert", known.call_id, known.began_ms, moment_of(alert.at), data, which)
    return msgspec.structs.replace(made, listed=listed, also_to=rules.get(_rule(alert), ""))


def _rule(alert: Alert) -> str:
    return alert.kind.removeprefix("rule:") if alert.kind.startswith("rule:") else ""


def _keep(cache: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > REMEMBERED:
        cache.popitem(last=False)
