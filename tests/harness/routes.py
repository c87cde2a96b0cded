"""Every route of the web, who may use it, and how a test asks it."""

from __future__ import annotations

import re
from typing import Any

import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from state import keys
from state.settings import Settings
from tests.harness.api import BASIC, SECOND, Contents, contents
from tests.harness.servers import Server
from webapp.app import create_app

ROUTES = {
    "/v1/calls POST": "ingest",
    "/v1/calls GET": "read",
    "/v1/calls/<call_id> GET": "read",
    "/v1/calls/<call_id> DELETE": "admin",
    "/v1/calls DELETE": "admin",
    "/v1/webhooks GET": "admin",
    "/v1/webhooks POST": "admin",
    "/v1/webhooks/<webhook> DELETE": "admin",
    "/v1/webhooks/<webhook>/enable POST": "admin",
    "/v1/webhooks/<webhook>/deliveries/<message_id>/redeliver POST": "admin",
    "/v1/deliveries GET": "admin",
    "/v1/operations GET": "admin",
    "/v1/jobs GET": "admin",
    "/v1/jobs/<job_id>/retry POST": "admin",
    "/v1/holds GET": "admin",
    "/v1/holds PUT": "admin",
    "/v1/holds DELETE": "admin",
    "/v1/calls/<call_id>/transcript.<form> GET": "read",
    "/v1/calls/<call_id>/summary GET": "read",
    "/v1/calls/<call_id>/audio GET": "act",
    "/v1/calls/<call_id>/handling PUT": "act",
    "/v1/calls/<call_id>/notes POST": "act",
    "/v1/calls/<call_id>/messages POST": "act",
    "/v1/desk GET": "agent",
    "/v1/desk/calls/<call_id>/help PUT": "agent",
    "/v1/desk/calls/<call_id>/help DELETE": "agent",
    "/desk GET": "agent page",
    "/enter GET": "public",
    "/enter POST": "public",
    "/v1/calls/<call_id>/tags/<tag> PUT": "act",
    "/v1/calls/<call_id>/tags/<tag> DELETE": "act",
    "/v1/calls/<call_id>/recording GET": "read",
    "/v1/calls/<call_id>/recording/sound GET": "read",
    "/v1/calls/<call_id>/judgements/<alert> PUT": "act",
    "/v1/models GET": "admin",
    "/v1/models/current PUT": "admin",
    "/admin/models GET": "admin page",
    "/v1/rules/understood POST": "read",
    "/v1/rules/as-yaml POST": "read",
    "/v1/rules/heard POST": "read",
    "/v1/calls/<call_id>/recording/pause POST": "ingest",
    "/v1/calls/<call_id>/recording/resume POST": "ingest",
    "/v1/calls/<call_id>/events POST": "ingest",
    "/v1/calls/<call_id>/end POST": "ingest",
    "/v1/calls/<call_id>/tracks/<track>/chunks POST": "ingest",
    "/v1/calls/<call_id>/tracks/<track>/chunks/<seq> PUT": "ingest",
    "/v1/calls/<call_id>/chunks/<seq> PUT": "ingest",
    "/v1/rules GET": "read",
    "/v1/rules PUT": "act",
    "/v1/rules/dry-run POST": "read",
    "/v1/agents GET": "read",
    "/v1/reports GET": "read",
    "/v1/reports/over-time GET": "read",
    "/v1/reports.csv GET": "read",
    "/history GET": "page",
    "/rules GET": "page",
    "/agents GET": "page",
    "/admin/operations GET": "admin page",
    "/admin/jobs GET": "admin page",
    "/reports GET": "page",
    "/reviews GET": "page",
    "/v1/samples GET": "read",
    "/v1/scorecard GET": "read",
    "/v1/scorecard PUT": "act",
    "/v1/scorecard.yaml GET": "read",
    "/v1/scorecard.yaml PUT": "act",
    "/v1/calls/<call_id>/reviews GET": "read",
    "/v1/calls/<call_id>/reviews PUT": "act",
    "/admin/webhooks GET": "admin page",
    "/v1/streams/twilio GET": "ingest",
    "/v1/streams/audio GET": "ingest",
    "/v1/streams/vosk GET": "ingest",
    "/v1/streams/audiohook GET": "ingest",
    "/decode POST": "ingest",
    "/v1/session GET": "known",
    "/v1/session/extension GET": "act",
    "/v1/session/extension PUT": "act",
    "/v1/calls/<call_id>/switch/<act> POST": "act",
    "/v1/audit GET": "admin",
    "/v1/audit.<form> GET": "admin",
    "/v1/accounts GET": "admin",
    "/v1/accounts POST": "admin",
    "/v1/accounts/<name> PATCH": "admin",
    "/v1/accounts/<name> DELETE": "admin",
    "/v1/accounts/<name>/password POST": "admin",
    "/v1/keys GET": "admin",
    "/v1/keys POST": "admin",
    "/v1/keys/<name> DELETE": "admin",
    "/v1/sessions GET": "admin",
    "/v1/sessions/<name> DELETE": "admin",
    "/admin GET": "admin page",
    "/admin/accounts GET": "admin page",
    "/admin/keys GET": "admin page",
    "/admin/sessions GET": "admin page",
    "/admin/audit GET": "admin page",
    "/admin/begin GET": "admin page",
    "/admin/erasing GET": "admin page",
    "/admin/queues GET": "admin page",
    "/v1/queues GET": "admin",
    "/v1/queues PUT": "admin",
    "/v1/queues/names PUT": "admin",
    "/v1/openapi.json GET": "public",
    "/v1/asyncapi.json GET": "public",
    "/ GET": "page",
    "/docs GET": "public",
    "/sign-in GET": "public",
    "/sign-in POST": "public",
    "/sign-in/oidc GET": "public",
    "/sign-in/oidc/callback GET": "public",
    "/sign-out POST": "known",
    "/healthz GET": "public",
    "/readyz GET": "public",
    "/metrics GET": "read",
    "/static/<path:filename> GET": "public",
}
"""Every route and who may use it. Add each new route, after thinking about who may use it."""

VALUES = {
    "<call_id>": "call-1",
    "<track>": "customer",
    "<seq>": "1",
    "<form>": "txt",
    "<tag>": "vip",
    "<alert>": "escalation",
    "<job_id>": "a job",
    "<name>": "dana",
    "<webhook>": "hook",
    "<message_id>": "none",
    "<path:filename>": "css/base.css",
}
MISSES = re.compile(r"/recording|<name>|/audit\.|/desk/")
"""Routes that may answer 404 to somebody who may use them, because the tests have no such thing."""

FAR = {"REMOTE_ADDR": "203.0.113.7"}


def client(valkey: Server, **settings: Any) -> FlaskClient:
    return create_app(Settings(redis_url=valkey.url, **settings)).test_client()


def sockets(valkey: Server) -> list[str]:
    """Paths of telephony's websockets."""
    rules = client(valkey).application.url_map.iter_rules()
    return sorted(rule.rule for rule in rules if rule.websocket)


def steady(store: redis.Redis) -> Contents:
    """All keys, except counters of limits, the trail, and the times when an API key was used."""
    passing = (keys.LIMITS, keys.AUDIT, keys.API_KEYS_USED)
    return {key: value for key, value in contents(store).items() if not key.decode().startswith(passing)}


def ask(http: FlaskClient, route: str, headers: dict[str, str], far: dict[str, str] = FAR) -> TestResponse:
    path, method = route.split()
    for name, value in VALUES.items():
        path = path.replace(name, value)
    body: dict[str, Any] = {"data": SECOND, "content_type": BASIC["Content-Type"]} if "chunks" in path else {}
    if path.endswith("/handling"):
        body = {"json": {"state": "taken"}}
    if path.endswith(("/notes", "/messages")):
        body = {"json": {"text": "ring back"}}
    return http.open(path, method=method, headers=headers, environ_base=far, **body)
