"""Where a program gets problem details, a browser gets a page with the same facts and a way on."""

from __future__ import annotations

import json
import re

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from state.people.access import Access
from state.settings import Settings
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, sign_in
from webapp.access.rights import public
from webapp.app import create_app

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}


@pytest.fixture
def http(valkey: Server, store: redis.Redis) -> FlaskClient:
    Access(store).users.add("dana", "supervisor", PASSWORD)
    made = create_app(Settings(redis_url=valkey.url)).test_client()
    sign_in(made, "dana")
    return made


def page(answer: TestResponse, status: int) -> str:
    """The words of a page, without its tags."""
    assert (answer.status_code, answer.content_type) == (status, "text/html; charset=utf-8"), answer.text
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "Accept" in answer.headers["Vary"]
    body = answer.text.partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_an_address_that_is_not_there_gets_a_page_with_a_way_back(http: FlaskClient) -> None:
    answer = http.get("/histroy", headers=BROWSER)
    said = page(answer, 404)
    assert said.startswith("There is nothing at this address")
    assert "To the calls" in said and '<a class="provider" href="/">' in answer.text
    assert "404 Not Found: /histroy" in said


def test_a_call_that_is_not_there_says_so(http: FlaskClient) -> None:
    said = page(http.get("/v1/calls/gone", headers=BROWSER), 404)
    problem = json.loads(http.get("/v1/calls/gone").text)
    assert problem["detail"] in said and problem["reason"] in said and problem["instance"] in said


def test_a_page_for_admins_tells_a_supervisor_who_can_help(http: FlaskClient) -> None:
    said = page(http.get("/admin/accounts", headers=BROWSER), 403)
    assert said.startswith("You may not do this") and "administrator" in said


def test_a_form_that_was_too_old_says_that_nothing_changed(http: FlaskClient) -> None:
    said = page(http.post("/sign-out", data={"csrf_token": "old"}, headers=BROWSER), 403)
    assert "Nothing has changed" in said and "Try again " not in said
    assert http.get("/v1/session").status_code == 200


def test_a_stranger_gets_the_sign_in_with_the_way_back(valkey: Server, http: FlaskClient) -> None:
    stranger = http.application.test_client()
    answer = stranger.get("/v1/calls/call-1?form=txt", headers=BROWSER)
    assert page(answer, 401).startswith("You are not signed in")
    assert 'href="/sign-in?next=/v1/calls/call-1?form%3Dtxt"' in answer.text.replace("%3F", "?")


def test_a_fault_of_ours_and_a_store_that_is_away_offer_another_try(
    http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    @public
    def fails() -> None:
        raise RuntimeError("a bug")

    @public
    def away() -> None:
        raise redis.ConnectionError("away")

    for fault, status, words in ((fails, 500, "Something went wrong here"), (away, 503, "Not there at the moment")):
        monkeypatch.setitem(http.application.view_functions, "pages.agents", fault)
        answer = http.get("/agents?sort=name", headers=BROWSER)
        assert page(answer, status).startswith(words)
        assert 'href="/agents?sort=name">Try again' in answer.text
    assert int(answer.headers["Retry-After"]) > 0


def test_what_somebody_typed_stands_there_as_text(http: FlaskClient) -> None:
    answer = http.get("/<script>alert(1)</script>", headers=BROWSER)
    assert "<script>alert" not in answer.text and "&lt;script&gt;" in answer.text


@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "application/json", "application/json, text/html;q=0.9", "application/problem+json, text/html"],
)
def test_programs_get_problem_details(accept: str, http: FlaskClient) -> None:
    answer = http.get("/v1/calls/gone", headers={"Accept": accept} if accept else bearer("no-key"))
    assert answer.content_type == "application/problem+json"
    assert "Accept" in answer.headers["Vary"]
