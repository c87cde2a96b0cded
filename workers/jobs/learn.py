"""Learns from supervisors' judgements and measures what is normal in each queue: a new version of the attention model,
where there is something new. A job that dies anywhere runs again."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from state.archive.judged import JudgedCall, judged_calls, queues, summaries
from state.archive.opening import Archive, ArchiveAway
from state.attention_models import AttentionModels, ModelChanged, ModelVersion, Origin
from state.moments import DAY_MS
from workers.insight import models
from workers.insight.attention import AttentionModel
from workers.insight.models import Lesson
from workers.insight.norms import CallFigures, Norms, measure
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.words.spoken import spoken
from workers.learning.fitting import Judged, seen
from workers.learning.lessons import learn

log = logging.getLogger("earshot.jobs")

WEEKS = 4
"""Weeks of a queue's calls from which its norms come."""
MOST_JUDGED = 1000
"""Most judged calls to learn from, the newest: a job reads and fits them in a minute."""
MOST_QUEUES, MOST_CALLS = 100, 1000
"""Most queues that have norms, and most calls of each, the newest."""
MORE = 1.1
"""Least multiple of the last time's judged calls to learn again: a version that an admin took back does not return on
the same day."""


def refresh(archive: Archive, store: AttentionModels, now_ms: int) -> str:
    """The job. Returns LEARNED, NORMS (a new version), SAME (nothing is new), AWAY, or CHANGED (somebody else made a
    version meanwhile)."""
    after = store.version()
    newest = store.get(after)
    now = models.of(newest)
    try:
        norms = _norms(archive, now_ms - WEEKS * 7 * DAY_MS)
        judged = list(judged_calls(archive, MOST_JUDGED))
    except ArchiveAway as error:
        log.warning("the database is away: nothing is learned", extra={"error": str(error)})
        return "AWAY"
    known = _lessons(newest)
    new, lessons = now, known
    if not known or len(judged) >= MORE * known[0].calls:
        new, lessons = learn(_seen(judged), now)
    learned = (new.fitted, new.queues) != (now.fitted, now.queues)
    store.note_look(now_ms, models.encode(lessons))
    if not learned:
        new, lessons = now, known
    new = msgspec.structs.replace(new, norms=norms)
    if new == now:
        return "SAME"
    origin: Origin = "learned" if learned else "norms"
    try:
        made = store.save(after, origin, models.encode(new), models.encode(lessons))
    except ModelChanged:
        return "CHANGED"
    log.info("a new attention model applies", extra={"version": made.version, "origin": origin})
    return origin.upper()


def _lessons(version: ModelVersion | None) -> list[Lesson]:
    return models.decode_lessons(version.figures) if version is not None else []


def _seen(calls: list[JudgedCall]) -> list[Judged]:
    """Judged calls as the signs show them, without those in which the customer said nothing."""
    attention = AttentionModel(CallAnalyzer())
    found = []
    for call in calls:
        said = [spoken(utterance) for utterance in call.utterances if utterance.text and utterance.mark is None]
        found.append(seen(call.queue, call.right, said, attention))
    return [one for one in found if one is not None]


def _norms(archive: Archive, since_ms: int) -> dict[str, Norms]:
    found: dict[str, Norms] = {}
    for queue in queues(archive, since_ms, MOST_QUEUES):
        norms = measure([_figures(one) for one in summaries(archive, queue, since_ms, MOST_CALLS)])
        if norms is not None:
            found[queue] = norms
    return found


def _figures(summary: dict[str, Any]) -> CallFigures:
    """From a summary; older ones lack figures."""
    talk = summary.get("talk") or {}
    customer = (talk.get("parties") or {}).get("customer") or {}
    a_minute = customer.get("words_per_minute")
    return CallFigures(
        talk.get("longest_silence_seconds"),
        summary.get("duration_seconds"),
        summary.get("sentiment_score"),
        a_minute / 60 if a_minute is not None else None,
        summary.get("customer_effort_db"),
    )
