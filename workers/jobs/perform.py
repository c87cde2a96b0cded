"""The work of the jobs process: the only table that leads from a name in Redis (allowed.py) to code."""

from __future__ import annotations

from collections.abc import Callable

import redis

from state.archive.opening import Archive, open_archive
from state.attention_models import AttentionModels
from state.calls.departures import Departures
from state.queues import Queues
from state.server.clock import now_ms
from state.server.opening import open_shards
from state.settings import Settings, load
from workers.jobs import allowed, summary
from workers.jobs.queue import StoredJob, Task

Job = Callable[[redis.Redis, Settings, str], str]
"""The work of a job with its argument; returns the result in a word."""


def _needs_database(work: Callable[[Archive, redis.Redis, Settings, str], str]) -> Job:
    """A job that only is for stores with a database; OFF says that there is none."""

    def job(client: redis.Redis, settings: Settings, argument: str) -> str:
        archive = open_archive(settings)
        return "OFF" if archive is None else work(archive, client, settings, argument)

    return job


def _summarise(client: redis.Redis, settings: Settings, call_id: str) -> str:
    return summary.write(open_shards(settings, "jobs", client), call_id, settings)


@_needs_database
def _archive(archive: Archive, client: redis.Redis, settings: Settings, call_id: str) -> str:
    from workers.jobs.archive import move

    return move(open_shards(settings, "jobs", client), archive, call_id, settings.redact)


def _assemble(client: redis.Redis, settings: Settings, call_id: str) -> str:
    from state.recording.sounds import open_sounds
    from workers.jobs.assembly import assemble

    shards = open_shards(settings, "jobs", client)
    archive, sounds = open_archive(settings), open_sounds(settings)
    if archive is None or sounds is None:
        Departures(shards).assembled(call_id)
        return "OFF"
    return assemble(shards, archive, sounds, call_id)


@_needs_database
def _forget_words(archive: Archive, client: redis.Redis, settings: Settings, _day: str) -> str:
    from workers.jobs.aging import forget_words

    return f"OK {forget_words(archive, Queues(client, settings).words(), now_ms(client))}"


@_needs_database
def _forget_sound(archive: Archive, client: redis.Redis, settings: Settings, _day: str) -> str:
    from state.recording.sounds import open_sounds
    from workers.jobs.aging import forget_sound

    sounds = open_sounds(settings)
    return "OFF" if sounds is None else f"OK {forget_sound(archive, sounds, settings.sound_days, now_ms(client))}"


@_needs_database
def _keep_trail(archive: Archive, client: redis.Redis, settings: Settings, _day: str) -> str:
    from workers.jobs.trail import keep

    return keep(open_shards(settings, "jobs", client), archive, settings.audit_years, now_ms(client))


@_needs_database
def _weekly_report(archive: Archive, client: redis.Redis, settings: Settings, week: str) -> str:
    from workers.jobs.weekly import send

    return send(archive, settings, week, now_ms(client))


@_needs_database
def _learn(archive: Archive, client: redis.Redis, _settings: Settings, _day: str) -> str:
    from workers.jobs.learn import refresh

    return refresh(archive, AttentionModels(client), now_ms(client))


def _redrive(client: redis.Redis, settings: Settings, letter_id: str) -> str:
    from workers.jobs.redrive import redrive  # it loads an engine: only the job's own process needs one

    return redrive(open_shards(settings, "jobs", client), letter_id)


_JOBS: dict[Task, Job] = {
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
    return _JOBS[task](client, load(), argument)


class PerformedJob(StoredJob):
    """A job in the jobs process."""

    def _execute(self) -> str:
        return perform(self.connection, self.data)
