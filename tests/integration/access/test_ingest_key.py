"""A key that may only send learns nothing of other calls, and an agent nothing of other agents' calls."""

from __future__ import annotations

import itertools
from typing import Any, cast

import redis
from werkzeug.routing import Rule

from state.settings import Settings
from tests.harness.line import Line
from tests.harness.secret_calls import DONE, LIVE, secret_in, told
from tests.harness.servers import Server
from webapp.access.rights import SAFE_METHODS
from webapp.app import create_app

VALUES: dict[str, list[str]] = {
    "call_id": [LIVE, DONE],
    "track": ["agent", "customer"],
    "seq": ["1", "2", "3"],
    "form": ["txt", "json", "csv", "srt", "vtt"],
    "tag": ["vip"],
    "act": ["whisper", "barge", "takeover", "hangup"],
    "alert": ["needs_attention"],
    "job_id": ["a-job"],
    "message_id": ["a-message"],
    "webhook": ["a-webhook"],
    "name": ["dana"],
    "filename": ["css/base.css"],
}
"""Values for the variable parts of addresses. Add each new part here."""


def paths(rule: Rule) -> list[str]:
    """A route's addresses, with every value of its parts."""
    parts = [[(name, value) for value in VALUES[name]] for name in sorted(rule.arguments)]
    found = []
    for values in itertools.product(*parts):
        path = rule.rule
        for name, value in values:
            for kind in ("", "path:"):
                path = path.replace(f"<{kind}{name}>", value)
        assert "<" not in path, path
        found.append(path)
    return found


def bodies() -> list[dict[str, Any]]:
    """Bodies of requests: nothing, audio, and JSON that some route understands."""
    jsons: list[Any] = [{}, {"state": "taken"}, {"text": "hello"}, {"last_seq": {"customer": 1}}]
    jsons += [{"call_id": call, "tracks": ["agent", "customer"], "metadata": {"agent": "x"}} for call in (LIVE, DONE)]
    for call in (LIVE, DONE):
        for audio, end in (([], False), ([], True), ([0] * 8000, False)):
            jsons.append({"audio": audio, "sample_rate": 8000, "id": call, "do_finalize": end})
    return [
        {},
        {"data": SILENCE, "headers": {"Content-Type": "audio/PCMU"}},
        {"data": SILENCE * 2, "headers": {"Content-Type": "audio/PCMU;channels=2"}},
        {"data": "rules: []", "headers": {"Content-Type": "application/yaml"}},
        *({"json": body} for body in jsons),
    ]


SILENCE = b"\xff" * 8000

QUERIES = ["", f"?call_id={LIVE}&track=agent", "?tracks=agent,customer", "?on_gap=skip", "?state=ended", "?text=quokka"]


def asked(method: str) -> list[tuple[str, dict[str, Any]]]:
    """Queries and bodies for an address: every query without a body and with audio, every body without a query."""
    if method in SAFE_METHODS:
        return [(query, {}) for query in QUERIES]
    nothing, *audio = bodies()[:3]
    some = [(query, body) for query in QUERIES[1:] for body in (nothing, *audio)]
    return some + [("", body) for body in bodies()]


def test_no_route_tells_a_key_that_may_only_send_of_anothers_call(
    valkey: Server, line: Line, spy: dict[str, str], store: redis.Redis
) -> None:
    app = create_app(Settings(redis_url=valkey.url, key_requests_per_second=10**9))
    before, walked = told(store), 0
    http = app.test_client()
    for rule in app.url_map.iter_rules():
        for path, method in itertools.product(paths(rule), sorted(rule.methods or set())):
            for query, body in asked(method):
                more = {**body, "headers": {**spy, **body.get("headers", {})}}
                answer = http.open(path + query, method=method, **more)
                walked += answer.status_code != 429
                everything = f"{answer.text} {answer.headers}"
                assert not secret_in(everything.replace(query, "")), (method, path, query, body, everything)
    assert walked > 4000
    assert told(store) == before, "it changed the call"


def test_no_route_tells_an_agent_of_anothers_call(
    valkey: Server, line: Line, amy: dict[str, str], store: redis.Redis
) -> None:
    app = create_app(Settings(redis_url=valkey.url))
    http, before = app.test_client(), told(store)
    for rule in app.url_map.iter_rules():
        for path, method in itertools.product(paths(rule), sorted(rule.methods or set())):
            for body in (
                [{}] if method in SAFE_METHODS else [{}, {"json": {"state": "taken"}}, {"json": {"text": "hello"}}]
            ):
                answer = http.open(path, method=method, headers=amy, **cast(Any, body))
                assert not secret_in(answer.text + repr(answer.headers)), (method, path, body)
    assert told(store) == before, "it changed the call"
