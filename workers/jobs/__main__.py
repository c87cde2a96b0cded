"""`python -m workers.jobs`: one of any number of RQ workers."""

from __future__ import annotations

import sys

import redis
from rq.worker import HerokuWorker

from state.server.connection import connect, wait_for_server
from state.settings import Settings
from workers.jobs import summary
from workers.jobs.perform import PerformedJob
from workers.jobs.queue import job_queue
from workers.process import start

PATIENCE_SECONDS = 60.0
"""How long to wait for the server at the start; later RQ waits by itself."""


def run(settings: Settings) -> int:
    """Work until SIGTERM: a running job is given 6 s (HerokuWorker, which survives a SIGTERM sent to all)."""
    summary.prepare()
    client = connect(settings, "jobs")
    try:
        wait_for_server(client, PATIENCE_SECONDS)
    except redis.RedisError as error:
        sys.stderr.write(f"earshot jobs: the server did not answer in {PATIENCE_SECONDS:.0f} s: {error}\n")
        return 1
    queue = job_queue(client, PerformedJob)
    worker = HerokuWorker(
        [queue], connection=client, serializer=queue.serializer, job_class=PerformedJob, log_job_description=False
    )
    worker.work(logging_level=None, with_scheduler=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(start("jobs", run))
