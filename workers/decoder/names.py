"""Puts the names of a track's queue around the engine, for the track's new recogniser."""

from __future__ import annotations

import logging
import time

import msgspec
import redis

from state.server.shards import Shard, Shards
from state.vocabularies import Edition, Vocabularies
from workers.engines.base import Model
from workers.engines.vocabulary import Vocabulary, VocabularyModel

ASK_SECONDS = 5.0
"""Seconds between two questions for a new edition. A track that is warm keeps the one it has."""

log = logging.getLogger("earshot.decoder")


class Names:
    """Made once a process. While the plain server is away, it uses the lists that it read last."""

    def __init__(self, shards: Shards, model: Model) -> None:
        self._shards, self._model = shards, model
        self._edition = Edition(-1, {})
        self._models: dict[str, Model] = {}
        self._ask_at = float("-inf")

    def model_for(self, shard: Shard, call_id: str) -> Model:
        """The model for a call's tracks. Raises redis.RedisError if the call's shard does not answer."""
        self._follow()
        if not self._edition.names:
            return self._model
        described = shard.redis.hget(shard.keys.call(call_id), "metadata")
        metadata = msgspec.json.decode(described or b"{}", type=dict[str, str])
        queue = metadata.get("queue", "")
        names = self._edition.of(queue)
        if not names:
            return self._model
        if queue not in self._models:
            self._models[queue] = VocabularyModel(self._model, Vocabulary(names))
        return self._models[queue]

    def _follow(self) -> None:
        now = time.monotonic()
        if now < self._ask_at:
            return
        self._ask_at = now + ASK_SECONDS
        vocabularies = Vocabularies(self._shards.plain)
        try:
            if vocabularies.number() != self._edition.number:
                self._edition = vocabularies.read()
                self._models.clear()
        except redis.RedisError as error:
            log.warning("the names of queues cannot be read", extra={"error": str(error)})
