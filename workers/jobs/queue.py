"""Asks RQ for the outstanding jobs. Our own keys say what is outstanding, not RQ's queue. So a job lost with its worker
is asked for again, and a job that runs twice has the effect of one.

A job in Redis is a name and one argument. Nothing of it is code: see StoredJob and allowed.py.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal
from zoneinfo import ZoneInfo

import redis
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from state import keys
from state.calls.departures import Departures
from state.calls.summaries import BATCH, Outstanding
from state.reporting import week_due
from state.server.clock import now_ms
from state.server.shards import Shards, shards_of
from state.settings import Settings

QUEUE = "earshot"

Task = Literal[
    "summarise",
    "archive",
    "assemble",
    "forget-words",
    "forget-sound",
    "keep-trail",
    "weekly-report",
    "learn",
    "redrive",
]
"""summarise: write the summary of the ended call of this id.  archive: write that call to the database.
assemble: make one file of the parts of its recording.  forget-words, forget-sound: erase the words, or the recordings,
of archived calls that are too old; the argument is the day, for people.  keep-trail: copy the audit trail to the
database; the argument is the day.  weekly-report: mail the report of the week that begins with this Monday.
learn: make a new attention model if judgements or norms say so; the argument is the day.
redrive: decode the dead letter of this id once more."""

FAILURE_KEPT_SECONDS = 24 * 3600
ASKED_KEPT_SECONDS = 3600
"""Seconds until a job that nobody did is forgotten. While its call lasts, it is asked for again."""

KEPT = {"ttl": ASKED_KEPT_SECONDS, "result_ttl": 0, "failure_ttl": FAILURE_KEPT_SECONDS}
"""Seconds for which RQ keeps a job: one that waits, one that is done, one that failed."""

FORGET_SECONDS = 3600
"""Seconds between two looks for words or sound that are too old, and for a report that is due."""

LOST_SECONDS = 90
"""Seconds of silence after which a job's worker counts as dead: RQ's workers speak up every 30 s."""

TRAIL_SECONDS = 60
"""Seconds between two copies of the audit trail to the database: a lost Redis costs no more of it."""

LEARN_SECONDS = 6 * 3600
"""Seconds between two looks for something to learn."""

MAX_DATA_BYTES = 4096
"""At most so many bytes of a stored job's data. zlib may blow them up a thousandfold."""

_BELIEVED = {
    *("data", "created_at", "origin", "description", "worker_name", "status", "ttl", "result_ttl", "failure_ttl"),
    *("timeout", "enqueued_at", "started_at", "ended_at", "last_heartbeat"),
}
"""Fields to read of a job's hash. Left out: callbacks (names of modules that RQ would import), webhooks
(addresses it would ask), meta and results (serialised), dependencies, groups, retries, repeats, rate limits."""


class StoredJob(Job):  # type: ignore[misc]
    """RQ's job. It believes only plain values of its hash in Redis, so somebody who can write there chooses no code.

    RQ reads it as JSON, whatever serializer it gets. This class can be asked for and read, but not performed.
    """

    def __init__(self, id: str | None = None, connection: redis.Redis | None = None, serializer: Any = None) -> None:
        super().__init__(id, connection, JSONSerializer)

    @classmethod
    def fetch(cls, id: str, connection: redis.Redis | None = None, serializer: Any = None) -> Job:
        """The job. Raises NoSuchJobError if it is not one of ours; then RQ goes on with the next one."""
        try:
            return super().fetch(id, connection, serializer)
        except redis.RedisError:
            raise
        except Exception as error:  # RQ expects its own data, and fails in any way on other data
            raise NoSuchJobError(f"not a job of ours: {type(error).__name__}") from None

    def restore(self, raw_data: dict[bytes, bytes]) -> None:
        """Take over the believed values. Raises RQ's errors if they make no sense."""
        believed = {name: value for name, value in raw_data.items() if name.decode(errors="replace") in _BELIEVED}
        if len(believed.get(b"data", b"")) > MAX_DATA_BYTES:
            raise ValueError("too large")
        super().restore(believed)

    @property
    def func(self) -> None:
        """Nothing. RQ would import the name."""

    def _execute(self) -> str:
        raise NotImplementedError("only the jobs process does jobs")


def job_queue(client: redis.Redis, job_class: type[StoredJob] = StoredJob) -> Queue:
    """The queue of all our jobs."""
    return Queue(QUEUE, connection=client, serializer=JSONSerializer, job_class=job_class)


def ask(queue: Queue, task: Task, argument: str, **options: Any) -> Job:
    """Put a job into the queue, or find it there: nobody asks twice for a job that waits or runs.

    options: RQ's (timeouts, how long its end is kept). A job that failed, or whose worker died, makes room.
    """
    name = f"{task}-{sha256(argument.encode()).hexdigest()[:32]}"
    while True:
        with suppress(DuplicateJobError):
            return queue.enqueue(task, argument, job_id=name, unique=True, **options)
        found = queue.fetch_job(name)
        if found is not None:
            if _is_alive(queue, found):
                return found
            found.delete()
        queue.connection.unlink(StoredJob.key_for(name))  # one that cannot even be read


def _is_alive(queue: Queue, job: Job) -> bool:
    """Whether a job waits for a worker, or has one that shows signs of life."""
    if job.get_status(refresh=False) == JobStatus.QUEUED:
        return queue.get_job_position(job) is not None
    beat = job.last_heartbeat
    quiet = (datetime.now(UTC) - beat.replace(tzinfo=UTC)).total_seconds() if beat else LOST_SECONDS
    return bool(job.get_status(refresh=False) == JobStatus.STARTED and quiet < LOST_SECONDS)


class Requests:
    """Asks for the jobs of every ended call: its summary, its way into the database, its recording."""

    def __init__(self, store: Shards | redis.Redis, settings: Settings | None = None) -> None:
        """settings: say whether it also looks for old words and sound."""
        shards = shards_of(store)
        has_archive = settings is not None and bool(settings.database_url)
        self._regular: dict[Task, tuple[str, int]] = {}
        if settings is not None and has_archive:
            self._regular["keep-trail"] = keys.turn("trail"), TRAIL_SECONDS
            self._regular["learn"] = keys.turn("learn"), LEARN_SECONDS
            self._regular["forget-words"] = keys.turn("words"), FORGET_SECONDS
        if settings is not None and has_archive and settings.recordings:
            self._regular["forget-sound"] = keys.turn("sound"), FORGET_SECONDS
        if settings is not None and settings.report_mail_to:
            self._regular["weekly-report"] = keys.turn("report"), FORGET_SECONDS
        self._report_zone = ZoneInfo(settings.report_zone if settings is not None else "UTC")
        self._summaries = Outstanding(shards)
        self._departures = Departures(shards)
        self._queue = job_queue(shards.plain)

    def request(self) -> int:
        """Enqueue outstanding jobs that nobody asked for lately. Returns how many."""
        if self._queue.count >= BATCH:
            return 0  # to ask again for jobs that only wait would make the queue longer and longer
        wanted: list[tuple[Task, str]] = [("archive", call_id) for call_id in self._departures.take()]
        wanted += [("assemble", call_id) for call_id in self._departures.take_recorded()]
        wanted += [("summarise", call_id) for call_id in self._summaries.take()]
        for task, (turn, every_seconds) in self._regular.items():
            if self._queue.connection.set(turn, 1, nx=True, ex=every_seconds):
                wanted.append((task, self._of(task)))
        for task, argument in wanted:
            ask(self._queue, task, argument, **KEPT)
        return len(wanted)

    def _of(self, task: Task) -> str:
        """The argument of a regular task: the day, or the week that is due."""
        if task == "weekly-report":
            return week_due(self._report_zone, now_ms(self._queue.connection))
        return datetime.now(UTC).date().isoformat()
