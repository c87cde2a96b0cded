"""What the jobs process does when a job comes: the only table that leads from a name in Redis to code."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, NamedTuple

import msgspec
import redis
from msgspec import Meta

from state import keys
from state.archive.opening import open_archive
from state.server.clock import now_ms
from state.server.opening import open_shards
from state.settings import load
from state.types import CALL_ID
from workers.jobs import summary
from workers.jobs.queue import StoredJob, Task


class JobRefused(ValueError):
    """Not one of our jobs. Nothing was done."""


class _NoNames(msgspec.Struct, forbid_unknown_fields=True):
    """RQ's place for named arguments. No job has any."""


_decode = msgspec.json.Decoder(tuple[Task, None, tuple[Annotated[str, Meta(max_length=128)]], _NoNames]).decode
"""How RQ stores a call: the function's name, an instance, arguments, named arguments."""


class _Job(NamedTuple):
    """check: raises ValueError for an impossible argument. do: the work; it may be repeated."""

    check: Callable[[str], object]
    do: Callable[[redis.Redis, str], str]


def _call_id(given: str) -> None:
    if not re.fullmatch(CALL_ID, given):
        raise ValueError("not a call's id")


def _summarise(client: redis.Redis, call_id: str) -> str:
    settings = load()
    return summary.write(
        open_shards(settings, "jobs", client), call_id, settings.redact, archive=bool(settings.database_url)
    )


def _archive(client: redis.Redis, call_id: str) -> str:
    from workers.jobs.archive import move

    settings = load()
    archive = open_archive(settings)
    if archive is None:
        return "OFF"
    return move(open_shards(settings, "jobs", client), archive, call_id, settings.redact)


def _day(given: str) -> None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        raise ValueError("not a day")


def _forget_words(client: redis.Redis, _day: str) -> str:
    from workers.jobs.aging import forget_words

    settings = load()
    archive = open_archive(settings)
    if archive is None:
        return "OFF"
    return f"OK {forget_words(archive, settings.words_days, now_ms(client))}"


def _redrive(client: redis.Redis, letter_id: str) -> str:
    from workers.jobs.redrive import redrive  # it loads an engine: only the job's own process needs one

    return redrive(open_shards(load(), "jobs", client), letter_id)


_JOBS: dict[Task, _Job] = {
    "summarise": _Job(_call_id, _summarise),
    "archive": _Job(_call_id, _archive),
    "forget-words": _Job(_day, _forget_words),
    "redrive": _Job(keys.read_entry_name, _redrive),
}


def perform(client: redis.Redis, data: bytes) -> str:
    """Do the job that `data` (JSON) names. Raises JobRefused for every other."""
    try:
        task, _, (argument,), _ = _decode(data)
        job = _JOBS[task]
        job.check(argument)
    except ValueError:  # msgspec's errors are of this kind; the log must not repeat the data
        raise JobRefused("no such job, or a wrong argument") from None
    return job.do(client, argument)


class PerformedJob(StoredJob):
    """A job in the jobs process."""

    def _execute(self) -> str:
        return perform(self.connection, self.data)
