"""The OpenAPI document names every route, every method and every status of the contract."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from state.settings import Settings
from webapp.api.documents import openapi
from webapp.app import create_app

KNOWN_ONLY = {"401", "403", "429"}
STREAM = KNOWN_ONLY | {"101", "400", "426", "500", "501", "503"}
CHUNK_REFUSALS = KNOWN_ONLY | {"400", "409", "410", "413", "415", "500", "503"}
STATUSES = {
    ("/v1/calls", "post"): {"201", "200", "400", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}", "get"): {"200", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}", "delete"): {"200", "400", "404", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls", "delete"): {"200", "400", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/webhooks", "get"): {"200", "400", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/webhooks", "post"): {"201", "400", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/webhooks/{webhook}", "delete"): {"200", "400", "404", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/webhooks/{webhook}/enable", "post"): {"200", "400", "404", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/webhooks/{webhook}/deliveries/{message_id}/redeliver", "post"): {"202", "400", "404", "409", "500", "503"}
    | KNOWN_ONLY,
    ("/v1/deliveries", "get"): {"200", "400", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/operations", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/jobs", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/jobs/{job_id}/retry", "post"): {"202", "400", "404", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/holds", "get"): {"200", "400", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/holds", "put"): {"200", "400", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/holds", "delete"): {"200", "400", "404", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/handling", "put"): {"200", "400", "404", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/notes", "post"): {"200", "400", "404", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/messages", "post"): {"200", "400", "404", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/desk", "get"): {"200", "304", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/desk/calls/{call_id}/help", "put"): {"200", "400", "404", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/desk/calls/{call_id}/help", "delete"): {"200", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/tags/{tag}", "put"): {"200", "400", "404", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/tags/{tag}", "delete"): {"200", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/audio", "get"): {"200", "204", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/recording", "get"): {"200", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/recording/sound", "get"): {"200", "206", "400", "404", "416", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/recording/pause", "post"): {"200", "400", "404", "409", "410", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/recording/resume", "post"): {"200", "400", "404", "409", "410", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/events", "post"): {"200", "400", "404", "409", "410", "413", "415", "500", "503"}
    | KNOWN_ONLY,
    ("/v1/calls/{call_id}/end", "post"): {"202", "400", "404", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/session", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/session/extension", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/session/extension", "put"): {"200", "400", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/switch/{act}", "post"): {"202", "400", "404", "409", "500", "502", "503"} | KNOWN_ONLY,
    ("/v1/audit", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/audit.{form}", "get"): {"200", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/queues", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/queues/names", "put"): {"200", "400", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/queues", "put"): {"200", "400", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/accounts", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/accounts", "post"): {"200", "400", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/accounts/{name}", "patch"): {"200", "400", "404", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/accounts/{name}", "delete"): {"200", "400", "404", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/accounts/{name}/password", "post"): {"200", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/keys", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/keys", "post"): {"200", "400", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/keys/{name}", "delete"): {"200", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/sessions", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/sessions/{name}", "delete"): {"200", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/tracks/{track}/chunks", "post"): {"202"} | CHUNK_REFUSALS,
    ("/v1/calls/{call_id}/tracks/{track}/chunks/{seq}", "put"): {"202", "200"} | CHUNK_REFUSALS,
    ("/v1/calls/{call_id}/chunks/{seq}", "put"): {"202", "200"} | CHUNK_REFUSALS,
    ("/v1/calls/{call_id}/summary", "get"): {"200", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/transcript.{form}", "get"): {"200", "400", "404", "500", "503"} | KNOWN_ONLY,
    ("/v1/rules", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/rules", "put"): {"200", "400", "412", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/rules/dry-run", "post"): {"200", "400", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/rules/understood", "post"): {"200", "400", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/rules/as-yaml", "post"): {"200", "400", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/rules/heard", "post"): {"200", "400", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/judgements/{alert}", "put"): {"200", "400", "404", "409", "413", "415", "500", "503"}
    | KNOWN_ONLY,
    ("/v1/models", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/models/current", "put"): {"200", "400", "404", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/agents", "get"): {"200", "400", "500", "503"} | KNOWN_ONLY,
    ("/v1/reports", "get"): {"200", "400", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/reports/over-time", "get"): {"200", "400", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/samples", "get"): {"200", "400", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/scorecard", "get"): {"200", "400", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/scorecard.yaml", "get"): {"200", "400", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/scorecard.yaml", "put"): {"200", "400", "409", "412", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/scorecard", "put"): {"200", "400", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/reviews", "get"): {"200", "400", "404", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/calls/{call_id}/reviews", "put"): {"200", "400", "404", "409", "413", "415", "500", "503"} | KNOWN_ONLY,
    ("/v1/reports.csv", "get"): {"200", "400", "409", "500", "503"} | KNOWN_ONLY,
    ("/v1/openapi.json", "get"): {"200", "400", "500", "503"},
    ("/v1/asyncapi.json", "get"): {"200", "400", "500", "503"},
    ("/v1/streams/twilio", "get"): STREAM,
    ("/v1/streams/audio", "get"): STREAM,
    ("/v1/streams/vosk", "get"): STREAM,
    ("/v1/streams/audiohook", "get"): STREAM,
    ("/decode", "post"): {"200", "400", "409", "413", "500", "503"} | KNOWN_ONLY,
}


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings())


def test_it_names_every_route_and_method_under_v1_and_the_first_demonstrations(app: Flask) -> None:
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if (rule.rule.startswith("/v1/") or rule.rule == "/decode") and method not in ("HEAD", "OPTIONS")
    }
    document = openapi.build(app)
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == routes


def test_it_lists_every_status(app: Flask) -> None:
    paths = openapi.build(app)["paths"]
    listed = {
        (path, method): set(operation["responses"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    assert listed == STATUSES


def test_every_reference_leads_somewhere_and_every_path_parameter_is_described(app: Flask) -> None:
    document = openapi.build(app)
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references and references == set(document["components"]["schemas"])
    for path, methods in document["paths"].items():
        for operation in methods.values():
            described = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert described == set(re.findall(r"\{(\w+)\}", path))


def test_a_route_that_is_not_described_stops_the_process_at_start(app: Flask) -> None:
    bare = Flask("bare")
    bare.add_url_rule("/v1/secret", view_func=lambda: "")
    with pytest.raises(LookupError, match="/v1/secret"):
        openapi.build(bare)


def test_it_is_built_once_for_all_readers(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "build", pytest.fail)
    http = app.test_client()
    assert [http.get(path).status_code for path in ("/v1/openapi.json", "/docs")] == [200, 200]
