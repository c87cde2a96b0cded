"""The services that a view needs. The application factory makes them once; views find them through the current app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import redis
from flask import current_app

from state.archive.opening import Archive, open_archive
from state.attention_models import AttentionModels
from state.calls.happenings import Happenings
from state.calls.health import Health
from state.calls.ingest import Ingest
from state.calls.listening import Listening
from state.calls.own import OwnCalls
from state.calls.reads import Reads
from state.calls.sight import Sight
from state.calls.streams import Streams
from state.jobs import JobsBoard
from state.people.access import Access
from state.people.audit import Audit
from state.people.extensions import Extensions
from state.recording.sounds import Sounds, open_sounds
from state.rules import RulesStore
from state.server.shards import Shards, shards_of
from state.settings import Settings
from webapp.http.limits import Limits
from webapp.http.problems import Problem
from webapp.search.transcripts import Transcripts
from webapp.shown import Shown, ShownStreams

_NAME = "earshot"

NEW_CALLS_EARLIER_PERCENT = 10
"""Percent of memory by which new calls are refused earlier than chunks of old ones. Old calls must finish first."""


@dataclass(frozen=True)
class Store:
    """The state in Redis, and the archive if there is one, as the web process sees them."""

    settings: Settings
    shards: Shards
    ingest: Ingest
    happenings: Happenings
    reads: Reads
    health: Health
    transcripts: Transcripts
    rules: RulesStore
    attention_models: AttentionModels
    sight: Sight
    streams: Streams
    access: Access
    extensions: Extensions
    audit: Audit
    limits: Limits
    listening: Listening
    own_calls: OwnCalls
    archive: Archive | None
    jobs: JobsBoard
    sounds: Sounds | None

    def archive_for(self, what: str) -> Archive:
        """The archive. Raises Problem 409 if there is none; what: the sentence that says so."""
        if self.archive is None:
            raise Problem(409, "no_archive", what)
        return self.archive

    def under_pressure(self, call_id: str) -> bool:
        """Whether to refuse this call's audio. A completely full server could not even drain its backlog."""
        limit = self.settings.memory_limit_percent
        shard = self.shards.of(call_id)
        pressure = self.ingest.pressure.percent(shard)
        return pressure >= limit or (
            pressure >= limit - NEW_CALLS_EARLIER_PERCENT and not shard.redis.exists(shard.keys.call(call_id))
        )


def open_store(settings: Settings, store: Shards | redis.Redis) -> Store:
    """The store as a web process uses it."""
    shards = shards_of(store)
    reads = Shown(shards) if settings.redact else Reads(shards)
    return Store(
        settings,
        shards,
        Ingest(shards, settings),
        Happenings(shards),
        reads,
        Health(shards),
        Transcripts(reads),
        RulesStore(shards.plain),
        AttentionModels(shards.plain),
        Sight(shards),
        ShownStreams(shards, settings) if settings.redact else Streams(shards, settings),
        Access(shards.plain, settings.api_keys, settings.secret_key),
        Extensions(shards.plain),
        Audit(shards),
        Limits(shards.plain, settings.key_requests_per_second),
        Listening(shards),
        OwnCalls(shards),
        open_archive(settings),
        JobsBoard(shards.plain),
        open_sounds(settings),
    )


def attach(extensions: dict[str, object], settings: Settings, store: Shards | redis.Redis) -> Store:
    """Make the store and put it into an app's `extensions`."""
    made = open_store(settings, store)
    extensions[_NAME] = made
    return made


def store() -> Store:
    """The store of the application that serves this request."""
    return cast(Store, current_app.extensions[_NAME])
