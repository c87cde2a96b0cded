"""GET /v1/operations: the fleet at a glance, for admins."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from state.archive.away import ArchiveAway
from state.archive.opening import Archive
from state.calls.shard_loads import ShardLoad, shard_loads
from state.jobs import Board
from state.moments import moment
from state.webhooks import endpoints
from webapp.access.rights import needs
from webapp.api.admin import alarms
from webapp.api.documents.openapi import operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.schemas.operations import ApiOperations, ApiProcess, ApiShard
from webapp.store import store

api = Blueprint("operations", __name__, url_prefix="/v1")

TRACKS = 2
"""Tracks of a call, for its mean lag."""


@api.get("/operations")
@operation("Read the fleet at a glance", {200: ApiOperations})
@needs("admin")
def read_operations() -> Response:
    """Work that waits, processes at work, and alerts that would fire now."""
    inputs.query()
    now = _now()
    return as_json(msgspec.structs.replace(now, alerts=alarms.holding(now)))


def _now() -> ApiOperations:
    here = store()
    fleet, counts, board = here.health.fleet(), here.health.counts(), here.jobs.read()
    database, (waiting, failed) = _database(here.archive)
    return ApiOperations(
        at=moment(here.reads.now_ms()),
        alerts=[],
        shards=[_shard(load) for load in shard_loads(here.shards)],
        processes=_processes(board),
        decoders=fleet.decoders,
        busy=fleet.busy,
        engine=fleet.model,
        calls_live=counts["calls_live"],
        backlog_seconds=fleet.backlog_seconds,
        tokens_waiting=counts["tokens_waiting"],
        finals_waiting=counts["finals_waiting"],
        dead=counts["chunks_dead"],
        memory_ratio=_memory_ratio(),
        jobs_workers=board.workers if board else None,
        jobs_queued=board.queued if board else None,
        jobs_failed=board.failed_count if board else None,
        webhooks_waiting=waiting,
        webhooks_failed=failed,
        database=database,
        calls_unarchived=counts["calls_unarchived"],
    )


def _shard(load: ShardLoad) -> ApiShard:
    lag = load.backlog_seconds / (TRACKS * max(1, load.calls_live))
    return ApiShard(load.number, load.up, load.calls_live, round(lag, 2), load.tokens_waiting, load.finals_waiting)


def _processes(board: Board | None) -> list[ApiProcess] | None:
    if board is None or board.processes is None:
        return None
    return [ApiProcess(one.type, one.version, one.count, one.connections) for one in board.processes]


def _memory_ratio() -> float | None:
    """The used share of the fullest server; None if no server has a limit."""
    found = [(int(info["used_memory"]), int(info.get("maxmemory", 0))) for info in store().health.servers("memory")]
    return max((used / limit for used, limit in found if limit), default=None)


def _database(archive: Archive | None) -> tuple[str, tuple[int | None, int | None]]:
    """none, up or away; and how many deliveries of webhooks wait there and have failed."""
    if archive is None:
        return "none", (None, None)
    try:
        counts = endpoints.counts(archive)
    except ArchiveAway:
        return "away", (None, None)

    def of(state: str) -> int:
        return sum(count for (_, found), count in counts.items() if found == state)

    return "up", (of("waiting"), of("failed"))
