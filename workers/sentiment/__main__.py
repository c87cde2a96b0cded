"""`python -m workers.sentiment`: one of any number of processes that score finals as they come."""

from __future__ import annotations

import logging
import os
import random
import socket
import time
from collections.abc import Callable

import redis

from state import metrics, tracing
from state.attention_models import AttentionModels
from state.calls.assessments import Unscored
from state.calls.finals import Finals
from state.calls.fleet import worker_name
from state.calls.retention import Retention
from state.calls.scores import Scores
from state.rules import RulesStore
from state.server.clock import RunningClock
from state.server.connection import BLOCK_MS, ShardAway
from state.server.opening import check_store, open_shards
from state.server.shards import Shard
from state.settings import Settings
from workers.jobs.board import Boards
from workers.jobs.queue import Requests
from workers.process import Stop, start
from workers.sentiment.assessor import Assessor
from workers.sentiment.scoring import Scoring

UPKEEP_SECONDS = 1.0
"""Seconds between two looks for a dead worker's utterances and for ended calls without a summary. Jittered."""

SWEEP_SECONDS = 10.0
"""Seconds between two looks for data that has reached its age. Jittered."""

AWAY_SECONDS = 10.0
"""Seconds until upkeep tries a server again that did not answer. Each try may cost its time-out, and scoring waits."""

RECONNECT_SECONDS = 0.5

ROUND_SECONDS = 0.05
"""Seconds between two looks at several shards while nothing waits, because no command can wait at several."""

log = logging.getLogger("earshot.sentiment")


class Desk:
    """One shard's utterances. If its server does not answer, it is left alone for a moment."""

    def __init__(self, shard: Shard, worker: str, settings: Settings, assessor: Assessor) -> None:
        self._shard = shard
        self._finals = Finals(shard, worker)
        self._scoring = Scoring(self._finals, Scores(shard, settings), assessor, self._measure)
        self._clock = RunningClock(shard.now_ms)
        self._joined = False
        self._again_at = self._upkeep_at = 0.0

    def score(self, block_ms: int) -> bool:
        """Wait block_ms for utterances and score them. Returns whether there were any."""
        if time.monotonic() < self._again_at:
            return False
        try:
            waiting = [] if self._joined else self._finals.join()
            self._joined = True
            if time.monotonic() >= self._upkeep_at:
                self._upkeep_at = time.monotonic() + UPKEEP_SECONDS * random.uniform(0.5, 1.5)
                waiting = self._finals.abandoned()
                self._finals.forget_dead()
            waiting += self._finals.next(0 if waiting else block_ms)
            self._scoring.score(waiting)
        except redis.RedisError as error:
            log.warning(
                "the server does not answer properly; trying again",
                extra={"shard": self._shard.number, "error": str(error)},
            )
            self._joined = False
            self._again_at = time.monotonic() + RECONNECT_SECONDS
            return False
        return bool(waiting)

    def rest(self) -> None:
        """Wait until it is time to ask the server again."""
        time.sleep(max(0.0, self._again_at - time.monotonic()))

    def _measure(self, unscored: Unscored) -> None:
        metrics.SCORE_DELAY.observe(max(0.0, self._clock.now_ms() - unscored.at_ms) / 1000)

    def leave(self) -> None:
        try:
            self._finals.leave()
        except redis.RedisError as error:
            log.warning("left without a sign-off", extra={"shard": self._shard.number, "error": str(error)})


class Upkeep:
    """Work for all shards together. It must never hold up scoring, because that frees a full server."""

    def __init__(
        self, summaries: Requests, boards: Boards, retention: Retention, assessor: Assessor, rules: RulesStore
    ) -> None:
        self._summaries, self._boards, self._retention = summaries, boards, retention
        self._assessor, self._rules = assessor, rules
        self._upkeep_at = self._sweep_at = 0.0

    def do(self) -> None:
        """Do what is due, until a server does not answer."""
        now = time.monotonic()
        due: list[tuple[str, Callable[[], object]]] = []
        if now >= self._upkeep_at:
            self._upkeep_at = now + UPKEEP_SECONDS * random.uniform(0.5, 1.5)
            due += [("rules", self._follow), ("summaries", self._summaries.request), ("board", self._boards.update)]
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_SECONDS * random.uniform(0.5, 1.5)
            due.append(("retention", self._retention.sweep))
        for what, work in due:
            if not _is_answered(what, work):
                self._upkeep_at = self._sweep_at = time.monotonic() + AWAY_SECONDS
                break

    def _follow(self) -> None:
        if self._assessor.follow(self._rules):
            log.info("new rules apply")
        if self._assessor.follow_models():
            log.info("calls that begin use a new attention model")


def run(settings: Settings) -> None:
    """Score until SIGTERM or SIGINT."""
    stop = Stop()
    tracing.start("sentiment", settings)
    shards = open_shards(settings, "worker")
    assessor = Assessor(settings.redact, AttentionModels(shards.plain))
    upkeep = Upkeep(
        Requests(shards, settings),
        Boards(shards),
        Retention(shards, settings),
        assessor,
        RulesStore(shards.plain),
    )
    while not stop():
        try:
            check_store(shards)
            break
        except redis.RedisError as error:
            log.warning("waiting for the server", extra={"error": str(error)})
            time.sleep(RECONNECT_SECONDS)
    else:
        return
    worker = worker_name(socket.gethostname(), os.getpid())
    desks = [Desk(shard, worker, settings, assessor) for shard in shards]
    while not stop():
        upkeep.do()
        if stop():
            break
        if len(desks) == 1:
            if not desks[0].score(BLOCK_MS):
                desks[0].rest()
        elif not sum(desk.score(0) for desk in desks):
            time.sleep(ROUND_SECONDS)
    for desk in desks:
        desk.leave()
    tracing.stop()


def _is_answered(what: str, work: Callable[[], object]) -> bool:
    """Do work that can wait while a server is full or away. Returns whether it was no time-out."""
    try:
        work()
    except redis.RedisError as error:
        log.warning("left for later", extra={"what": what, "error": str(error)})
        return isinstance(error, ShardAway) or not isinstance(error, redis.ConnectionError | redis.TimeoutError)
    return True


if __name__ == "__main__":
    start("sentiment", run)
