"""A page speaks the browser's language; a program gets English."""

from __future__ import annotations

import json
import re

import redis

from state.people.access import Access
from tests.harness.routes import client
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, csrf_of


def accepting(languages: str) -> dict[str, str]:
    return {"Accept-Language": languages}


def test_the_sign_in_page_speaks_the_browsers_language(valkey: Server, store: redis.Redis) -> None:
    Access(store).users.add("dana", "supervisor", PASSWORD)
    http = client(valkey)
    for wanted, language, button in (
        ("de-AT,de;q=0.9,en;q=0.8", "de", "Anmelden"),
        ("fr,de;q=0.3", "de", "Anmelden"),
        ("en-GB,de;q=0.9", "en", "Sign in"),
        ("fr", "en", "Sign in"),
        ("*", "en", "Sign in"),
        ("", "en", "Sign in"),
    ):
        page = http.get("/sign-in", headers=accepting(wanted))
        assert f'<html lang="{language}"' in page.text and f"<button>{button}</button>" in page.text, wanted
        assert page.headers["Content-Language"] == language
        assert "Accept-Language" in page.headers["Vary"]


def test_what_the_server_says_of_a_sign_in_is_in_that_language_too(valkey: Server, store: redis.Redis) -> None:
    Access(store).users.add("dana", "supervisor", PASSWORD)
    http = client(valkey)
    form = {"csrf_token": csrf_of(http.get("/sign-in").text), "name": "dana", "password": "wrong"}
    assert "Name oder Passwort ist falsch." in http.post("/sign-in", data=form, headers=accepting("de")).text


def test_only_another_language_brings_the_scripts_texts(valkey: Server, store: redis.Redis) -> None:
    http = client(valkey)
    assert 'id="texts"' not in http.get("/sign-in", headers=accepting("en")).text
    page = http.get("/enter", headers=accepting("de")).text
    [carried] = re.findall(r'<script type="application/json" id="texts">(.*?)</script>', page)
    assert json.loads(carried)["This link is not whole. Open it as it was sent to you."].startswith("Dieser Link ")


def test_a_page_is_refused_in_its_language_and_a_program_in_english(valkey: Server, store: redis.Redis) -> None:
    http = client(valkey, auth="off", api_keys="telephony:read:esk_0123456789abcdef0123456789abcdef")
    wanted = {**accepting("de"), "Accept": "application/json"}
    page = http.get("/v1/calls/none", headers=wanted)
    assert page.json is not None and page.json["detail"].startswith("Den Anruf none gibt es nicht;")
    assert (page.json["reason"], page.headers["Content-Language"]) == ("unknown_call", "de")
    program = http.get("/v1/calls/none", headers={**wanted, **bearer("esk_0123456789abcdef0123456789abcdef")})
    assert program.json is not None and program.json["detail"].startswith("There is no call none;")
