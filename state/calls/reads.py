"""What the web reads of calls: one, a list, the table's snapshot, the feed. Lists come from all shards."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Literal, cast

import msgspec
import redis

from state.calls.feed import Feeds, joined, parted
from state.calls.rows import answers, read_rows, readable
from state.calls.transcripts import transcript
from state.server.clock import now_ms
from state.server.connection import AWAY
from state.server.shards import Shard, Shards, merged, shards_of
from state.types import ScoredUtterance
from state.views import CallRow, CallView

RECENTLY_ENDED_SECONDS = 600
"""Time an ended call stays on the live table, so that a supervisor sees how a call she watched has ended."""

RECENTLY_ENDED_CALLS = 50


class Reads:
    """Reads only. Every method is safe to repeat.

    A method for one call raises redis.RedisError if the call's shard is away. A method for all calls leaves such a
    shard out and raises only if none answers. Health.fleet says which are away.
    """

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)
        self.feeds = Feeds(self._shards)

    def call(self, call_id: str) -> CallView | None:
        """A whole call with its transcript, or None."""
        shard = self._shards.of(call_id)
        rows = read_rows(shard, [call_id])
        if not rows:
            return None
        pipe = shard.redis.pipeline(transaction=False)  # no MULTI: refused, even to read, while memory is full
        pipe.hgetall(shard.keys.utterances(call_id))
        pipe.hgetall(shard.keys.scores(call_id))
        pipe.hget(shard.keys.call(call_id), "summary")
        utterances, scores, summary = pipe.execute()
        return CallView(
            **{name: getattr(rows[0], name) for name in CallRow.__struct_fields__},
            utterances=transcript(utterances, scores),
            summary=json.loads(summary) if summary else None,
        )

    def summary(self, call_id: str) -> tuple[CallRow, dict[str, Any] | None] | None:
        """A call without its transcript, and its summary if it has one; None for no call."""
        shard = self._shards.of(call_id)
        rows = read_rows(shard, [call_id])
        if not rows:
            return None
        summary = cast("bytes | None", shard.redis.hget(shard.keys.call(call_id), "summary"))
        return rows[0], json.loads(summary) if summary else None

    def some(self, call_ids: list[str]) -> list[CallRow]:
        """Rows of these calls, in their order, without calls that are gone or whose shard is away."""
        return self._rows(call_ids)

    def rows(self, state: Literal["live", "ended"], limit: int, cursor: str | None) -> tuple[list[CallRow], str | None]:
        """A page of calls, most attention first, and the cursor of the next page. live includes ending.

        Raises ValueError for a cursor that this method did not make. If a call's attention changes between two pages,
        the call may come twice or not at all.
        """
        top, skip = "+inf", [0] * len(self._shards)
        if cursor is not None:  # the last attention on the page before, and how many calls with it each shard has shown
            score, _, seen = cursor.partition("_")
            top, skip = repr(float(score)), [int(count) for count in seen.split("_")]
            if len(skip) != len(self._shards) or min(skip) < 0:
                raise ValueError("cursor")

        def best(shard: Shard) -> list[tuple[bytes, float]]:
            key = shard.keys.live if state == "live" else shard.keys.ended
            found = shard.redis.zrange(
                key, cast(Any, top), cast(Any, "-inf"), desc=True, byscore=True, withscores=True,
                offset=skip[shard.number], num=limit + 1,
            )  # fmt: skip
            return cast(list[tuple[bytes, float]], found)

        found = merged(self._shards.answers(best), lambda call: -call[1], limit + 1)
        page, following = found[:limit], None
        if len(found) > limit:
            last = page[-1][1][1]
            before = skip if cursor is not None and float(top) == last else [0] * len(skip)
            shown = Counter(number for number, (_, score) in page if score == last)
            following = "_".join([repr(last), *(str(count + shown[n]) for n, count in enumerate(before))])
        return self._rows([name.decode() for _, (name, _) in page]), following

    def said(self, rows: list[CallRow]) -> list[list[ScoredUtterance]]:
        """The transcript of each of these calls."""
        found: dict[str, list[ScoredUtterance]] = {}
        for shard, call_ids in self._by_shard([row.call_id for row in rows]):
            pipe = shard.redis.pipeline(transaction=False)
            for call_id in call_ids:
                pipe.hgetall(shard.keys.utterances(call_id))
                pipe.hgetall(shard.keys.scores(call_id))
            answers = iter(pipe.execute())
            for call_id in call_ids:
                found[call_id] = transcript(next(answers), next(answers))
        return [found[row.call_id] for row in rows]

    def table(self) -> tuple[list[CallRow], list[int]]:
        """Rows of all live and recently ended calls, and the numbers of the shards whose calls it lacks."""

        def part(shard: Shard) -> tuple[list[bytes], list[tuple[bytes, float]]]:
            since = shard.now_ms() - RECENTLY_ENDED_SECONDS * 1000
            pipe = shard.redis.pipeline(transaction=False)
            pipe.zrange(shard.keys.live, 0, -1)
            pipe.zrange(shard.keys.retained, "+inf", since, desc=True, byscore=True, withscores=True,
                        offset=0, num=RECENTLY_ENDED_CALLS)  # fmt: skip
            live, ended = pipe.execute()
            return live, ended

        parts = self._shards.answers(part)
        ended = merged({n: ended for n, (_, ended) in parts.items()}, lambda call: -call[1], RECENTLY_ENDED_CALLS)
        names = [*(name for live, _ in parts.values() for name in live), *(call[0] for _, call in ended)]
        rows, lost = self._rows_and_lost(list(dict.fromkeys(name.decode() for name in names)))
        return rows, sorted({shard.number for shard in self._shards} - parts.keys() | lost)

    def held(self, *, live: bool, ended: bool, waiting: bool) -> list[CallRow]:
        """Rows of live (or ending) calls, of ended ones, or of both. waiting: only ended calls whose present state the
        database does not have."""

        def part(shard: Shard) -> list[bytes]:
            pipe = shard.redis.pipeline(transaction=False)
            if live:
                pipe.zrange(shard.keys.live, 0, -1)
            if ended and waiting:
                pipe.smembers(shard.keys.unsummarised)
                pipe.smembers(shard.keys.unarchived)
            elif ended:
                pipe.zrange(shard.keys.ended, 0, -1)
            return [name for names in pipe.execute() for name in names]

        found = [name.decode() for names in self._shards.answers(part).values() for name in names]
        return self._rows(list(dict.fromkeys(found)))

    def newest(self, most: int) -> list[str]:
        """Ids of live calls, then of ended ones, the latest first; at most `most`."""

        def part(shard: Shard) -> tuple[list[tuple[bytes, float]], list[tuple[bytes, float]]]:
            pipe = shard.redis.pipeline(transaction=False)
            pipe.zrange(shard.keys.live, 0, most - 1, desc=True, withscores=True)
            pipe.zrange(shard.keys.retained, 0, most - 1, desc=True, withscores=True)
            live, ended = pipe.execute()
            return live, ended

        parts = self._shards.answers(part)
        found = [
            name.decode()
            for place in (0, 1)
            for _, (name, _) in merged({n: both[place] for n, both in parts.items()}, lambda call: -call[1], most)
        ]
        return list(dict.fromkeys(found))[:most]

    def summaries(self, most: int) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """Metadata and summary of up to `most` ended calls that have one, the latest first."""

        def part(shard: Shard) -> list[tuple[float, Any]]:
            newest = cast(Any, shard.redis.zrange(shard.keys.retained, 0, most - 1, desc=True, withscores=True))
            pipe = shard.redis.pipeline(transaction=False)
            for name, _ in newest:
                pipe.hmget(shard.keys.call(name.decode()), "metadata", "summary")
            stored = [fields if isinstance(fields, list) else (None, None) for fields in answers(pipe)]
            return [(ended, (name.decode(), found)) for (name, ended), found in zip(newest, stored, strict=True)]

        found = [found for _, (_, found) in merged(self._shards.answers(part), lambda call: -call[0], most)]
        told = []
        for call_id, (metadata, summary) in found:
            with readable(call_id):
                if metadata and summary:
                    told.append((msgspec.json.decode(metadata, type=dict[str, str]), json.loads(summary)))
        return told

    # -- the feed, with one cursor for all shards -----------------------------------------------------------

    def tip(self) -> str:
        """The cursor of the last event; see Feeds.tips."""
        return joined(self.feeds.tips())

    def feed(self, after: str, count: int, block_ms: int = 0) -> list[tuple[str, bytes]]:
        """Events after the cursor as (cursor, JSON), oldest first of each shard; see Feeds.after."""
        cursors = parted(after, len(self._shards))
        found = []
        for told in self.feeds.after(cursors, count, block_ms):
            cursors[told.shard] = told.cursor
            found.append((joined(cursors), told.event))
        return found

    def now_ms(self) -> int:
        """Milliseconds since 1970 by the plain server's clock."""
        return now_ms(self._shards.plain)

    # -- rows ---------------------------------------------------------------------------------------------

    def _rows(self, call_ids: list[str]) -> list[CallRow]:
        """Rows of these calls, in their order, without calls that are gone or whose shard went away."""
        return self._rows_and_lost(call_ids)[0]

    def _rows_and_lost(self, call_ids: list[str]) -> tuple[list[CallRow], set[int]]:
        """The same, and the numbers of the shards that went away."""
        found: dict[str, CallRow] = {}
        lost: set[int] = set()
        for shard, names in self._by_shard(call_ids):
            try:
                found |= {row.call_id: row for row in read_rows(shard, names)}
            except AWAY:
                lost.add(shard.number)
        return [found[call_id] for call_id in call_ids if call_id in found], lost

    def _by_shard(self, call_ids: list[str]) -> list[tuple[Shard, list[str]]]:
        parts: dict[int, list[str]] = {}
        for call_id in call_ids:
            parts.setdefault(self._shards.of(call_id).number, []).append(call_id)
        return [(self._shards[number], names) for number, names in parts.items()]
