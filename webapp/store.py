"""What a view needs of the outside: made once by the application factory, found through the current app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import redis
from flask import current_app

from state.ingest import Ingest
from state.reads import Reads
from state.rules import RulesStore
from state.settings import Settings
from webapp.shown import Shown

_NAME = "earshot"


@dataclass(frozen=True)
class Store:
    """The state in Redis, as the web process sees it."""

    settings: Settings
    redis: redis.Redis
    ingest: Ingest
    reads: Reads
    rules: RulesStore


def attach(extensions: dict[str, object], settings: Settings, client: redis.Redis) -> Store:
    """Make the store and put it into an app's `extensions`."""
    made = Store(
        settings,
        client,
        Ingest(client, settings),
        Shown(client) if settings.redact else Reads(client),
        RulesStore(client),
    )
    extensions[_NAME] = made
    return made


def store() -> Store:
    """The store of the application that serves this request."""
    return cast(Store, current_app.extensions[_NAME])
