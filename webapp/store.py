"""What a view needs of the outside: made once by the application factory, found through the current app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import redis
from flask import current_app

from state.access import Access
from state.audit import Audit
from state.ingest import Ingest
from state.reads import Reads
from state.settings import Settings
from webapp.limits import Limits

_NAME = "earshot"


@dataclass(frozen=True)
class Store:
    """The state in Redis, as the web process sees it."""

    settings: Settings
    redis: redis.Redis
    ingest: Ingest
    reads: Reads
    access: Access
    audit: Audit
    limits: Limits


def attach(extensions: dict[str, object], settings: Settings, client: redis.Redis) -> Store:
    """Make the store and put it into an app's `extensions`."""
    made = Store(
        settings,
        client,
        Ingest(client, settings),
        Reads(client),
        Access(client, settings.api_keys, settings.secret_key, settings.session_hours),
        Audit(client),
        Limits(client, settings.key_requests_per_second),
    )
    extensions[_NAME] = made
    return made


def store() -> Store:
    """The store of the application that serves this request."""
    return cast(Store, current_app.extensions[_NAME])
