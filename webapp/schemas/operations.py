"""The fleet at a glance, over the API."""

from __future__ import annotations

import msgspec

from webapp.schemas.values import Moment


class ApiShard(msgspec.Struct):
    """A part of the store. lag_seconds: how far the words of its calls are behind, on average. Figures of one that is
    not up are 0."""

    number: int
    up: bool
    calls_live: int
    lag_seconds: float
    tokens_waiting: int
    finals_waiting: int


class ApiProcess(msgspec.Struct):
    """Number of processes of a type and a version. version: eight characters that name the source."""

    type: str
    version: str
    count: int
    connections: int


class ApiAlert(msgspec.Struct):
    """An alert rule whose condition holds now. wakes: it would wake somebody."""

    name: str
    wakes: bool
    value: str


class ApiOperations(msgspec.Struct):
    """The fleet as it is now.

    processes: null if no sentiment process lives or the server does not list its clients. busy: share of their time
    that decode loops work; null if none has told. memory_ratio: of the fullest server; null without a limit. jobs_*:
    null if no sentiment process lives. webhooks_*: null without a database. database: none, up or away.
    """

    at: Moment
    alerts: list[ApiAlert]
    shards: list[ApiShard]
    processes: list[ApiProcess] | None
    decoders: int
    busy: float | None
    engine: str
    calls_live: int
    backlog_seconds: float
    tokens_waiting: int
    finals_waiting: int
    dead: int
    memory_ratio: float | None
    jobs_workers: int | None
    jobs_queued: int | None
    jobs_failed: int | None
    webhooks_waiting: int | None
    webhooks_failed: int | None
    database: str
    calls_unarchived: int
