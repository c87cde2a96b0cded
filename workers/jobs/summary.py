"""An ended call's summary: what it was about, how long, who talked how much, how the mood went, where it was worst."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import msgspec
import redis

from state import keys
from state.attention_models import AttentionModels
from state.calls.happenings import spans
from state.calls.reads import Reads
from state.calls.summaries import Outstanding
from state.rules import RulesStore
from state.server.shards import Shards, shards_of
from state.settings import Settings
from state.types import ScoredUtterance
from state.views import CallView
from workers.insight import talk
from workers.insight.context import ContextScorer
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.redaction.masking import finish
from workers.insight.ruled import RuledModel
from workers.insight.rules.rule import RuleError
from workers.insight.rules.rulefile import applying
from workers.insight.rules.ruleset import RuleSet
from workers.insight.words.spoken import Spoken, spoken, waited
from workers.jobs import language_model
from workers.learning.versions import Versions
from workers.voice.calm import Calm, hear, usual_effort

log = logging.getLogger("earshot.jobs")


LLM_PAUSE_SECONDS = 60
"""Seconds for which a failed language model is left alone: ending calls must not wait for it one by one."""


def write(store: Shards | redis.Redis, call_id: str, settings: Settings) -> str:
    """The job: write the summary of `call_id`, and mask the words that nobody could judge before the end.

    With DATABASE_URL the call goes to the database then. Repeating it changes nothing.
    """
    shards = shards_of(store)
    call = Reads(shards).call(call_id)
    if call is None:
        return Outstanding(shards).store(call_id, {})
    masked = None
    finished = finish(call.utterances, list(call.tracks))
    if settings.redact:
        masked = finished
        call = msgspec.structs.replace(call, utterances=masked.transcript)
    told = summary(call, _rules(shards.plain), Versions(AttentionModels(shards.plain)))
    by_model = _by_model(shards.plain, settings, call_id, finished.transcript)
    if by_model is not None:
        told["by_model"] = by_model
    return Outstanding(shards).store(call_id, told, masked, archive=bool(settings.database_url))


def _by_model(
    client: redis.Redis, settings: Settings, call_id: str, masked: list[ScoredUtterance]
) -> dict[str, Any] | None:
    """What a language model makes of the call; None if there is none, or it fails."""
    away = keys.turn("llm-away")
    if not settings.summary_llm_url or not any(said.text for said in masked) or client.exists(away):
        return None
    try:
        written = language_model.write(settings, masked)
    except language_model.Failed as error:
        log.warning("the language model wrote no summary", extra={"call_id": call_id, "error": str(error)})
        client.set(away, 1, ex=LLM_PAUSE_SECONDS)
        return None
    return {"model": settings.summary_llm_model, **msgspec.to_builtins(written)}


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


def summary(call: CallView, rules: RuleSet, versions: Versions | None = None) -> dict[str, Any]:
    """The summary as JSON-able values; times in seconds of the call. versions: of the attention model; the call's is
    used."""
    said = [utterance for utterance in call.utterances if utterance.text]
    analyzer = _analyzer()
    version = call.standing.model or 0
    by, queue = (versions or Versions()).get(version), call.metadata.get("queue", "")
    model = RuledModel(analyzer, rules, by.weights(queue), by.norms_of(queue), queue)
    heard = [spoken(utterance) for utterance in said]
    length = max((u.end for u in call.utterances), default=0.0)
    held = spans(call.events, "hold", "resume", length)
    found = talk.summary(waited(heard, held), model, ContextScorer(analyzer), held=held)
    talked = {track: sum(u.end - u.start for u in said if u.track == track) for track in call.tracks}
    tracks = {utterance.id: utterance.track for utterance in said}
    return {
        "duration_seconds": round(length, 3),
        "talk_seconds": {track: round(seconds, 3) for track, seconds in talked.items()},
        "sentiment_score": found.score,
        "sentiment_curve": call.standing.curve,
        "verdict": found.verdict,
        "model": version,
        "customer_effort_db": customer_effort(heard),
        "peak_attention": found.peak_attention,
        "raised_seconds": found.raised_seconds,
        "worst_moment": None
        if found.worst is None
        else msgspec.to_builtins(found.worst) | {"track": tracks[found.worst.utterance_id]},
        "talk": msgspec.to_builtins(found.talk),
        "points": msgspec.to_builtins(found.standing.gist),
    }


def customer_effort(said: list[Spoken]) -> float | None:
    """Effort of the customers' calm speech in dB (workers/voice/calm.py); None where it was not measured."""
    calm = Calm()
    for utterance in said:
        if utterance.party != "agent" and utterance.voice is not None:
            calm = hear(calm, utterance.voice, utterance.end - utterance.start)
    return usual_effort(calm)


@cache
def _analyzer() -> CallAnalyzer:
    return CallAnalyzer()
