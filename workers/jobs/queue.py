"""Asking RQ for the jobs that are outstanding. What is outstanding stands in our own keys, not in RQ's queue:
a job lost with its worker is asked for again, and a job run twice has the effect of one."""

from __future__ import annotations

import redis
from rq import Queue
from rq.serializers import JSONSerializer

from state.summaries import BATCH, Outstanding

QUEUE = "earshot"

FAILURE_KEPT_SECONDS = 24 * 3600


def job_queue(client: redis.Redis) -> Queue:
    """The queue of all our jobs. JSON arguments: a job is never code from the wire."""
    return Queue(QUEUE, connection=client, serializer=JSONSerializer)


class Summaries:
    """Requests a summary for every ended call that has none."""

    def __init__(self, client: redis.Redis) -> None:
        self._outstanding = Outstanding(client)
        self._queue = job_queue(client)

    def request(self) -> int:
        """Enqueue what is outstanding and was not asked for lately; returns how many."""
        if self._queue.count >= BATCH:
            return 0  # asking again for what only waits its turn would make the queue longer and longer
        call_ids = self._outstanding.take()
        for call_id in call_ids:
            self._queue.enqueue(
                "workers.jobs.summary.summarise", call_id, result_ttl=0, failure_ttl=FAILURE_KEPT_SECONDS
            )
        return len(call_ids)
