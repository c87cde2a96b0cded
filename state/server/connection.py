"""Connections to Redis or Valkey (6.2 and newer), set up for the needs of each kind of process."""

from __future__ import annotations

import logging
import time
from typing import Any, Literal

import redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.driver_info import DriverInfo
from redis.retry import Retry

from state.process import client_name
from state.server.asking import Pool
from state.settings import Settings

log = logging.getLogger("earshot.server")

Role = Literal["web", "worker", "jobs", "command"]

CONNECT_TIMEOUT_SECONDS = 3.0
BLOCK_MS = 1000
"""Longest blocking read. It is below every socket timeout, so a silent server differs from a quiet stream."""

# A worker never retries: a repeated XREADGROUP would hand tokens to a socket that is gone. It reconnects in its
# own loop and first reads what it still holds. The web may retry: ingest is idempotent by its chunk number. A command
# at a terminal says at once what is wrong.
_RETRIES: dict[Role, int] = {"web": 2, "worker": 0, "jobs": 3, "command": 0}
_SOCKET_TIMEOUT_SECONDS: dict[Role, float | None] = {"web": 5.0, "worker": 5.0, "jobs": None, "command": 5.0}


_DRIVER = DriverInfo()
"""What the client says of itself. Made once: else each connection reads it from a file anew. A process without a free
descriptor then fails with an OSError that nobody expects, and loses a place of its pool for good."""

_WEB_WAIT_SECONDS = 5.0
"""Seconds to wait for a free connection; the server itself may take as long to answer."""


class ServerUnfit(RuntimeError):
    """The server may drop data or lacks what we need. One clear sentence."""


class ShardAway(redis.ConnectionError):
    """A part of the store does not answer, as another thread has just found out. The other parts do."""


AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.TryAgainError,
    redis.exceptions.AskError,
)
"""Errors that say: this server, or this part of the store, cannot be used just now; others can."""


def connect(settings: Settings, role: Role) -> redis.Redis:
    """A client (pool) to the plain server, for a process of this role; it does not connect yet."""
    return client_at(settings.jobs_redis_url or settings.redis_url, settings, role)


def client_at(url: str, settings: Settings, role: Role) -> redis.Redis:
    """A client (pool) to the server at `url`. Replies are bytes, RESP2.

    jobs has no socket timeout, because RQ blocks for minutes at a time.
    """
    retries = _RETRIES[role]
    options: dict[str, Any] = client_options(url, settings, role) | {
        "socket_timeout": _SOCKET_TIMEOUT_SECONDS[role],
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "retry": Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), retries) if retries else Retry(NoBackoff(), 0),
        # A server that was made a replica keeps its connections: drop them, so that the next ones reach its successor.
        "retry_on_error": [redis.exceptions.ReadOnlyError],
    }
    if role == "worker":
        return redis.Redis.from_pool(Pool.from_url(url, **options))
    if role != "web":
        return redis.Redis.from_url(url, **options)
    # A socket keeps a thread, so there may be hundreds. redis-py's own pool refuses from 100 on and does not let
    # them wait. It would drop audio when all speak at once.
    options |= {"max_connections": settings.redis_connections, "timeout": _WEB_WAIT_SECONDS}
    return redis.Redis(connection_pool=Pool.from_url(url, **options))


def client_options(url: str, settings: Settings, role: Role) -> dict[str, Any]:
    """What every client of this process says of itself and of TLS."""
    options: dict[str, Any] = {
        "protocol": 2,
        "socket_keepalive": True,
        "health_check_interval": 0 if role == "worker" else 30,
        "client_name": client_name(),
        "driver_info": _DRIVER,
    }
    if url.startswith("rediss://") and not settings.redis_tls_verify:
        options |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    return options


def check_server(client: redis.Redis, in_cluster: bool = False) -> dict[str, Any]:
    """The kind of this server. Every process asks before it works. Raises ServerUnfit if the server may evict keys,
    is too old or, unless `in_cluster`, is a cluster's. Logs a warning for each of `server_risks`.

    Reads INFO, which hosted servers allow where CONFIG is denied.
    """
    info: dict[str, Any] = client.info()
    version = str(info.get("redis_version", "0"))
    major, minor = (int(part) for part in [*version.split("."), "0"][:2])
    if (major, minor) < (6, 2):
        raise ServerUnfit(f"the server speaks Redis {version}; 6.2 or newer is needed")
    if policy := may_evict(info):
        raise ServerUnfit(f"the server's maxmemory-policy is {policy}: it would drop calls; set it to noeviction")
    if info.get("cluster_enabled") and not in_cluster:
        raise ServerUnfit("JOBS_REDIS_URL names a node of a cluster: jobs need keys of several slots at once")
    risks = server_risks(info)
    for risk in risks:
        log.warning(risk)
    return {
        "risks": risks,
        "server": info.get("server_name", "redis"),
        "version": info.get("valkey_version", version),
        "append_only": bool(info.get("aof_enabled")),
        "maxmemory_bytes": int(info.get("maxmemory", 0)),
    }


def may_evict(info: dict[str, Any]) -> str:
    """The policy by which INFO says that the server drops keys when its memory is full; "" if it drops none."""
    policy = str(info.get("maxmemory_policy", "noeviction"))
    return "" if policy == "noeviction" else policy


def server_risks(info: dict[str, Any]) -> list[str]:
    """Settings, as INFO shows them, that do harm on a bad day; one line each."""
    risks = []
    if not info.get("maxmemory"):
        risks.append(
            "the server has no maxmemory: too much audio ends it, and its machine, instead of being refused; set "
            "maxmemory to what it may use"
        )
    if not info.get("aof_enabled") and not info.get("connected_slaves"):
        risks.append(
            "the server has neither an append-only file nor a replica: when it ends, every call is lost; set "
            "appendonly to yes"
        )
    return risks


_SERVER_STATES = ("MISCONF", "BUSY", "NOREPLICAS", "NOGROUP", "UNBLOCKED")


def is_about_data(error: redis.RedisError) -> bool:
    """Whether the server refused because of what is stored (a key of another kind, a number that is none), so that the
    same request will fail for ever. Full, read-only, loading or out of reach: then it is False."""
    # The client has classes of its own for what the server says about itself, but for these.
    return type(error) is redis.exceptions.ResponseError and not str(error).startswith(_SERVER_STATES)


def wait_for_server(client: redis.Redis, patience_seconds: float) -> dict[str, Any]:
    """check_server, once the server answers. Raises redis.RedisError if it does not within the patience."""
    deadline = time.monotonic() + patience_seconds
    warned = False
    while True:
        try:
            return check_server(client)
        except redis.RedisError as error:
            if time.monotonic() > deadline:
                raise
            if not warned:
                log.warning("the server does not answer yet", extra={"error": str(error)})
                warned = True
            time.sleep(0.2)
