"""A call as one row: read from its hash and its tracks'. Rows that cannot be read are left out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, cast

import msgspec
import redis

from state.calls.transcripts import scored_utterance
from state.server.connection import is_about_data
from state.server.shards import Shard
from state.types import CallState, EndReason, Handling, Happening, Standing, Utterance
from state.views import CallRow, TrackView

log = logging.getLogger("earshot.server")

_standing = msgspec.msgpack.Decoder(Standing)
_handling = msgspec.msgpack.Decoder(Handling)
_happened = msgspec.json.Decoder(list[Happening])
_utterance = msgspec.msgpack.Decoder(Utterance)


def read_rows(shard: Shard, call_ids: list[str]) -> list[CallRow]:
    """Rows of these calls of the shard, in their order, without those that are gone. Raises redis.RedisError."""
    pipe = shard.redis.pipeline(transaction=False)
    for call_id in call_ids:
        pipe.hgetall(shard.keys.call(call_id))
    asked: list[tuple[str, dict[bytes, bytes], list[str], Utterance | None]] = []
    for call_id, call in zip(call_ids, answers(pipe), strict=True):
        with readable(call_id):
            if isinstance(call, Exception):
                raise call
            if call:
                last = _utterance.decode(call[b"last"]) if b"last" in call else None
                asked.append((call_id, call, [name.decode() for name in call[b"tracks"].split()], last))
    for call_id, _, tracks, last in asked:
        for track in tracks:
            pipe.hmget(shard.keys.track(call_id, track), _TRACK_FIELDS)
        if last is not None:
            pipe.hget(shard.keys.scores(call_id), last.id)
    details = iter(answers(pipe))
    rows = []
    for call_id, call, tracks, last in asked:
        found = list(islice(details, len(tracks)))
        score = next(details) if last is not None else None
        with readable(call_id):
            fields = _row_fields(call_id, call, dict(zip(tracks, found, strict=True)))
            rows.append(CallRow(**fields, last=scored_utterance(last, score) if last else None))
    return rows


def answers(pipe: Any) -> list[Any]:
    """What each command answers, in order; an error about one key is an answer, too. Raises redis.RedisError."""
    found: list[Any] = pipe.execute(raise_on_error=False) if len(pipe) else []
    for answer in found:
        if isinstance(answer, redis.RedisError) and not is_about_data(answer):
            raise answer
    return found


@contextmanager
def readable(call_id: str) -> Iterator[None]:
    """Leave out a call whose keys somebody has damaged, and show all others."""
    try:
        yield
    except (redis.ResponseError, msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
        log.error("a call cannot be read", extra={"call_id": call_id, "error": repr(error)})


_TRACK_FIELDS = ["rate", "last_seq", "done_seq", "samples", "done_samples", "partial", "gaps", "wordless"]


def _row_fields(call_id: str, call: dict[bytes, bytes], tracks: dict[str, Any]) -> dict[str, Any]:
    """What a row and a view share, `last` aside; tracks: what is stored of each."""
    ended = call.get(b"ended_at_ms")
    return {
        "call_id": call_id,
        "state": cast(CallState, call[b"state"].decode()),
        "started_at_ms": int(call[b"started_at_ms"]),
        "ended_at_ms": int(ended) if ended else None,
        "end_reason": cast(EndReason, call[b"end_reason"].decode()) if b"end_reason" in call else None,
        "metadata": msgspec.json.decode(call[b"metadata"], type=dict[str, str]),
        "handling": _handling.decode(call[b"handling"]) if b"handling" in call else Handling(),
        "standing": _standing.decode(call[b"standing"]) if b"standing" in call else Standing(),
        "events": _happened.decode(call[b"happened"]) if b"happened" in call else [],
        "tracks": {name: _track(stored) for name, stored in tracks.items()},
    }


def _track(fields: Any) -> TrackView:
    if isinstance(fields, Exception):
        raise fields
    rate, last, done, samples, done_samples, partial, gaps, wordless = fields
    waiting = int(samples or 0) - int(done_samples or 0)
    return TrackView(
        next_seq=int(last or 0) + 1,
        decoded_seq=int(done or 0),
        lag_seconds=round(waiting / int(rate), 3) if rate else 0.0,
        partial=(partial or b"").decode(),
        gaps=[(first, last) for first, last in json.loads(gaps)] if gaps else [],
        wordless=wordless == b"1",
    )
