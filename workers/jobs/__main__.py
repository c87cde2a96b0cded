"""`python -m workers.jobs`: one of any number of RQ workers."""

from __future__ import annotations

import logging
import sys

import redis

from state.archive.opening import ArchiveAway, open_archive
from state.server.connection import connect, wait_for_server
from state.server.opening import check_store, open_shards
from state.server.unreachable import told
from state.settings import Settings
from workers.jobs import summary
from workers.jobs.perform import PerformedJob
from workers.jobs.queue import job_queue
from workers.jobs.worker import JobsWorker
from workers.process import start

log = logging.getLogger("earshot.jobs")

PATIENCE_SECONDS = 60.0
"""Seconds to wait for the server at the start. Later RQ waits by itself."""


def run(settings: Settings) -> int:
    """Work until SIGTERM. A running job gets 6 s."""
    summary.prepare()
    _prepare_archive(settings)
    client = connect(settings, "jobs")
    try:
        wait_for_server(client, PATIENCE_SECONDS)
        check_store(open_shards(settings, "jobs", client))
    except redis.RedisError as error:
        url = settings.jobs_redis_url or settings.redis_url
        sys.stderr.write(f"earshot jobs: gave up after {PATIENCE_SECONDS:.0f} s: {told(url, error)}\n")
        return 1
    queue = job_queue(client, PerformedJob)
    worker = JobsWorker(
        [queue], connection=client, serializer=queue.serializer, job_class=PerformedJob, log_job_description=False
    )
    worker.work(logging_level=None, with_scheduler=False)
    return 0


def _prepare_archive(settings: Settings) -> None:
    """Bring the database up to date now, if it is there: calls wait in Redis until it is."""
    archive = open_archive(settings)
    if archive is None:
        return
    try:
        archive.prepare()
    except ArchiveAway as error:
        log.warning("the database is away: calls wait in Redis", extra={"error": str(error)})
    archive.close()


if __name__ == "__main__":
    start("jobs", run)
