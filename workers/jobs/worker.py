"""The RQ worker of the jobs process. It counts its jobs in the process that lasts, not in the one that does the job."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, get_args

import redis
from rq import Queue
from rq.exceptions import InvalidJobOperation
from rq.job import Job, JobStatus
from rq.worker import HerokuWorker

from state import metrics
from workers.jobs import allowed
from workers.jobs.allowed import JobRefused
from workers.jobs.queue import Task

LAST_SECONDS = 8.0
"""Seconds from SIGTERM until a job that still runs is killed. All of this process must end within 10."""

GOODBYE_SECONDS = (1.0, 4.0)
"""Seconds to say goodbye to the server: after killing a job, and without a job."""

ASK_SECONDS = 0.5
"""Seconds between two looks of a job's process whether its worker still lives."""

log = logging.getLogger("earshot.jobs")


class JobsWorker(HerokuWorker):  # type: ignore[misc]
    """A worker that survives a SIGTERM sent to all, as Heroku sends it.

    RQ asks a running job to end 6 s later, by an alarm. A job that has just begun sets its own alarm and so forgets
    that one; a job may also swallow it. So this worker kills the job's process after LAST_SECONDS. Jobs may be killed
    anywhere: a worker asks again for what they left undone.

    Before it ends, RQ says goodbye to the server, and would wait for ever for one that does not answer.

    A job's process does not outlive this one. RQ leaves it alone if the signal comes between its fork and the moment
    this process knows of it, or if the server is away at the signal (RQ cannot note the request there, and quits).
    """

    def bootstrap(self, *arguments: Any, **options: Any) -> None:
        """Count failures from 0, or the first one of a task would be a new series, which no alert sees rise."""
        for task in get_args(Task):
            metrics.JOB_SECONDS.labels(task, "failed")
        super().bootstrap(*arguments, **options)

    def handle_warm_shutdown_request(self) -> None:
        """Ask the job to end, and make sure that it does, and this process, too."""
        super().handle_warm_shutdown_request()
        if self.horse_pid:
            _later(LAST_SECONDS, self._kill, self.horse_pid)
        _later(LAST_SECONDS + GOODBYE_SECONDS[0] if self.horse_pid else GOODBYE_SECONDS[1], _end_here)

    def _kill(self, horse_pid: int) -> None:
        if self.horse_pid == horse_pid:
            self.kill_horse()

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """In the job's process: do the job, unless the worker ends meanwhile."""
        threading.Thread(target=_end_without, args=(self.pid,), daemon=True).start()
        super().main_work_horse(job, queue)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Do the job in a process of its own, and count how long it took."""
        began = time.perf_counter()
        super().execute_job(job, queue)
        seconds = time.perf_counter() - began
        with suppress(redis.RedisError):
            metrics.JOB_SECONDS.labels(_task(job), _end(job)).observe(seconds)


def _task(job: Job) -> str:
    """Which of our jobs it is; "unknown" for one that somebody forged, whatever is in it."""
    try:
        return allowed.read(job.data).task
    except JobRefused:
        return "unknown"


def _end_without(worker: int) -> None:
    """Kill this process and what it has started as soon as its parent is not the worker any more."""
    while os.getppid() == worker:
        time.sleep(ASK_SECONDS)
    os.killpg(0, signal.SIGKILL)  # RQ makes each job's process the leader of a group


def _later(seconds: float, do: Callable[..., None], *args: object) -> None:
    timer = threading.Timer(seconds, do, args)
    timer.daemon = True
    timer.start()


def _end_here() -> None:
    log.warning("left without a sign-off: the server does not answer")
    os._exit(0)


def _end(job: Job) -> str:
    """done or failed. A job that is done leaves nothing behind (queue.py)."""
    try:
        return "failed" if job.get_status(refresh=True) == JobStatus.FAILED else "done"
    except InvalidJobOperation:
        return "done"
