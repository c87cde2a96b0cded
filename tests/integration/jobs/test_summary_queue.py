"""A job that is lost is asked for again, but jobs never pile up behind a slow process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import redis
from rq.job import JobStatus

from state.calls.summaries import BATCH
from state.keys import PREFIX
from tests.harness.protocol import Play
from workers.jobs.queue import LOST_SECONDS, Requests, ask, job_queue


def test_a_slow_jobs_process_is_not_asked_again_for_what_waits_its_turn(store: redis.Redis) -> None:
    play, summaries, queue = Play(store), Requests(store), job_queue(store)
    for n in range(3 * BATCH):
        play.ingest.create(f"c{n}", ["t"], {})
        play.ingest.end(f"c{n}")
    for _ in range(10):
        summaries.request()
        for asked in store.scan_iter(PREFIX + "summary-asked:*"):
            store.delete(asked)  # a minute passes
    assert BATCH <= queue.count < 2 * BATCH
    queue.empty()  # the server lost it
    assert summaries.request() > 0


def test_two_requests_for_one_call_are_one_job(store: redis.Redis) -> None:
    queue = job_queue(store)
    first = ask(queue, "archive", "call~1")
    assert ask(queue, "archive", "call~1").id == first.id and queue.count == 1
    assert ask(queue, "summarise", "call~1").id != first.id and ask(queue, "archive", "call~2").id != first.id
    assert queue.count == 3


def test_a_job_that_nobody_does_any_more_makes_room(store: redis.Redis) -> None:
    queue = job_queue(store)
    job = ask(queue, "archive", "c")
    queue.remove(job)
    assert ask(queue, "archive", "c") and queue.count == 1, "the job had fallen out of the queue"

    def at_work(silent_seconds: float) -> None:
        queue.empty()
        job = ask(queue, "archive", "c")
        queue.remove(job)
        job.set_status(JobStatus.STARTED)
        job.heartbeat(datetime.now(UTC) - timedelta(seconds=silent_seconds), ttl=600)

    at_work(0)
    assert ask(queue, "archive", "c") and queue.count == 0, "a worker has it"
    at_work(LOST_SECONDS)
    assert ask(queue, "archive", "c") and queue.count == 1, "its worker is dead"
    job.set_status(JobStatus.FAILED)
    queue.failed_job_registry.add(job, 600)
    queue.remove(job)
    assert ask(queue, "archive", "c") and queue.count == 1
    assert queue.failed_job_registry.get_job_count(cleanup=False) == 0
    store.delete(queue.job_class.key_for(job.id))
    store.hset(queue.job_class.key_for(job.id), "created_at", "damaged")
    queue.remove(job)
    assert ask(queue, "archive", "c") and queue.count == 1
