"""The audit trail's way into the database, and its end there after AUDIT_YEARS."""

from __future__ import annotations

import logging

import redis

from state.archive.opening import Archive, ArchiveAway
from state.archive.trail import let_go
from state.people.audit import Audit
from state.server.shards import Shards, shards_of
from state.trail import copy

log = logging.getLogger("earshot.jobs")


def keep(store: Shards | redis.Redis, archive: Archive, years: int, now_ms: int) -> str:
    """The job: copy what the database does not have yet, and delete there what is too old. Repeating it changes
    nothing. Returns OK, or AWAY: the next one goes on."""
    try:
        count = copy(Audit(shards_of(store)), archive, years)
        gone = let_go(archive, now_ms)
    except ArchiveAway as error:
        log.warning("the database is away: the audit trail waits in Redis", extra={"error": str(error)})
        return "AWAY"
    return f"OK {count} -{gone}"
