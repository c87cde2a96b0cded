"""Opening the store: REDIS_URL and the store itself say where its shards are."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import redis
from redis.connection import parse_url

from state import keys
from state.keys import Keys
from state.server.asking import Pool
from state.server.cluster import Address, Route, Topology
from state.server.connection import Role, ServerUnfit, check_server, client_at, client_options, connect
from state.server.layout import SHARDS_A_MASTER, agree
from state.server.routed import Patience, RoutedConnection, RoutedSSLConnection
from state.server.shards import Shard, Shards
from state.server.slots import slot, tags
from state.settings import Settings

CONNECT_TIMEOUT_SECONDS, SOCKET_TIMEOUT_SECONDS = 1.0, 2.5
"""Seconds, in a cluster, that the first one waits for a master that is away. The others do not wait (cluster.Route)."""

CONNECTIONS_A_SHARD = 32
"""At most so many connections of a web process to a shard. Beyond that its threads wait for one another, but not for
threads at another shard."""

log = logging.getLogger("earshot.server")


def open_shards(settings: Settings, role: Role, plain: redis.Redis | None = None) -> Shards:
    """The store, for a process of this role; `plain` is the plain server's client, if there is one already.

    It connects at the first use. That raises ServerUnfit if the store holds another protocol, or if REDIS_URL names a
    node of a cluster and JOBS_REDIS_URL nothing.
    """
    plain = plain or connect(settings, role)

    def find() -> Sequence[Shard]:
        client = client_at(settings.redis_url, settings, role) if settings.jobs_redis_url else plain
        nodes = known_nodes(plain) if settings.jobs_redis_url else []
        try:
            info: dict[str, int] = client.info("cluster")
        except (redis.ConnectionError, redis.TimeoutError):
            if not nodes:
                raise
            info = {"cluster_enabled": 1}  # the node of REDIS_URL is down; others were known
        if info.get("cluster_enabled"):
            return _in_cluster(settings, role, plain, nodes)
        layout = agree(client, settings.shards or 1)
        return [Shard(number, Keys(tag), client) for number, tag in enumerate(tags(layout.shards))]

    return Shards(find, plain)


def known_nodes(plain: redis.Redis) -> list[Address]:
    """The cluster's nodes as the last process that opened it wrote them down."""
    kept = cast("bytes | None", plain.get(keys.NODES))
    return [(host, port) for host, port in msgspec.json.decode(kept)] if kept else []


def _in_cluster(settings: Settings, role: Role, plain: redis.Redis, nodes: list[Address]) -> Sequence[Shard]:
    if not settings.jobs_redis_url:
        raise ServerUnfit(
            "REDIS_URL names a node of a cluster: set JOBS_REDIS_URL to a plain server, for accounts, sessions and jobs"
        )
    options = client_options(settings.redis_url, settings, role)
    where: dict[str, Any] = cast(Any, parse_url)(settings.redis_url)
    kind = RoutedSSLConnection if where.pop("connection_class", None) else RoutedConnection
    where = dict[str, Any](host="localhost", port=6379) | where
    topology = Topology(where | options | ({"ssl": True} if kind is RoutedSSLConnection else {}), nodes)
    topology.refresh()
    if set(topology.nodes) != set(nodes):
        plain.set(keys.NODES, msgspec.json.encode(topology.nodes))

    def client(names: Keys) -> tuple[redis.Redis, Route]:
        route = Route(topology, slot(names.tag), names.vacant)
        own: dict[str, Any] = {
            "connection_class": kind,
            "route": route,
            "retry": Patience(2 if role == "web" else 0),
            "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "socket_timeout": SOCKET_TIMEOUT_SECONDS,
        }
        if role == "web":
            most = min(CONNECTIONS_A_SHARD, settings.redis_connections)
            own |= {"max_connections": most, "timeout": SOCKET_TIMEOUT_SECONDS}
        return redis.Redis(connection_pool=Pool(**where, **options, **own)), route

    home, _ = client(keys.STORE)
    layout = agree(home, settings.shards or SHARDS_A_MASTER * topology.masters())
    home.close()
    shards = []
    for number, tag in enumerate(tags(layout.shards)):
        names = Keys(tag)
        found, route = client(names)
        shards.append(Shard(number, names, found, route))
    return shards


def check_store(shards: Shards) -> None:
    """Check the store; every process does so before it works. Raises state.server.connection.ServerUnfit,
    redis.RedisError."""
    check_server(shards.plain)
    shards.answers(lambda shard: shard.redis is shards.plain or check_server(shard.redis, in_cluster=True))


def check_store_if_there(settings: Settings) -> None:
    """check_store for a process that can serve without a store: it only logs that the store does not answer yet."""
    shards = open_shards(settings, "worker")
    try:
        check_store(shards)
    except redis.RedisError as error:
        log.warning("the server does not answer yet", extra={"error": str(error)})
    finally:
        shards.close()
