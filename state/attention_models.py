"""Versions of the attention model: how calls are weighed, as it was learned from supervisors' judgements.

A version never changes. A call keeps the version it began with; the one that applies is for calls that begin.
workers/insight/models.py knows what the content means. Version 0 is what the product ships; it is not stored.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec
import redis

from state import keys
from state.server.clock import now_ms

KEPT = 40
"""At most so many versions are kept, the newest: a version a day lasts longer than any call."""
WRITE_TRIES = 5

Origin = Literal["learned", "norms", "taken back"]
"""learned: from judgements. norms: what is normal in the queues was measured again. taken back: the weights of an
earlier version apply again."""


class ModelVersion(msgspec.Struct, frozen=True):
    """One version. after: the version before it. by: the admin who took one back, "" for a job. content, figures: JSON
    of workers/insight/models.py."""

    version: int
    after: int
    made_at_ms: int
    origin: Origin
    by: str
    content: msgspec.Raw
    figures: msgspec.Raw


class Look(msgspec.Struct, frozen=True):
    """The last time the job looked for something to learn, and the result (JSON as the figures of a version)."""

    at_ms: int
    figures: msgspec.Raw


class ModelChanged(Exception):
    """Somebody else has made another version."""


_decode = msgspec.json.Decoder(ModelVersion).decode
_decode_look = msgspec.json.Decoder(Look).decode


class AttentionModels:
    """Reads are safe to repeat; `save` makes one version."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def version(self) -> int:
        """The version that applies. Cheap: asked about once a second by every sentiment worker."""
        return int(cast("bytes | None", self._redis.hget(keys.MODELS, "version")) or 0)

    def get(self, version: int) -> ModelVersion | None:
        """A version; None for 0 and for those that are not kept any more. Raises msgspec.DecodeError."""
        found = cast("bytes | None", self._redis.hget(keys.MODELS, str(version)))
        return _decode(found) if found is not None else None

    def all(self) -> list[ModelVersion]:
        """All that are kept, the newest first. Raises msgspec.DecodeError."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.MODELS))
        versions = [_decode(packed) for name, packed in found.items() if name.isdigit()]
        return sorted(versions, key=lambda one: -one.version)

    def note_look(self, at_ms: int, figures: bytes) -> None:
        """Note the result of a look for something to learn."""
        self._redis.hset(keys.MODELS, "look", msgspec.json.encode(Look(at_ms, msgspec.Raw(figures))))

    def look(self) -> Look | None:
        """The last look; None before any. Raises msgspec.DecodeError."""
        found = cast("bytes | None", self._redis.hget(keys.MODELS, "look"))
        return _decode_look(found) if found is not None else None

    def save(self, after: int, origin: Origin, content: bytes, figures: bytes, by: str = "") -> ModelVersion:
        """Make the version after `after`, if that is the one that applies; it applies from then on.

        Raises ModelChanged if it is not.
        """
        made = ModelVersion(
            after + 1, after, now_ms(self._redis), origin, by, msgspec.Raw(content), msgspec.Raw(figures)
        )
        with cast(Any, self._redis.pipeline()) as pipe:
            for _ in range(WRITE_TRIES):
                pipe.watch(keys.MODELS)
                if int(pipe.hget(keys.MODELS, "version") or 0) != after:
                    raise ModelChanged
                pipe.multi()
                pipe.hset(keys.MODELS, mapping={"version": made.version, str(made.version): msgspec.json.encode(made)})
                pipe.hdel(keys.MODELS, str(made.version - KEPT))
                try:
                    pipe.execute()
                except redis.WatchError:
                    continue
                return made
        raise ModelChanged
