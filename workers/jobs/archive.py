"""An ended call's way into the database. A job that dies anywhere runs again, with the same effect."""

from __future__ import annotations

import logging

import redis

from state.archive.opening import Archive, ArchiveAway
from state.archive.write import write
from state.calls.departures import Departures
from state.calls.retention import Retention
from state.server.shards import Shards
from state.settings import Settings
from workers.insight.redaction.masking import shown

log = logging.getLogger("earshot.jobs")


def move(store: Shards | redis.Redis, archive: Archive, call_id: str, redact: bool) -> str:
    """The job: write `call_id` to the database, then note in Redis that it is there.

    Returns OK; ERASED; CHANGED, AWAY or EARLY (written again, later, as it is still outstanding); or GONE.
    """
    departures = Departures(store)
    leaving = departures.read(call_id)
    if leaving is None:
        return departures.settle(call_id)
    call = leaving.call
    if call.state != "ended" or call.summary is None:
        return "EARLY"
    if redact:  # its summary came with the masks; nothing unmasked ever reaches the database
        call = shown(call)
    try:
        written = write(archive, call, leaving.engine)
    except ArchiveAway as error:
        log.warning("the database is away: calls wait in Redis", extra={"error": str(error)})
        return "AWAY"
    if not written:  # somebody has erased it: it must go here, too
        Retention(store, Settings()).erase(call_id)
        return "ERASED"
    return departures.settle(call_id, leaving.handling)
