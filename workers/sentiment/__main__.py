"""`python -m workers.sentiment`: one of any number of processes that score finals as they come."""

from __future__ import annotations

import logging
import os
import random
import socket
import time
from collections.abc import Callable

import redis

from state.connection import check_server, connect
from state.fleet import worker_name
from state.retention import Retention
from state.rules import RulesStore
from state.scores import Scores
from state.settings import Settings
from workers.jobs.queue import Summaries
from workers.process import Stop, start
from workers.sentiment.insight import Insight
from workers.sentiment.scoring import Scoring

UPKEEP_SECONDS = 1.0
"""Between two looks for utterances a dead worker left and for ended calls to be summarised; jittered."""

SWEEP_SECONDS = 10.0
"""Between two looks for what has reached its age; jittered."""

RECONNECT_SECONDS = 0.5

log = logging.getLogger("earshot.sentiment")


def run(settings: Settings) -> None:
    """Score until SIGTERM or SIGINT."""
    stop = Stop()
    client = connect(settings, "worker")
    scores = Scores(client, worker_name(socket.gethostname(), os.getpid()), settings)
    summaries = Summaries(client)
    insight = Insight(settings.redact)
    scoring = Scoring(scores, insight)
    rules = RulesStore(client)
    retention = Retention(client, settings)
    while not stop():
        try:
            check_server(client)
            waiting = scores.join()
            upkeep_at = sweep_at = 0.0
            while not stop():
                scoring.score(waiting)
                waiting = []
                if time.monotonic() >= upkeep_at:
                    upkeep_at = time.monotonic() + UPKEEP_SECONDS * random.uniform(0.5, 1.5)
                    waiting = scores.abandoned()
                    scores.forget_dead()
                    if insight.follow(rules):
                        log.info("rules taken up")
                    _leave_for_later_if_full("summaries", summaries.request)
                if time.monotonic() >= sweep_at:
                    sweep_at = time.monotonic() + SWEEP_SECONDS * random.uniform(0.5, 1.5)
                    _leave_for_later_if_full("retention", retention.sweep)
                waiting += scores.next()
        except redis.RedisError as error:
            log.warning("the server does not answer as it should; trying again", extra={"error": str(error)})
            time.sleep(RECONNECT_SECONDS)
    try:
        scores.leave()
    except redis.RedisError as error:
        log.warning("left without saying so", extra={"error": str(error)})


def _leave_for_later_if_full(what: str, work: Callable[[], int]) -> None:
    """Do what a full server refuses and must not keep us from scoring: that frees."""
    try:
        work()
    except redis.exceptions.ResponseError as error:
        log.warning("left for later", extra={"what": what, "error": str(error)})


if __name__ == "__main__":
    raise SystemExit(start("sentiment", run))
