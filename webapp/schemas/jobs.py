"""The background jobs, over the API."""

from __future__ import annotations

import msgspec

from webapp.schemas.values import Moment


class ApiFailedJob(msgspec.Struct):
    """A background job that failed. task: "" if it is none of Earshot's; then nobody may try it again. reason: the last
    line of what went wrong."""

    id: str
    task: str
    argument: str
    failed_at: Moment
    reason: str


class ApiJobs(msgspec.Struct):
    """The background jobs, as of `at`; null if no sentiment process lives, which writes it down.

    workers: jobs processes alive.  queued, running: numbers of jobs.  failed_count: all failures of a day; failed: the
    newest.  outstanding: by task, how many calls still lack it.  due: by task, when the next one is due.
    """

    at: Moment | None
    workers: int = 0
    queued: int = 0
    running: int = 0
    failed_count: int = 0
    failed: list[ApiFailedJob] = msgspec.field(default_factory=list)
    outstanding: dict[str, int] = msgspec.field(default_factory=dict)
    due: dict[str, Moment] = msgspec.field(default_factory=dict)


class ApiRetry(msgspec.Struct):
    """A failed job to try again."""

    id: str
