"""GET /v1/calls/{id}/transcript.{form} against a real server."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from webapp.api.exports import MEDIA_TYPES


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_a_transcript_is_a_file_named_after_its_call(http: FlaskClient, form: str) -> None:
    http.post("/v1/calls", json={"call_id": "c-1", "metadata": {"agent": "Dana"}})
    answer = http.get(f"/v1/calls/c-1/transcript.{form}")
    assert answer.status_code == 200
    assert answer.content_type == MEDIA_TYPES[form]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="c-1.{form}"'
    assert form != "txt" or "agent: Dana" in answer.text


@pytest.mark.parametrize(
    ("path", "reason"), [("nobody/transcript.txt", "unknown_call"), ("c-1/transcript.exe", "unknown_form")]
)
def test_what_is_not_there_is_a_404_that_says_what(http: FlaskClient, path: str, reason: str) -> None:
    http.post("/v1/calls", json={"call_id": "c-1"})
    answer = http.get(f"/v1/calls/{path}")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.get_json(force=True)["reason"] == reason
