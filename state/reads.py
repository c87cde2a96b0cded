"""What the web reads: calls, the table's snapshot, the feed, the fleet's health."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Literal, cast

import msgspec
import redis

from state import keys
from state.transcripts import scored_utterance, transcript
from state.types import (
    CallRow,
    CallState,
    CallView,
    EndReason,
    Handling,
    ScoredUtterance,
    Standing,
    TrackView,
    Utterance,
)

RECENTLY_ENDED_SECONDS = 600
"""Ended calls stay on the live table for so long, so that a supervisor sees how a call she watched came out."""

RECENTLY_ENDED_CALLS = 50

_standing = msgspec.msgpack.Decoder(Standing)
_handling = msgspec.msgpack.Decoder(Handling)
_utterance = msgspec.msgpack.Decoder(Utterance)

START = "0-0+0"
"""The cursor of a feed that has never told anything."""

_CURSOR = re.compile(r"([0-9-]{3,41})(?:\.([0-9a-f]{16})|\+([0-9]{1,20}))")
"""<entry id>.<digest of the event>, or of an empty feed <last id>+<events cut off>."""


def _cursor(entry_id: bytes, fields: dict[bytes, bytes]) -> str:
    """Names an event for good. The id alone does not: after a roll-back the server may give it out once more."""
    return f"{entry_id.decode()}.{blake2b(fields[b'j'], digest_size=8).hexdigest()}"


class FeedLost(LookupError):
    """The feed does not hold the cursor's entry (any more): take a new snapshot."""


class FleetView(msgspec.Struct, frozen=True):
    """The fleet's health. backlog: accepted and not yet decoded audio. model: the engine, for people."""

    decoders: int
    backlog_seconds: float
    backlog_chunks: int
    model: str


class Reads:
    """Reads only; every method is safe to repeat."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._decoder_lives = (float("-inf"), False)

    def call(self, call_id: str) -> CallView | None:
        """A whole call with its transcript, or None."""
        rows = self._rows([call_id])
        if not rows:
            return None
        pipe = self._redis.pipeline(transaction=False)  # no MULTI: refused, even to read, while memory is full
        pipe.hgetall(keys.utterances(call_id))
        pipe.hgetall(keys.scores(call_id))
        pipe.hget(keys.call(call_id), "summary")
        utterances, scores, summary = pipe.execute()
        return CallView(
            **{name: getattr(rows[0], name) for name in CallRow.__struct_fields__},
            utterances=transcript(utterances, scores),
            summary=json.loads(summary) if summary else None,
        )

    def rows(self, state: Literal["live", "ended"], limit: int, cursor: str | None) -> tuple[list[CallRow], str | None]:
        """A page of calls, most attention first, and the cursor of the next page. live includes ending.

        Raises ValueError for a cursor that this method did not make. Between two pages a call's attention may
        change; it may then be seen twice or not at all, as in any list that is sorted by what moves.
        """
        key = keys.LIVE if state == "live" else keys.ENDED
        skip = 0
        top = "+inf"
        if cursor is not None:
            score, _, seen = cursor.partition("_")
            top, skip = repr(float(score)), int(seen)
            if skip < 0:
                raise ValueError("cursor")
        found = cast(
            list[tuple[bytes, float]],
            self._redis.zrange(
                key,
                cast(Any, top),
                cast(Any, "-inf"),
                desc=True,
                byscore=True,
                withscores=True,
                offset=skip,
                num=limit + 1,
            ),
        )
        page, more = found[:limit], found[limit:]
        following = None
        if more:
            last = page[-1][1]
            same = sum(1 for _, score in page if score == last)
            carried = skip if cursor is not None and float(cursor.partition("_")[0]) == last else 0
            following = f"{last!r}_{same + carried}"
        return self._rows([name.decode() for name, _ in page]), following

    def said(self, rows: list[CallRow]) -> list[list[ScoredUtterance]]:
        """The transcript of each of these calls."""
        pipe = self._redis.pipeline(transaction=False)
        for row in rows:
            pipe.hgetall(keys.utterances(row.call_id))
            pipe.hgetall(keys.scores(row.call_id))
        answers = iter(pipe.execute() if rows else [])
        return [transcript(utterances, scores) for utterances, scores in zip(answers, answers, strict=True)]

    def snapshot(self) -> tuple[list[CallRow], str]:
        """The live table, and the feed's cursor as it was before the table was read."""
        cursor = self.tip()
        return self.table(), cursor

    def table(self) -> list[CallRow]:
        """Rows of all live and recently ended calls."""
        seconds, _ = self._redis.time()
        pipe = self._redis.pipeline(transaction=False)
        pipe.zrange(keys.LIVE, 0, -1)
        pipe.zrange(keys.RETAINED, "+inf", (seconds - RECENTLY_ENDED_SECONDS) * 1000, desc=True, byscore=True,
                    offset=0, num=RECENTLY_ENDED_CALLS)  # fmt: skip
        live, ended = pipe.execute()
        names = list(dict.fromkeys(name.decode() for name in [*live, *ended]))
        return self._rows(names)

    def newest(self, most: int) -> list[str]:
        """Ids of live calls, then of ended ones, the latest first; at most `most`."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.zrange(keys.LIVE, 0, most - 1, desc=True)
        pipe.zrange(keys.RETAINED, 0, most - 1, desc=True)
        live, ended = pipe.execute()
        return list(dict.fromkeys(name.decode() for name in [*live, *ended]))[:most]

    def summaries(self, most: int) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """Metadata and summary of up to `most` ended calls that have one, the latest first."""
        names = cast(list[bytes], self._redis.zrange(keys.RETAINED, 0, most - 1, desc=True))
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.hmget(keys.call(name.decode()), "metadata", "summary")
        found = pipe.execute() if names else []
        return [(json.loads(metadata), json.loads(summary)) for metadata, summary in found if metadata and summary]

    # -- the feed -----------------------------------------------------------------------------------------

    def tip(self) -> str:
        """The cursor of the feed's last event, or of an empty feed."""
        newest = cast(Any, self._redis.xrevrange(keys.FEED, count=1))
        return _cursor(*newest[0]) if newest else self._emptiness()

    def recent(self, count: int) -> list[tuple[str, bytes]]:
        """The feed's last events, oldest first, as (cursor, JSON)."""
        entries = cast(Any, self._redis.xrevrange(keys.FEED, count=count))
        return [(_cursor(entry_id, fields), fields[b"j"]) for entry_id, fields in reversed(entries)]

    def feed(self, after: str, count: int, block_ms: int = 0) -> list[tuple[str, bytes]]:
        """Events after the cursor, oldest first, as (cursor, JSON); waits up to block_ms for the first.

        Raises FeedLost if events after the cursor may have been dropped, or it is no cursor of this server.
        """
        entry_id = self._check(after)
        answer = cast(Any, self._redis.xread({keys.FEED: entry_id}, count=count, block=block_ms or None))
        if answer:
            self._check(after)  # while we waited, an older copy of the server may have taken its place
        return [(_cursor(each, fields), fields[b"j"]) for _, entries in answer or [] for each, fields in entries]

    def _check(self, after: str) -> str:
        """The entry id to read on from. Raises FeedLost.

        A stream grows at its end and is cut at its beginning: if the cursor's own event is there, so is everything
        after it. If not, it was cut off, or rolled back together with what a page has already shown; the server may
        have given its id to another event since.
        """
        found = _CURSOR.fullmatch(after)
        if found is None:
            raise FeedLost(after)
        entry_id, digest, removed = found.groups()
        try:
            number = keys.entry_id(entry_id)
        except ValueError:
            raise FeedLost(after) from None
        if digest is not None:
            entries = cast(Any, self._redis.xrange(keys.FEED, entry_id, entry_id, count=1))
            if not entries or _cursor(*entries[0]) != after:
                raise FeedLost(after)
            return entry_id
        last, gone = self._extent()
        if keys.entry_id(last) < number or gone != int(removed):
            raise FeedLost(after)
        return entry_id

    def _emptiness(self) -> str:
        """The cursor of a feed that holds nothing: the last id it gave out, and how many events it has lost."""
        last, gone = self._extent()
        return f"{last}+{gone}"

    def _extent(self) -> tuple[str, int]:
        """The last id that the feed gave out, and how many events were cut off (0 from Redis 6, which cannot tell)."""
        try:
            info = self._redis.xinfo_stream(keys.FEED)
        except redis.exceptions.ResponseError as error:
            if "no such key" not in str(error):
                raise
            return "0-0", 0
        return info["last-generated-id"].decode(), info.get("entries-added", info["length"]) - info["length"]

    # -- health -------------------------------------------------------------------------------------------

    def fleet(self) -> FleetView:
        """How many decoders live, how much audio waits, and which engine decodes."""
        names = [name.decode() for name in cast(set[bytes], self._redis.smembers(keys.WORKERS))]
        pipe = self._redis.pipeline(transaction=False)
        pipe.hmget(keys.LOAD, "audio_ms", "chunks")
        pipe.hget(keys.FLEET, "model")
        for name in names:
            pipe.exists(keys.worker(name))
        (audio_ms, chunks), model, *alive = pipe.execute()
        return FleetView(sum(alive), int(audio_ms or 0) / 1000, int(chunks or 0), (model or b"").decode())

    def decoder_lives(self) -> bool:
        """Whether any decoder is alive; asked at most once a second."""
        asked_at, lives = self._decoder_lives
        if time.monotonic() - asked_at > 1.0:
            lives = self.fleet().decoders > 0
            self._decoder_lives = (time.monotonic(), lives)
        return lives

    def counts(self) -> dict[str, int]:
        """Numbers for the metrics: live and ended calls, finals waiting, dead chunks, feed entries."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.zcard(keys.LIVE)
        pipe.zcard(keys.ENDED)
        pipe.xlen(keys.FINALS)
        pipe.xlen(keys.DEAD)
        pipe.xlen(keys.FEED)
        live, ended, finals, dead, feed = pipe.execute()
        return {
            "calls_live": live,
            "calls_ended": ended,
            "finals_waiting": finals,
            "chunks_dead": dead,
            "feed_events": feed,
        }

    # -- rows ---------------------------------------------------------------------------------------------

    def _rows(self, call_ids: list[str]) -> list[CallRow]:
        pipe = self._redis.pipeline(transaction=False)
        for call_id in call_ids:
            pipe.hgetall(keys.call(call_id))
        answers = pipe.execute() if call_ids else []
        calls = [(call_id, call) for call_id, call in zip(call_ids, answers, strict=True) if call]
        lasts = [_utterance.decode(call[b"last"]) if b"last" in call else None for _, call in calls]
        for (call_id, call), last in zip(calls, lasts, strict=True):
            for track in call[b"tracks"].split():
                pipe.hmget(keys.track(call_id, track.decode()), _TRACK_FIELDS)
            if last is not None:
                pipe.hget(keys.scores(call_id), last.id)
        details = iter(pipe.execute() if calls else [])
        rows = []
        for (call_id, call), last in zip(calls, lasts, strict=True):
            fields = _row_fields(call_id, call, details)
            rows.append(CallRow(**fields, last=scored_utterance(last, next(details)) if last else None))
        return rows


_TRACK_FIELDS = ["rate", "last_seq", "done_seq", "samples", "done_samples", "partial", "gaps"]


def _row_fields(call_id: str, call: dict[bytes, bytes], tracks: Iterator[Any]) -> dict[str, Any]:
    """What a row and a view share, `last` aside; takes one answer a track from `tracks`."""
    ended = call.get(b"ended_at_ms")
    return {
        "call_id": call_id,
        "state": cast(CallState, call[b"state"].decode()),
        "started_at_ms": int(call[b"started_at_ms"]),
        "ended_at_ms": int(ended) if ended else None,
        "end_reason": cast(EndReason, call[b"end_reason"].decode()) if b"end_reason" in call else None,
        "metadata": json.loads(call[b"metadata"]),
        "handling": _handling.decode(call[b"handling"]) if b"handling" in call else Handling(),
        "standing": _standing.decode(call[b"standing"]) if b"standing" in call else Standing(),
        "tracks": {name.decode(): _track(next(tracks)) for name in call[b"tracks"].split()},
    }


def _track(fields: list[bytes | None]) -> TrackView:
    rate, last, done, samples, done_samples, partial, gaps = fields
    waiting = int(samples or 0) - int(done_samples or 0)
    return TrackView(
        next_seq=int(last or 0) + 1,
        decoded_seq=int(done or 0),
        lag_seconds=round(waiting / int(rate), 3) if rate else 0.0,
        partial=(partial or b"").decode(),
        gaps=[(first, last) for first, last in json.loads(gaps)] if gaps else [],
    )
