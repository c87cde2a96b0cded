"""Opening the store: where its shards are, as REDIS_URL and the store itself say."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import redis

from state.keys import Keys, tags
from state.server.connection import Role, check_server, connect
from state.server.layout import agree
from state.server.shards import Shard, Shards
from state.settings import Settings

log = logging.getLogger("earshot.server")


def open_shards(settings: Settings, role: Role, plain: redis.Redis | None = None) -> Shards:
    """The store, for a process of this role; `plain` is the plain server's client, if there is one already.

    It connects at the first use, which raises state.server.connection.ServerUnfit if the store holds another protocol.
    """
    plain = plain or connect(settings, role)

    def find() -> Sequence[Shard]:
        layout = agree(plain, settings.shards or 1)
        return [Shard(number, Keys(tag), plain) for number, tag in enumerate(tags(layout.shards))]

    return Shards(find, plain)


def check_store(shards: Shards) -> None:
    """Every process asks before it works. Raises state.server.connection.ServerUnfit, redis.RedisError."""
    check_server(shards.plain)
    len(shards)


def check_store_if_there(settings: Settings) -> None:
    """check_store for a process that serves without one, too: that it does not answer yet is only logged."""
    shards = open_shards(settings, "worker")
    try:
        check_store(shards)
    except redis.RedisError as error:
        log.warning("the server does not answer yet", extra={"error": str(error)})
    finally:
        shards.close()
