"""Turns the store's values into the types of the API and the sockets. The only place that does it."""

from __future__ import annotations

from typing import Any

import msgspec

from state.calls.health import FleetHealth
from state.events import CallEvent, Event, FinalEvent, HandlingEvent, LineEvent, PartialEvent
from state.moments import moment
from state.types import Handling, Happening, Help, Note, ScoredUtterance, Sentiment, Standing, Utterance
from state.views import CallRow, CallView, TrackView
from webapp.schemas.calls import (
    ApiCall,
    ApiCallSentiment,
    ApiLast,
    ApiRow,
    ApiSentiment,
    ApiStanding,
    ApiTrack,
    ApiUtterance,
    ApiWord,
)
from webapp.schemas.handling import ApiHandling, ApiHelp, ApiJudgement, ApiNote
from webapp.schemas.happenings import ApiHappening

_decode_event = msgspec.json.Decoder(Event).decode


def moment_or_none(at_ms: int | None) -> str | None:
    return None if at_ms is None else moment(at_ms)


def _sentiment(sentiment: Sentiment | None) -> ApiSentiment | None:
    if sentiment is None:
        return None
    return ApiSentiment(sentiment.polarity, sentiment.subjectivity, sentiment.reasons)


def utterance(said: Utterance, sentiment: Sentiment | None) -> ApiUtterance:
    return ApiUtterance(
        id=said.id,
        track=said.track,
        index=said.index,
        start=said.start,
        end=said.end,
        text=said.text,
        mark=said.mark,
        words=[ApiWord(word.word, word.start, word.end, word.conf) for word in said.words],
        voice=said.voice,
        sentiment=_sentiment(sentiment),
    )


def _last(said: ScoredUtterance | None) -> ApiLast | None:
    if said is None:
        return None
    return ApiLast(said.id, said.track, said.text, said.start, said.end, _sentiment(said.sentiment))


def _track(view: TrackView) -> ApiTrack:
    return ApiTrack(view.next_seq, view.decoded_seq, view.lag_seconds, view.partial, view.gaps, view.wordless)


def handling(made: Handling) -> ApiHandling:
    """Supervisors' acts on a call."""
    return ApiHandling(
        state=made.state,
        by=made.by,
        at=moment_or_none(made.at_ms),
        until=moment_or_none(made.until_ms),
        seen=made.seen,
        revision=made.revision,
        notes=notes(made.notes),
        tags=made.tags,
        judged=[ApiJudgement(one.alert, one.right, one.why, one.by, moment(one.at_ms)) for one in made.judged],
        help=asked_help(made.help),
        messages=notes(made.messages),
    )


def notes(written: list[Note]) -> list[ApiNote]:
    """Supervisors' notes."""
    return [ApiNote(note.by, moment(note.at_ms), note.text) for note in written]


def asked_help(asked: Help | None) -> ApiHelp | None:
    """An agent's request for help."""
    if asked is None:
        return None
    return ApiHelp(asked.by, moment(asked.at_ms), asked.reason, moment_or_none(asked.answered_at_ms), asked.answered_by)


def happening(event: Happening) -> ApiHappening:
    """An event on the line."""
    return ApiHappening(event.kind, event.at, event.track, event.to, event.who)


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "sentiment": ApiCallSentiment(standing.score, standing.trend),
        "attention": standing.attention,
        "raised": standing.raised,
        "raised_at": standing.raised_at,
        "reasons": standing.reasons,
        "alerts": standing.alerts,
        "findings": standing.findings,
        "loud": standing.loud,
        "loud_since": standing.loud_since,
        "model": standing.model,
        "curve": standing.curve,
        "about": standing.about,
    }


def _row_fields(view: CallRow) -> dict[str, Any]:
    return {
        "call_id": view.call_id,
        "state": view.state,
        "started_at": moment(view.started_at_ms),
        "ended_at": moment_or_none(view.ended_at_ms),
        "end_reason": view.end_reason,
        "metadata": view.metadata,
        "tracks": {name: _track(track) for name, track in view.tracks.items()},
        "last": _last(view.last),
        "handling": handling(view.handling),
        "events": [happening(event) for event in view.events],
        **_standing(view.standing),
    }


def row(view: CallRow) -> ApiRow:
    """A row of the table."""
    return ApiRow(**_row_fields(view))


def call(view: CallView) -> ApiCall:
    """A whole call."""
    return ApiCall(
        **_row_fields(view),
        utterances=[utterance(said, said.sentiment) for said in view.utterances],
        summary=view.summary,
    )


def fleet(view: FleetHealth, server_time_ms: int) -> dict[str, Any]:
    """The fleet's health with the server's clock, by which the page measures durations."""
    return {**msgspec.to_builtins(view), "server_time_ms": server_time_ms}


def event(encoded: bytes) -> dict[str, Any]:
    """An entry of the feed as the sockets send it. Raises msgspec.DecodeError if it is none."""
    told: Event = _decode_event(encoded)
    if isinstance(told, CallEvent):
        shaped: dict[str, Any] = {
            "state": told.state,
            "started_at": moment(told.started_at_ms),
            "ended_at": moment_or_none(told.ended_at_ms),
            "end_reason": told.end_reason,
            "metadata": told.metadata,
        }
    elif isinstance(told, PartialEvent):
        shaped = {
            "track": told.track,
            "partial": told.partial,
            "lag_seconds": told.lag_seconds,
            "decoded_seq": told.decoded_seq,
            "wordless": told.wordless,
        }
    elif isinstance(told, FinalEvent):
        shaped = {"utterance": utterance(told.utterance, None)}
    elif isinstance(told, HandlingEvent):
        shaped = {"handling": handling(told.handling)}
    elif isinstance(told, LineEvent):
        shaped = {"events": [happening(event) for event in told.events]}
    else:
        shaped = {
            "utterance_id": told.utterance_id,
            "sentiment": _sentiment(told.sentiment),
            "standing": ApiStanding(**_standing(told.standing)),
        }
    kind = told.__struct_config__.tag
    return dict(msgspec.to_builtins({"kind": kind, "call_id": told.call_id, **shaped}))
