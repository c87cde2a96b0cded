"""An ended call's summary: how long, who talked how much, how the mood went, and where it was worst."""

from __future__ import annotations

from typing import Any

from rq import get_current_job

from state.reads import Reads
from state.summaries import Outstanding
from state.types import CallView


def summarise(call_id: str) -> str:
    """The job: write the summary of `call_id`. Repeating it changes nothing."""
    job = get_current_job()
    assert job is not None
    call = Reads(job.connection).call(call_id)
    return Outstanding(job.connection).store(call_id, summary(call) if call else {})


def summary(call: CallView) -> dict[str, Any]:
    """The summary as JSON-able values; times in seconds of the call."""
    talk: dict[str, float] = dict.fromkeys(call.tracks, 0.0)
    for utterance in call.utterances:
        if utterance.text:
            talk[utterance.track] = talk.get(utterance.track, 0.0) + utterance.end - utterance.start
    scored = [u for u in call.utterances if u.sentiment is not None]
    worst = min(scored, key=lambda u: u.sentiment.polarity if u.sentiment else 0.0, default=None)
    return {
        "duration_seconds": round(max((u.end for u in call.utterances), default=0.0), 3),
        "talk_seconds": {track: round(seconds, 3) for track, seconds in talk.items()},
        "sentiment_curve": call.standing.curve,
        "worst_moment": None
        if worst is None
        else {"utterance_id": worst.id, "at": worst.start, "text": worst.text, "track": worst.track},
    }
