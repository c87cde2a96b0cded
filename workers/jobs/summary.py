"""An ended call's summary: how long, who talked how much, how the mood went, and where it was worst."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import redis

from state.calls.reads import Reads
from state.calls.summaries import Outstanding
from state.rules import RulesStore
from state.server.shards import Shards, shards_of
from state.types import CallView
from workers.insight import talk
from workers.insight.analyzer import CallAnalyzer
from workers.insight.context import ContextScorer
from workers.insight.masking import finish
from workers.insight.ruled import RuledModel
from workers.insight.rulefile import applying
from workers.insight.rules import RuleError, RuleSet
from workers.insight.spoken import spoken


def write(store: Shards | redis.Redis, call_id: str, redact: bool, archive: bool = False) -> str:
    """The job: write the summary of `call_id`, and mask what nobody could judge before the end.

    archive: whether the call goes to the database then.

    Repeating it changes nothing.
    """
    shards = shards_of(store)
    call = Reads(shards).call(call_id)
    if call is None:
        return Outstanding(shards).store(call_id, {})
    masked = None
    if redact:
        masked = finish(call.utterances, list(call.tracks))
        call = msgspec.structs.replace(call, utterances=masked.transcript)
    return Outstanding(shards).store(call_id, summary(call, _rules(shards.plain)), masked, archive)


def _rules(client: redis.Redis) -> RuleSet:
    """The rules that apply. The starter set if they are unreadable."""
    stored = RulesStore(client).read()
    try:
        return applying(stored.text if stored else None)
    except RuleError:
        return applying(None)


def prepare() -> None:
    """Load the phrases now. RQ forks a child for each job, and each would need half a second to load them."""
    _analyzer()


def summary(call: CallView, rules: RuleSet) -> dict[str, Any]:
    """The summary as JSON-able values; times in seconds of the call."""
    said = [utterance for utterance in call.utterances if utterance.text]
    analyzer = _analyzer()
    model = RuledModel(analyzer, rules)
    found = talk.summary([spoken(utterance) for utterance in said], model, ContextScorer(analyzer))
    talked = {track: sum(u.end - u.start for u in said if u.track == track) for track in call.tracks}
    tracks = {utterance.id: utterance.track for utterance in said}
    return {
        "duration_seconds": round(max((u.end for u in call.utterances), default=0.0), 3),
        "talk_seconds": {track: round(seconds, 3) for track, seconds in talked.items()},
        "sentiment_score": found.score,
        "sentiment_curve": call.standing.curve,
        "verdict": found.verdict,
        "peak_attention": found.peak_attention,
        "raised_seconds": found.raised_seconds,
        "worst_moment": None
        if found.worst is None
        else msgspec.to_builtins(found.worst) | {"track": tracks[found.worst.utterance_id]},
        "talk": msgspec.to_builtins(found.talk),
    }


@cache
def _analyzer() -> CallAnalyzer:
    return CallAnalyzer()
