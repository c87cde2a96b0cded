"""What the jobs process does when a job comes: the only table that leads from a name in Redis (allowed.py) to code."""

from __future__ import annotations

from collections.abc import Callable

import redis

from state.archive.opening import open_archive
from state.attention_models import AttentionModels
from state.calls.departures import Departures
from state.queues import Queues
from state.server.clock import now_ms
from state.server.opening import open_shards
from state.settings import load
from workers.jobs import allowed, summary
from workers.jobs.queue import StoredJob, Task


def _summarise(client: redis.Redis, call_id: str) -> str:
    settings = load()
    return summary.write(open_shards(settings, "jobs", client), call_id, settings)


def _archive(client: redis.Redis, call_id: str) -> str:
    from workers.jobs.archive import move

    settings = load()
    archive = open_archive(settings)
    if archive is None:
        return "OFF"
    return move(open_shards(settings, "jobs", client), archive, call_id, settings.redact)


def _assemble(client: redis.Redis, call_id: str) -> str:
    from state.recording.sounds import open_sounds
    from workers.jobs.assembly import assemble

    settings = load()
    archive = open_archive(settings)
    shards = open_shards(settings, "jobs", client)
    sounds = open_sounds(settings)
    if archive is None or sounds is None:
        Departures(shards).assembled(call_id)
        return "OFF"
    return assemble(shards, archive, sounds, call_id)


def _forget_words(client: redis.Redis, _day: str) -> str:
    from workers.jobs.aging import forget_words

    settings = load()
    archive = open_archive(settings)
    if archive is None:
        return "OFF"
    return f"OK {forget_words(archive, Queues(client, settings).words(), now_ms(client))}"


def _forget_sound(client: redis.Redis, _day: str) -> str:
    from state.recording.sounds import open_sounds
    from workers.jobs.aging import forget_sound

    settings = load()
    archive, sounds = open_archive(settings), open_sounds(settings)
    if archive is None or sounds is None:
        return "OFF"
    return f"OK {forget_sound(archive, sounds, settings.sound_days, now_ms(client))}"


def _keep_trail(client: redis.Redis, _day: str) -> str:
    from workers.jobs.trail import keep

    settings = load()
    archive = open_archive(settings)
    if archive is None:
        return "OFF"
    return keep(open_shards(settings, "jobs", client), archive, settings.audit_years, now_ms(client))


def _weekly_report(client: redis.Redis, week: str) -> str:
    from workers.jobs.weekly import send

    settings = load()
    archive = open_archive(settings)
    if archive is None:
        return "OFF"
    return send(archive, settings, week, now_ms(client))


def _learn(client: redis.Redis, _day: str) -> str:
    from workers.jobs.learn import refresh

    archive = open_archive(load())
    return "OFF" if archive is None else refresh(archive, AttentionModels(client), now_ms(client))


def _redrive(client: redis.Redis, letter_id: str) -> str:
    from workers.jobs.redrive import redrive  # it loads an engine: only the job's own process needs one

    return redrive(open_shards(load(), "jobs", client), letter_id)


_JOBS: dict[Task, Callable[[redis.Redis, str], str]] = {
    "summarise": _summarise,
    "archive": _archive,
    "assemble": _assemble,
    "forget-words": _forget_words,
    "forget-sound": _forget_sound,
    "keep-trail": _keep_trail,
    "weekly-report": _weekly_report,
    "learn": _learn,
    "redrive": _redrive,
}
"""The work of each job; it may be repeated."""


def perform(client: redis.Redis, data: bytes) -> str:
    """Do the job that `data` (JSON) names. Raises JobRefused for every other."""
    task, argument = allowed.read(data)
    return _JOBS[task](client, argument)


class PerformedJob(StoredJob):
    """A job in the jobs process."""

    def _execute(self) -> str:
        return perform(self.connection, self.data)
