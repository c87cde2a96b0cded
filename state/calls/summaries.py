"""Ended calls without a summary, and how a summary is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
import redis

from state.calls.scores import masking_fields
from state.server.shards import Shard, Shards, shards_of
from state.types import Masked

ASK_AGAIN_SECONDS = 60
"""Seconds until a job for a call is asked for again if nobody did it."""

BATCH = 20


class Outstanding:
    """The list of ended calls without summary."""

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)

    def take(self) -> list[str]:
        """Up to BATCH calls of each shard that nobody asked about in the last ASK_AGAIN_SECONDS; they count as asked
        now. Shards that are away are left out. Raises redis.RedisError if all are."""

        def part(shard: Shard) -> list[str]:
            return take(shard, shard.keys.unsummarised, shard.keys.summary_asked)

        return [call_id for taken in self._shards.answers(part).values() for call_id in taken]

    def store(self, call_id: str, summary: dict[str, Any], masked: Masked | None = None, archive: bool = False) -> str:
        """Write a call's summary.

        Args:
            call_id: an ended call.
            summary: to be stored as JSON.
            masked: what redaction still changes, because nobody will say more.
            archive: whether to write the call to the database now.

        Returns:
            OK, AGAIN (it has one) or GONE (the call has expired).

        Raises:
            redis.RedisError: as the client does.
        """
        answer = self._shards.of(call_id).run(
            "summarise",
            call_id=call_id,
            summary=msgspec.json.encode(summary),
            **masking_fields(call_id, masked),
            **({"archive": 1} if archive else {}),
        )
        return str(answer["outcome"])


def take(shard: Shard, listed: str, asked: Callable[[str], str]) -> list[str]:
    """Up to BATCH calls of the set `listed` that nobody asked about in the last ASK_AGAIN_SECONDS; `asked` names the
    key that says so. They count as asked now."""
    found = cast(list[bytes], shard.redis.srandmember(listed, BATCH))
    if not found:
        return []
    call_ids = [call_id.decode() for call_id in found]
    pipe = shard.redis.pipeline(transaction=False)
    for call_id in call_ids:
        pipe.set(asked(call_id), 1, nx=True, ex=ASK_AGAIN_SECONDS)
    return [call_id for call_id, first in zip(call_ids, pipe.execute(), strict=True) if first]
