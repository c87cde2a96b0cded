"""Writes the board of jobs that admins see, and tries the failed jobs again that they choose."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from collections import Counter
from contextlib import suppress
from typing import Any, cast

import redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.results import Result
from rq.worker import Worker

from state import keys
from state.jobs import JOB_ID, Board, FailedJob, JobsBoard, Process
from state.process import read_client_name
from state.server.clock import now_ms
from state.server.shards import Shards
from workers.jobs import allowed
from workers.jobs.allowed import Asked, JobRefused
from workers.jobs.queue import FAILURE_KEPT_SECONDS, KEPT, StoredJob, ask, job_queue

EVERY_SECONDS = 3
"""Seconds between two boards, whatever the number of workers."""

SHOWN = 50
"""Most failed jobs on a board, the newest."""

MAX_REASON_BYTES = 64 * 1024
"""Most bytes of an exception as RQ packs it; packed text may grow a thousandfold."""

MAX_REASON_CHARS = 200


class Boards:
    """Every sentiment process has one; one of them at a time works."""

    def __init__(self, shards: Shards) -> None:
        self._shards, self._redis = shards, shards.plain
        self._board = JobsBoard(shards.plain)
        self._queue: Queue = job_queue(shards.plain)

    def update(self) -> None:
        """Do what admins wish, then write the board, if it is time."""
        if not self._redis.set(keys.turn("board"), 1, nx=True, ex=EVERY_SECONDS):
            return
        for job_id in self._board.wishes():
            self._try_again(job_id)
            self._board.done(job_id)
        self._board.write(self._now())

    def _try_again(self, job_id: str) -> None:
        """Ask for the job again and forget that it failed. Of the stored job, only its name and argument are used."""
        failed = self._queue.failed_job_registry
        if not re.fullmatch(JOB_ID, job_id) or self._redis.zscore(failed.key, job_id) is None:
            return
        with suppress(NoSuchJobError, JobRefused):
            asked = allowed.read(StoredJob.fetch(job_id, self._redis).data)
            if ask(self._queue, asked.task, asked.argument, **KEPT).id != job_id:
                failed.remove(job_id)
                self._redis.unlink(StoredJob.key_for(job_id), Result.get_key(job_id))

    def _now(self) -> Board:
        failed = self._queue.failed_job_registry
        ids = [job_id for job_id in failed.get_job_ids(0, SHOWN - 1, desc=True) if re.fullmatch(JOB_ID, job_id)]
        at_ms = now_ms(self._redis)
        summaries = self._shards.answers(lambda shard: shard.redis.scard(shard.keys.unsummarised))
        departures = self._shards.answers(lambda shard: shard.redis.scard(shard.keys.unarchived))
        left_ms = self._redis.pttl(keys.turn("words"))
        return Board(
            at_ms=at_ms,
            workers=Worker.count(connection=self._redis),
            queued=self._queue.count,
            running=self._queue.started_job_registry.get_job_count(cleanup=False),
            failed_count=failed.get_job_count(cleanup=False),
            failed=[self._failed(job_id) for job_id in ids],
            outstanding={"summarise": sum(summaries.values()), "archive": sum(departures.values())},
            due={"forget-words": at_ms + left_ms} if left_ms > 0 else {},
            processes=self._processes(),
        )

    def _processes(self) -> list[Process] | None:
        """By type and version. A managed server may keep its list to itself."""
        try:
            clients = self._redis.client_list()
        except redis.ResponseError:
            return None
        found = [one for one in (read_client_name(client.get("name", "")) for client in clients) if one]
        kinds = Counter((one.type, one.version) for one in set(found))
        connections = Counter((one.type, one.version) for one in found)
        return [Process(*kind, count, connections[kind]) for kind, count in sorted(kinds.items())]

    def _failed(self, job_id: str) -> FailedJob:
        asked: Asked | None = None
        with suppress(NoSuchJobError, JobRefused):
            asked = allowed.read(StoredJob.fetch(job_id, self._redis).data)
        expires = self._redis.zscore(self._queue.failed_job_registry.key, job_id)
        failed_at_ms = int(((expires or FAILURE_KEPT_SECONDS) - FAILURE_KEPT_SECONDS) * 1000)
        task, argument = asked or ("", "")
        return FailedJob(job_id, task, argument, failed_at_ms, self._reason(job_id))

    def _reason(self, job_id: str) -> str:
        """The last line of the exception. RQ's own reading would also unpack a return value."""
        entries = cast(Any, self._redis.xrevrange(Result.get_key(job_id), count=1))
        packed = entries[0][1].get(b"exc_string", b"") if entries else b""
        try:
            text = zlib.decompressobj().decompress(b64decode(packed), MAX_REASON_BYTES).decode(errors="replace")
        except (zlib.error, ValueError):
            return ""
        lines = text.strip().splitlines()
        return lines[-1][:MAX_REASON_CHARS] if lines else ""
