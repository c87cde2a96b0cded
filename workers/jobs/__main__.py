"""`python -m workers.jobs`: one of any number of RQ workers."""

from __future__ import annotations

from rq.worker import HerokuWorker

from state.connection import connect, wait_for_server
from state.settings import Settings
from workers.jobs import summary
from workers.jobs.queue import job_queue
from workers.process import start

PATIENCE_SECONDS = 60.0
"""How long to wait for the server at the start; later RQ waits by itself."""


def run(settings: Settings) -> None:
    """Work until SIGTERM: a running job is given 6 s (HerokuWorker, which survives a SIGTERM sent to all)."""
    summary.prepare()
    client = connect(settings, "jobs")
    wait_for_server(client, PATIENCE_SECONDS)
    queue = job_queue(client)
    HerokuWorker([queue], connection=client, serializer=queue.serializer, log_job_description=False).work(
        logging_level=None, with_scheduler=False
    )


if __name__ == "__main__":
    raise SystemExit(start("jobs", run))
