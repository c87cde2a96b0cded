"""/healthz, /readyz, /metrics and the OpenAPI and AsyncAPI documents: for machines that watch this one.

`api` has each process's own state, `fleet` the web process's view of all.
"""

from __future__ import annotations

import redis
from flask import Blueprint, Response, current_app

from state.server.connection import may_evict
from webapp.access.rights import needs, public
from webapp.api import metrics
from webapp.api.documents import asyncapi, openapi
from webapp.api.documents.openapi import operation
from webapp.http.answers import as_json
from webapp.http.problems import Problem
from webapp.schemas.figures import Readiness
from webapp.store import store

api = Blueprint("health", __name__)
fleet = Blueprint("fleet", __name__)


@api.get("/healthz")
@public
def healthz() -> Response:
    """200 while this process serves. It asks nobody else."""
    return Response(b'{"alive":true}', content_type="application/json")


@api.get("/readyz")
@public
def readyz() -> Response:
    """200 if Earshot can take calls and decode them. 503 with the reasons if not."""
    reasons = []
    model = ""
    try:
        if policy := next(filter(None, map(may_evict, store().health.servers("memory"))), ""):
            reasons.append(f"Redis may drop calls: its maxmemory-policy is {policy}.")
        persistence = store().health.servers("persistence")
        if any(info.get("aof_last_write_status", "ok") != "ok" for info in persistence):
            reasons.append("Redis accepts nothing: it cannot write its append-only file (is its disk full?).")
        alive = store().health.fleet()
        model = alive.model
        if not alive.decoders:
            reasons.append("No decoder is alive.")
    except redis.RedisError as error:
        reasons.append(f"Redis does not answer: {type(error).__name__}.")
    if reasons:
        raise Problem(503, "not_ready", " ".join(reasons), reasons=reasons, retry=True)
    return as_json(Readiness(True, [], model))


@fleet.get("/metrics")
@needs("read", local=True)
def read_metrics() -> Response:
    """Always 200: a store that is away shows as a number, too."""
    return Response(metrics.exposition(store().health, store().archive), content_type=metrics.CONTENT_TYPE)


@fleet.get("/v1/openapi.json")
@operation("This document", {200: dict})
@public
def openapi_json() -> Response:
    """The OpenAPI 3.1 document."""
    return as_json(current_app.extensions[openapi.DOCUMENT])


@fleet.get("/v1/asyncapi.json")
@operation("What the live socket says: AsyncAPI 3.0", {200: dict})
@public
def asyncapi_json() -> Response:
    """The AsyncAPI document; docs/LIVE.md has examples."""
    return as_json(asyncapi.document())
