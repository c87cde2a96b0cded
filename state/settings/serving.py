"""Where the processes listen and what they say of themselves, and the store they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from state.settings.values import about


@dataclass(frozen=True, kw_only=True)
class Store:
    """The server that all processes share."""

    redis_url: Annotated[str, about("Address of the server, redis:// or rediss:// (REDIS_TLS_URL wins if set)")] = (
        "redis://127.0.0.1:6379/0"
    )
    redis_tls_verify: Annotated[
        bool, about("Whether to check the server's certificate. 0 accepts a self-signed one, as Heroku's Redis has")
    ] = True
    jobs_redis_url: Annotated[
        str,
        about("Plain server (no cluster) for accounts, sessions, rules and jobs. Empty: REDIS_URL"),
    ] = ""
    redis_connections: Annotated[
        int,
        about("Most connections to the server of a web or streams process; beyond, its threads wait", ge=4, le=1000),
    ] = 64
    shards: Annotated[
        int,
        about(
            "Number of shards into which a new store divides its calls, for good. 0: one on a plain server, four a"
            " master of a cluster. A store that has begun keeps its own number",
            ge=0,
            le=1024,
        ),
    ] = 0


@dataclass(frozen=True, kw_only=True)
class Serving:
    """The web process."""

    port: Annotated[int, about("HTTP port of the web process", ge=1, le=65535)] = 8000
    web_address: Annotated[
        str,
        about(
            "Address that the web and streams processes listen on. Empty: every address of the machine (scripts/run:"
            " 127.0.0.1)",
            pattern=r"^[A-Za-z0-9.:_-]*$",
        ),
    ] = ""
    web_threads: Annotated[
        int,
        about("Threads of a web process: one for each open page, the rest for requests", ge=4, le=2000),
    ] = 400
    trusted_proxies: Annotated[
        int,
        about("Number of proxies in front whose X-Forwarded-For and -Proto Earshot believes (Heroku: 1)", ge=0, le=10),
    ] = 0
    public_url: Annotated[
        str,
        about(
            "https://host where people and telephony reach Earshot, if a proxy changes the Host header",
            pattern="^(https?://.+)?$",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class Watching:
    """Logs, metrics and traces."""

    log_level: Annotated[
        str, about("Least level that is logged: debug, info, warning or error", pattern="^(debug|info|warning|error)$")
    ] = "info"
    metrics_port: Annotated[
        int,
        about(
            "Port on which a process shows its own /metrics (only web shows them on PORT). 0: none",
            ge=0,
            le=65535,
        ),
    ] = 0
    metrics_address: Annotated[
        str, about("Address of that port. It asks for no key, so keep it in a private network")
    ] = "127.0.0.1"
    otel_exporter_otlp_endpoint: Annotated[
        str,
        about(
            "Address of an OpenTelemetry collector (http://host:4318) that gets traces. The other OTEL_ variables"
            " apply, such as OTEL_TRACES_SAMPLER. Empty: no traces",
            pattern="^(https?://.+)?$",
        ),
    ] = ""
