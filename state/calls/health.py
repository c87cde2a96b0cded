"""How the fleet and the store are: decoders alive, what waits, the servers. Summed up over all shards."""

from __future__ import annotations

import time
from typing import Any, cast

import msgspec
import redis

from state import keys
from state.server.shards import Shard, Shards, shards_of


class FleetHealth(msgspec.Struct, frozen=True):
    """The fleet's health. backlog: accepted and not yet decoded audio. model: the engine, for people. shards: their
    number. away: numbers of shards whose server does not answer; they do not count here. busy: share of their time
    that decoders have a lease, from those that have told; None if none has."""

    decoders: int
    backlog_seconds: float
    backlog_chunks: int
    model: str
    shards: int = 1
    away: list[int] = []
    busy: float | None = None


Decoders = dict[int, list[str]]
"""Names of decoders by the number of the shard."""


class Health:
    """Reads only. A shard that is away is left out; `fleet` says which are. Raises redis.RedisError if none answers."""

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)
        self._decoder_lives = (float("-inf"), False)

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

    def decoders(self) -> Decoders:
        """Names of the decoders that may hold tokens, living or not, by the number of the shard."""
        found = self._shards.answers(lambda shard: cast(set[bytes], shard.redis.smembers(shard.keys.workers)))
        return {number: [name.decode() for name in names] for number, names in found.items()}

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

    def servers(self, section: str) -> list[dict[str, Any]]:
        """This section of INFO from every server that answers: the plain one and those that hold shards now."""
        plain = self._shards.plain
        found: list[dict[str, Any]] = [plain.info(section)]
        if any(shard.redis is not plain for shard in self._shards):
            found += self._shards.answers(lambda shard: shard.redis.info(section)).values()
        return found
