"""An ended call's recording: one file of its parts. A job that dies anywhere runs again, with the same effect."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from math import inf
from pathlib import Path

import msgspec
import redis

from state.archive.opening import Archive
from state.archive.search import read_call
from state.calls.departures import Departures
from state.calls.happenings import spans
from state.recording import catalogue
from state.recording.sounds import Named, Part, Piece, Sounds
from state.recording.spool import Spool
from state.server.shards import Shards, shards_of
from workers.insight.redaction.silencing import secret_spans
from workers.jobs.flac import Plan, write

log = logging.getLogger("earshot.jobs")


def assemble(store: Shards | redis.Redis, archive: Archive, sounds: Sounds, call_id: str) -> str:
    """The job: make the recording of `call_id`, which the archive has.

    Returns OK; EMPTY (there is no sound), DROPPED (nobody may hear it: the call has come to a queue that is not
    recorded, or it, or its words, are gone); AGAIN (it has one); GONE. Raises ArchiveAway, SoundsAway: RQ shows the
    job as failed, and it is asked for again.
    """
    shards = shards_of(store)
    shard, departures = shards.of(call_id), Departures(shards)
    started, recorded = shard.redis.hmget(shard.keys.call(call_id), "started_at_ms", "recorded")
    if started is None:
        departures.assembled(call_id)
        return "GONE"
    call = Named(call_id, int(started))
    Spool(shards, sounds).take(call_id)
    outcome = _assemble(archive, sounds, call, shard.now_ms()) if recorded == b"1" else "DROPPED"
    sounds.clear_parts(call)
    departures.assembled(call_id)
    return outcome


def _assemble(archive: Archive, sounds: Sounds, call: Named, now_ms: int) -> str:
    found = catalogue.find(archive, call.call_id)
    if found is not None and found[0] == call:
        return "AGAIN"
    parts = sounds.parts(call)
    view = read_call(archive, call.call_id)
    if view is None or catalogue.words_are_gone(archive, call):
        return "DROPPED"
    if not parts:
        return _assembled_before(archive, sounds, call, now_ms)
    plan = Plan(
        rate=max(part.rate for part in parts),
        tracks=list(view.tracks),
        secret=secret_spans(view.utterances),
        paused=spans(view.events, "recording-paused", "recording-resumed", inf),
    )
    with tempfile.TemporaryDirectory(prefix="earshot-") as folder:
        file = Path(folder) / "call.flac"
        about = write(file, plan, _read(sounds, parts))
        if about is None:
            return "EMPTY"
        sounds.put_file(call, file, msgspec.json.encode(about))
    return _note(archive, sounds, call, about, now_ms)


def _assembled_before(archive: Archive, sounds: Sounds, call: Named, now_ms: int) -> str:
    """The recording may be there without an entry, if an older copy of a lost database was put back."""
    body = sounds.about(call)
    if body is None:
        return "EMPTY"
    return _note(archive, sounds, call, msgspec.json.decode(body, type=catalogue.Recording), now_ms)


def _note(archive: Archive, sounds: Sounds, call: Named, about: catalogue.Recording, now_ms: int) -> str:
    if not catalogue.write(archive, call, about, now_ms):
        sounds.forget(call)
        return "DROPPED"
    return "OK"


def _read(sounds: Sounds, parts: list[Part]) -> Iterator[Piece]:
    """The chunks of the parts, about in order. Chunks that cannot be read are silence in the file."""
    for part in parts:
        try:
            yield from sounds.read_part(part)
        except msgspec.DecodeError as error:
            log.error("a part of a recording cannot be read", extra={"part": part.path, "error": str(error)})
