"""What the web reads: calls, the table's snapshot, the feed, the fleet's health. Lists are merged from all shards."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any, Literal, cast

import msgspec
import redis

from state import keys
from state.calls.feed import Feeds, joined, parted
from state.calls.rows import answers, read_rows, readable
from state.calls.transcripts import transcript
from state.server.clock import now_ms
from state.server.connection import AWAY
from state.server.shards import Shard, Shards, merged, shards_of
from state.types import (
    CallRow,
    CallView,
    ScoredUtterance,
)

RECENTLY_ENDED_SECONDS = 600
"""How long an ended call stays on the live table, so that a supervisor sees how a call she watched ended."""

RECENTLY_ENDED_CALLS = 50


class FleetHealth(msgspec.Struct, frozen=True):
    """The fleet's health. backlog: accepted and not yet decoded audio. model: the engine, for people. shards: their
    number. away: numbers of those whose server does not answer; nothing of them counts here. busy: share of their time
    that decoders have a lease, as far as they have told; None if none has."""

    decoders: int
    backlog_seconds: float
    backlog_chunks: int
    model: str
    shards: int = 1
    away: list[int] = []
    busy: float | None = None


Decoders = dict[int, list[str]]
"""Names of decoders by the number of the shard."""


class Reads:
    """Reads only. Every method is safe to repeat.

    A method for one call raises redis.RedisError if the call's shard is away. A method for all calls leaves such a
    shard out and raises only if none answers. `fleet` says which are away.
    """

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)
        self.feeds = Feeds(self._shards)
        self._decoder_lives = (float("-inf"), False)

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
        """Rows of live (or ending) calls, of ended ones, or of both; waiting: only those ended ones that the database
        does not have as they stand."""

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

    # -- health -------------------------------------------------------------------------------------------

    def decoders(self) -> Decoders:
        """Names of the decoders that may hold tokens, living or not, by the number of the shard."""
        found = self._shards.answers(lambda shard: cast(set[bytes], shard.redis.smembers(shard.keys.workers)))
        return {number: [name.decode() for name in names] for number, names in found.items()}

    def fleet(self, decoders: Decoders | None = None) -> FleetHealth:
        """The number of live decoders, the audio that waits, and the engine in use. decoders: if they are known."""
        known = self.decoders() if decoders is None else decoders

        def part(shard: Shard) -> tuple[dict[str, bytes], int, int]:
            names = known.get(shard.number, [])
            pipe = shard.redis.pipeline(transaction=False)
            pipe.hmget(shard.keys.load, "audio_ms", "chunks")
            for name in names:
                pipe.get(shard.keys.heartbeat(name))
            (audio_ms, chunks), *beating = pipe.execute()
            alive = {name: said for name, said in zip(names, beating, strict=True) if said}
            return alive, int(audio_ms or 0), int(chunks or 0)

        parts = self._shards.answers(part)
        model = cast("bytes | None", self._shards.plain.hget(keys.FLEET, "model"))
        living = {name: said for alive, _, _ in parts.values() for name, said in alive.items()}
        percents = [int(said[:-1]) for said in living.values() if said[:-1].isdigit()]
        return FleetHealth(
            len(living),
            sum(audio_ms for _, audio_ms, _ in parts.values()) / 1000,
            sum(chunks for _, _, chunks in parts.values()),
            (model or b"").decode(),
            len(self._shards),
            [shard.number for shard in self._shards if shard.number not in parts],
            sum(percents) / len(percents) / 100 if percents else None,
        )

    def servers(self, section: str) -> list[dict[str, Any]]:
        """This section of INFO from every server that answers: the plain one and those that hold shards now."""
        plain = self._shards.plain
        found: list[dict[str, Any]] = [plain.info(section)]
        if any(shard.redis is not plain for shard in self._shards):
            found += self._shards.answers(lambda shard: shard.redis.info(section)).values()
        return found

    def now_ms(self) -> int:
        """Milliseconds since 1970 by the plain server's clock."""
        return now_ms(self._shards.plain)

    def decoder_lives(self) -> bool:
        """Whether any decoder is alive. Asks at most once a second."""
        asked_at, lives = self._decoder_lives
        if time.monotonic() - asked_at > 1.0:
            lives = self.fleet().decoders > 0
            self._decoder_lives = (time.monotonic(), lives)
        return lives

    def counts(self, decoders: Decoders | None = None) -> dict[str, int]:
        """Numbers for the metrics: live and ended calls, finals waiting, dead chunks, feed entries, ended calls that
        the database does not have, tokens in the work streams. decoders: if they are known."""
        known = self.decoders() if decoders is None else decoders

        def part(shard: Shard) -> list[int]:
            names = known.get(shard.number, [])
            pipe = shard.redis.pipeline(transaction=False)
            pipe.zcard(shard.keys.live)
            pipe.zcard(shard.keys.ended)
            pipe.xlen(shard.keys.finals)
            pipe.xlen(shard.keys.dead)
            pipe.xlen(shard.keys.feed)
            pipe.scard(shard.keys.unarchived)
            for stream in (shard.keys.work, *map(shard.keys.own_work, names)):
                pipe.xlen(stream)
            answers = pipe.execute()
            return [*answers[:6], sum(answers[6:])]

        names = (
            *("calls_live", "calls_ended", "finals_waiting", "chunks_dead", "feed_events", "calls_unarchived"),
            "tokens_waiting",
        )
        return dict(
            zip(names, (sum(counts) for counts in zip(*self._shards.answers(part).values(), strict=True)), strict=True)
        )

    # -- rows ---------------------------------------------------------------------------------------------

    def _rows(self, call_ids: list[str]) -> list[CallRow]:
        """Rows of these calls, in their order. Leaves out calls that are gone or whose shard went away meanwhile."""
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
