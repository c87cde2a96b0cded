"""Requests are asked for again when their jobs are lost, but never pile up behind a slow jobs process."""

from __future__ import annotations

import redis

from state.calls.summaries import BATCH
from state.keys import PREFIX
from tests.harness.protocol import Play
from workers.jobs.queue import Requests, job_queue


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
