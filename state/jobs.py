"""The board of background jobs: what a worker writes there for admins, and what admins ask for.

The web process has no right to RQ's keys. So an attacker who takes it over can ask for no job. A worker that has the
right writes the board (workers/jobs/board.py), and looks there for failed jobs that an admin wants tried again.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
import redis

from state import keys

KEPT_SECONDS = 60
"""Seconds until a board that nobody updates is gone: then no worker lives that could."""

MAX_WISHES = 1000
"""At most so many retries wait at once."""

JOB_ID = r"^[A-Za-z0-9-]{1,64}$"
"""What RQ makes, and our own code lets in."""


class FailedJob(msgspec.Struct, frozen=True):
    """A job that failed. task: "" if it is none of ours, not to be tried again. reason: its exception's last line."""

    id: str
    task: str
    argument: str
    failed_at_ms: int
    reason: str


class Process(msgspec.Struct, frozen=True):
    """Number of processes of a type and a version, and of their connections to the store."""

    type: str
    version: str
    count: int
    connections: int


class Board(msgspec.Struct, frozen=True):
    """All jobs at a moment.

    workers: RQ's, alive.  queued, running: numbers of jobs.  failed: the newest.  outstanding: by task, how many
    calls still lack it; a worker asks for it until it is done.  due: by task, when the next one is due, in ms.
    processes: those connected to the store; None if the server does not say.
    """

    at_ms: int
    workers: int
    queued: int
    running: int
    failed_count: int
    failed: list[FailedJob]
    outstanding: dict[str, int]
    due: dict[str, int]
    processes: list[Process] | None = None


_decode = msgspec.json.Decoder(Board).decode


class JobsBoard:
    """Reads and writes the board, and the wishes beside it. Raises redis.RedisError as the client does."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def read(self) -> Board | None:
        """The newest board; None if no worker has written one lately."""
        kept = cast("bytes | None", self._redis.get(keys.JOBS_BOARD))
        return _decode(kept) if kept else None

    def write(self, board: Board) -> None:
        self._redis.set(keys.JOBS_BOARD, msgspec.json.encode(board), ex=KEPT_SECONDS)

    def wish(self, job_id: str) -> bool:
        """Ask for a failed job to be tried again. False: too many wishes wait already."""
        if self._redis.scard(keys.JOBS_WISHED) >= MAX_WISHES:
            return False
        self._redis.sadd(keys.JOBS_WISHED, job_id)
        return True

    def wishes(self) -> list[str]:
        """The failed jobs that are to be tried again."""
        return [cast(Any, one).decode() for one in cast(Any, self._redis.smembers(keys.JOBS_WISHED))]

    def done(self, job_id: str) -> None:
        """Take a wish off the list."""
        self._redis.srem(keys.JOBS_WISHED, job_id)
