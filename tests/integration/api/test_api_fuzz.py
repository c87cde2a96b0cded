"""The API against requests made up from its own OpenAPI document, fitting and not. See also test_api_calls.py.

The document lists every answer, with its form. No answer is a fault of the server, no other call changes, and the store
stays sound. With access on, the API lets in exactly those whom the document lets in. This proves the document as well
as the API. test_access.py has the routes that the document does not name, and more visitors without a right.
"""

from __future__ import annotations

import base64
import os
import string
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pytest
import redis
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from state import keys
from state.people.access import Access
from state.people.accounts import Role
from state.people.sessions import Session
from state.settings import Settings
from tests.harness.invariants import violations
from tests.harness.protocol import Play, contents
from tests.harness.servers import Server
from tests.harness.signing_in import csrf_of
from webapp.api.documents import openapi
from webapp.app import create_app
from webapp.http.audio_forms import KNOWN_TYPES

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def checks_of(path: str, method: str) -> list[Any]:
    """Answers with rules as YAML are text. The checker of schemas would look into the text, so it is left out."""
    as_text = (path, method) in (("/v1/rules", "get"), ("/v1/rules/as-yaml", "post"))
    return [check for check in CHECKS if not (as_text and check is response_schema_conformance)]


EXAMPLES = int(os.environ.get("EARSHOT_FUZZ", "15"))
"""Requests for each operation. EARSHOT_FUZZ=5000 searches long."""


@schemathesis.serializer(*KNOWN_TYPES)
def audio(_context: Any, value: Any) -> Any:
    """Audio is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture
def calls(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two calls: one known to the requests, and one that no request may change."""
    monkeypatch.setattr("webapp.api.decode.PATIENCE_SECONDS", 0)  # the decoder lives and does nothing
    bystander = Play(store, heartbeat_seconds=60)
    bystander.decoder("idle")
    bystander.ingest.create("bystander.0", ["t"], {"agent": "Ann"})
    bystander.put(1, call="bystander.0")

    def beside() -> dict[bytes, object]:
        return {k: v for k, v in contents(store).items() if b"bystander.0" in k and b":listen:" not in k}

    bystander.put(1, call="known")
    before = beside()
    assert len(before) == 3
    yield
    assert beside() == before, "another call was touched"
    assert store.zscore(keys.LIVE, "bystander.0") == 0
    assert violations(store) == []


def schema_of(settings: Settings) -> tuple[Flask, Any]:
    """An application and its schema. Made once a module, because making it costs more than a test's requests."""
    app = create_app(settings)
    return app, schemathesis.openapi.from_wsgi("/v1/openapi.json", app)


@pytest.fixture(scope="module")
def unlocked(valkey: Server) -> Any:
    return schema_of(Settings(redis_url=valkey.url, auth="off"))[1]


@pytest.fixture
def document(unlocked: Any, calls: None) -> Any:
    """The schema of an application that everybody may use. It has the calls above."""
    return unlocked


OPERATIONS = [
    (path, method)
    for path, methods in openapi.build(create_app(Settings(auth="off")))["paths"].items()
    for method in methods
]


def meet(case: Any, samples: int) -> None:
    """Point `case` at the known call, with a fitting body: most requests made up are for calls that do not exist."""
    mine = {"call_id": "known", "track": "t", "seq": 2 + samples % 2, "form": "txt"}
    case.path_parameters |= {name: mine[name] for name in mine.keys() & case.path_parameters.keys()}
    if case.path.endswith("/end") and samples % 2:
        case.body = {"last_seq": {"t": 1}}
    if "chunks" in case.path:
        case.headers["Content-Type"] = "audio/PCMU;rate=8000"
        case.body = bytes(samples)


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=str)
def test_every_answer_is_one_the_document_lists(path: str, method: str, document: Any) -> None:
    statuses = set()

    @given(case=document[path][method].as_strategy(), known=st.booleans(), samples=st.integers(1, 900))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def fuzz(case: Any, known: bool, samples: int) -> None:
        if known and "call_id" in case.path_parameters:
            meet(case, samples)
        statuses.add(case.call_and_validate(checks=checks_of(path, method)).status_code)

    fuzz()
    if path in ("/v1/calls", "/v1/calls/{call_id}/end") or "tracks" in path:
        assert min(statuses) < 300, "no request succeeded, so this proves little"


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=str)
def test_so_is_every_answer_to_what_does_not_fit(path: str, method: str, document: Any) -> None:
    @given(case=document[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def fuzz(case: Any) -> None:
        case.call_and_validate(checks=checks_of(path, method))

    try:
        fuzz()
    except Unsatisfiable:
        pytest.skip("nothing about it can be wrong")


# -- with access on ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visitor:
    """Who asks. shown: a security scheme of the document -> the secret. scopes: None if the secret is worth nothing."""

    shown: dict[str, str]
    scopes: frozenset[str] | None

    def opens(self, security: list[dict[str, list[str]]]) -> bool:
        """Whether the document lets the visitor in."""
        fit = [chain(*one.values()) for one in security if one.keys() <= self.shown.keys()]
        return not security or (self.scopes is not None and any(self.scopes.issuperset(scopes) for scopes in fit))

    def is_known(self, security: list[dict[str, list[str]]]) -> bool:
        """Whether the API recognises the visitor there. It takes a key in the header and a sign-in everywhere."""
        looked_at = {"key", "session"}.union(*security)
        return self.scopes is not None and not looked_at.isdisjoint(self.shown)

    def request(self, schemes: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        """The request's parts with the secrets, at the places that the document names."""
        places: dict[str, dict[str, str]] = {"header": {}, "query": {}, "cookie": {}}
        for name, secret in self.shown.items():
            scheme = schemes[name]
            if scheme["type"] == "apiKey":
                places[scheme["in"]][scheme["name"]] = secret
            elif scheme["scheme"] == "bearer":
                places["header"]["Authorization"] = f"Bearer {secret}"
            else:
                places["header"]["Authorization"] = "Basic " + base64.b64encode(f"any:{secret}".encode()).decode()
        return {"headers": places["header"], "params": places["query"], "cookies": places["cookie"]}


KEYS = ("key", "key_as_password", "key_in_header", "key_in_address")
REASONS = {401: {"no_key", "invalid_key"}, 403: {"scope", "csrf"}}


@pytest.fixture(scope="module")
def locked_app(valkey: Server) -> tuple[Flask, Any]:
    app, schema = schema_of(Settings(redis_url=valkey.url, key_requests_per_second=10**9, twilio_auth_token="12345"))
    schema.config.generation.update(with_security_parameters=False)  # the visitors below ask
    return app, schema


@pytest.fixture
def locked(locked_app: tuple[Flask, Any], store: redis.Redis, calls: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The schema of an application with access on, and its visitors."""
    monkeypatch.setattr("webapp.http.limits.BAD_KEYS_A_MINUTE", 10**9)  # the visitors try without end
    app, schema = locked_app
    assert schema.raw_schema["components"]["securitySchemes"].keys() == {*KEYS, "signature", "session", "page"}
    access = Access(store)
    visitors = [Visitor({}, None)]
    for scope in ("ingest", "read"):
        key = access.api_keys.add(scope, (scope,))
        visitors += [Visitor({place: key}, frozenset({scope})) for place in KEYS]
    for name, scopes in (("dana", {"read", "act"}), ("lee", {"read", "act", "admin"})):
        http = app.test_client()
        with http.session_transaction() as session:
            role: Role = "admin" if "admin" in scopes else "supervisor"
            session["_user_id"] = access.sessions.begin(Session(name=name, role=role, origin="oidc"), 1)
        token = csrf_of(http.get("/").text)
        cookie = http.get_cookie("earshot")
        assert cookie is not None
        visitors.append(Visitor({"session": cookie.value, "page": token}, frozenset(scopes)))
        visitors.append(Visitor({"session": cookie.value}, frozenset(scopes)))
    visitors.append(Visitor({"page": token}, None))
    return schema, visitors


def kept(store: redis.Redis) -> dict[bytes, object]:
    """All that is stored, but counters of limits and when a key was used."""
    passing = (keys.LIMITS, keys.API_KEYS_USED)
    return {key: value for key, value in contents(store).items() if not key.decode().startswith(passing)}


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=str)
def test_whom_the_document_lets_in_is_let_in_and_nobody_else(
    path: str, method: str, locked: Any, store: redis.Redis
) -> None:
    schema, visitors = locked
    schemes = schema.raw_schema["components"]["securitySchemes"]
    security = schema.raw_schema["paths"][path][method]["security"]

    @given(
        case=schema[path][method].as_strategy(),
        known=st.booleans(),
        samples=st.integers(1, 900),
        made_up=st.text(string.ascii_letters + string.digits + "+/=_.-~", max_size=50),
    )
    @settings(
        max_examples=max(1, EXAMPLES // 5),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # an open door lets all in: a search for the smallest request takes minutes
    )
    def fuzz(case: Any, known: bool, samples: int, made_up: str) -> None:
        if known and "call_id" in case.path_parameters:
            meet(case, samples)
        everybody = [*visitors, *(Visitor({scheme: made_up}, None) for scheme in schemes)]
        before = kept(store)
        for visitor in everybody:
            if visitor.opens(security):
                continue
            answer = case.call_and_validate(checks=CHECKS, **visitor.request(schemes))
            assert answer.status_code == (403 if visitor.is_known(security) else 401), visitor
            assert answer.headers["content-type"] == ["application/problem+json"], visitor
            assert answer.json()["reason"] in REASONS[answer.status_code], visitor
        assert kept(store) == before
        for visitor in everybody:
            if visitor.opens(security):
                answer = case.call_and_validate(checks=checks_of(path, method), **visitor.request(schemes))
                assert answer.status_code not in REASONS or answer.json()["reason"] == "another_sender", visitor

    fuzz()
