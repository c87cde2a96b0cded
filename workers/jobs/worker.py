"""The RQ worker of the jobs process. It counts its jobs in the process that lasts, not in the one that does the job."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import get_args

import redis
from rq import Queue
from rq.exceptions import InvalidJobOperation
from rq.job import Job, JobStatus
from rq.worker import HerokuWorker

from state import metrics
from workers.jobs.queue import Task


class JobsWorker(HerokuWorker):  # type: ignore[misc]
    """A worker that survives a SIGTERM sent to all, as Heroku sends it. A running job gets 6 s then."""

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Do the job in a process of its own, and count how long it took."""
        began = time.perf_counter()
        super().execute_job(job, queue)
        seconds = time.perf_counter() - began
        task = job.func_name if job.func_name in get_args(Task) else "unknown"
        with suppress(redis.RedisError):
            metrics.JOB_SECONDS.labels(task, _end(job)).observe(seconds)


def _end(job: Job) -> str:
    """done or failed. A job that is done leaves nothing behind (queue.py)."""
    try:
        return "failed" if job.get_status(refresh=True) == JobStatus.FAILED else "done"
    except InvalidJobOperation:
        return "done"
