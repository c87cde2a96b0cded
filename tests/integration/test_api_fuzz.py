"""The API against what a machine makes of its own OpenAPI document, fitting and not: see also test_api_calls.py.

Every answer is one the document lists, in the form it says, and never a fault of ours; a call beside it does not
change, and the store stays sound.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scripts.invariants import violations
from state import keys
from state.settings import Settings
from tests.protocol import Play, contents
from tests.servers import Server
from webapp import openapi
from webapp.app import create_app
from webapp.audio_forms import KNOWN_TYPES

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def checks_of(path: str, method: str) -> list[Any]:
    """The rules are YAML, told as the text they were saved as: the checker would look at what the text means."""
    as_text = (path, method) == ("/v1/rules", "get")
    return [check for check in CHECKS if not (as_text and check is response_schema_conformance)]


EXAMPLES = int(os.environ.get("EARSHOT_FUZZ", "15"))
"""Requests an operation. EARSHOT_FUZZ=5000 for a long hunt."""


@schemathesis.serializer(*KNOWN_TYPES)
def audio(_context: Any, value: Any) -> Any:
    """Audio is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture
def document(valkey: Server, store: redis.Redis) -> Iterator[Any]:
    """The schema of an application with one call that nobody touches."""
    bystander = Play(store)
    bystander.ingest.create("bystander.0", ["t"], {"agent": "Ann"})
    bystander.put(1, call="bystander.0")

    def beside() -> dict[bytes, object]:
        return {k: v for k, v in contents(store).items() if b"bystander.0" in k and b":listen:" not in k}

    bystander.put(1, call="known")
    before = beside()
    assert len(before) == 3
    app = create_app(Settings(redis_url=valkey.url, auth="off"))
    yield schemathesis.openapi.from_wsgi("/v1/openapi.json", app)
    assert beside() == before, "another call was touched"
    assert store.zscore(keys.LIVE, "bystander.0") == 0
    assert violations(store) == []


OPERATIONS = [
    (path, method)
    for path, methods in openapi.build(create_app(Settings(auth="off")))["paths"].items()
    for method in methods
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=str)
def test_every_answer_is_one_the_document_lists(path: str, method: str, document: Any) -> None:
    statuses = set()

    @given(case=document[path][method].as_strategy(), known=st.booleans(), samples=st.integers(1, 900))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def fuzz(case: Any, known: bool, samples: int) -> None:
        if known and "call_id" in case.path_parameters:  # not only calls that nobody has heard of
            mine = {"call_id": "known", "track": "t", "seq": 2 + samples % 2, "form": "txt"}
            case.path_parameters |= {name: mine[name] for name in mine.keys() & case.path_parameters.keys()}
            if path.endswith("/end") and samples % 2:
                case.body = {"last_seq": {"t": 1}}
            if "chunks" in path:
                case.headers["Content-Type"] = "audio/PCMU;rate=8000"
                case.body = bytes(samples)
        statuses.add(case.call_and_validate(checks=checks_of(path, method)).status_code)

    fuzz()
    if path in ("/v1/calls", "/v1/calls/{call_id}/end") or "tracks" in path:
        assert min(statuses) < 300, "nothing got through: this proves little"


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
