"""Guessing passwords is slow, stands in the trail, and shuts nobody else out."""

from __future__ import annotations

import threading

import pytest
import redis
from flask.testing import FlaskClient

from state.credentials import HashingBusy
from state.people import audit
from state.people.access import Access
from state.people.accounts import Users
from state.people.audit import Audit
from tests.harness.routes import client
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, client_of, csrf_of, sign_in, signed_in, trail, try_sign_in
from webapp.app import create_app
from webapp.http import limits


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(http: FlaskClient, store: redis.Redis) -> None:
    wrong = [try_sign_in(http, name, password) for name, password in (("dana", "wrong"), ("nobody", PASSWORD))]
    assert [answer.status_code for answer in wrong] == [403, 403]
    texts = [
        answer.text.replace(csrf_of(answer.text), "").replace('value="nobody"', 'value="dana"') for answer in wrong
    ]
    assert texts[0] == texts[1] and not signed_in(http)
    assert trail(store) == [
        ("dana", "sign-in-failed", "", "203.0.113.7"),
        ("nobody", "sign-in-failed", "", "203.0.113.7"),
    ]


def test_what_a_stranger_types_for_a_name_is_no_danger_in_the_trail(http: FlaskClient, store: redis.Redis) -> None:
    try_sign_in(http, "eve\x1b[2J\n" + "x" * 500, "wrong")
    [(who, *_)] = trail(store)
    assert who.isprintable() and len(who) <= 64


def test_guessing_locks_the_account_out_for_that_address_even_with_the_right_password(
    valkey: Server, accounts: Access, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TRIES_OF_ACCOUNT_AND_ADDRESS", 3)
    here, there = client(valkey), client(valkey)
    assert [try_sign_in(here, "dana", "wrong").status_code for _ in range(3)] == [403] * 3
    for process in (here, there):
        locked = try_sign_in(process, "DANA")
        assert locked.status_code == 429 and 0 < int(locked.headers["Retry-After"]) <= 15 * 60
        assert not signed_in(process)
    assert try_sign_in(there, "dana", address="203.0.113.8").status_code == 303, (
        "the owner, at another address, still signs in"
    )
    told = [what for _, what, *_ in trail(store)]
    assert told == ["sign-in-failed"] * 3 + ["sign-in-locked"] * 2 + ["sign-in"]


def test_many_addresses_together_lock_an_account_out_too(
    valkey: Server, accounts: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TRIES_OF_ACCOUNT", 3)
    http = client(valkey)
    assert [try_sign_in(http, "dana", "wrong", f"203.0.113.{n}").status_code for n in range(4)] == [403, 403, 403, 429]
    assert try_sign_in(http, "nobody", "wrong", "203.0.113.9").status_code == 403


def test_an_address_that_tries_many_names_is_locked_out_and_others_are_not(
    valkey: Server, accounts: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FAILURES_OF_ADDRESS", 3)
    http = client(valkey)
    tries = [try_sign_in(http, f"name-{n}", "wrong", "2001:db8::1").status_code for n in range(4)]
    assert tries == [403, 403, 403, 429]
    assert try_sign_in(http, "dana", address="2001:db8::ffff").status_code == 429, (
        "it is in the same customer's network"
    )
    assert try_sign_in(http, "dana", address="2001:db8:0:1::1").status_code == 303


def test_who_signs_in_while_too_many_do_is_asked_to_try_again(
    http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise HashingBusy

    with monkeypatch.context() as patched:
        patched.setattr(Users, "check", busy)
        answer = try_sign_in(http, "dana")
    assert (answer.status_code, answer.mimetype) == (429, "text/html") and answer.headers["Retry-After"]
    assert "Too many people" in answer.text and csrf_of(answer.text)
    sign_in(http, "dana")


def test_who_is_locked_out_cannot_flood_the_trail_with_names(
    valkey: Server, accounts: Access, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FAILURES_OF_ADDRESS", 3)
    http = client(valkey)
    monkeypatch.setattr(audit, "FOLDED_A_DAY", 10)
    sign_in(client_of(http), "dana")
    assert {try_sign_in(http, f"name-{n}", "wrong").status_code for n in range(40)} == {403, 429}
    try_sign_in(http, "dana", "wrong", address="203.0.113.8")
    told = Audit(store).read("attempts", 100)
    assert len(told) == 10 + 1 + 1 and sum(entry.count for entry in told) == 41
    assert {entry.deed.origin for entry in told} == {"stranger"}
    assert [(e.deed.who, e.deed.address) for e in told if e.deed.who == "dana"] == [("dana", "203.0.113.8")]
    assert [e.count for e in told if e.deed.who == "(others)"] == [30]
    assert [entry.deed.what for entry in Audit(store).read("security", 100)] == ["sign-in"]


def test_somebody_who_may_sign_in_cannot_flood_the_trail_with_it(
    http: FlaskClient, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SIGN_INS_OF_PERSON", 3)
    app = create_app(http.application.extensions["earshot"].settings)
    assert [try_sign_in(app.test_client(), "dana").status_code for _ in range(5)] == [303] * 3 + [429] * 2
    assert [what for _, what, *_ in trail(store)] == ["sign-in"] * 3


def test_the_right_password_forgives_what_was_mistyped_before(
    valkey: Server, accounts: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TRIES_OF_ACCOUNT_AND_ADDRESS", 3)
    http = client(valkey)
    for _ in range(2):
        assert [try_sign_in(client_of(http), "dana", "wrong").status_code for _ in range(2)] == [403] * 2
        assert try_sign_in(client_of(http), "dana").status_code == 303


def test_guesses_at_the_same_moment_are_counted_like_those_one_after_another(
    valkey: Server, accounts: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TRIES_OF_ACCOUNT_AND_ADDRESS", 3)
    http = client(valkey)
    statuses: list[int] = []
    guessers = [
        threading.Thread(target=lambda: statuses.append(try_sign_in(client_of(http), "dana", "wrong").status_code))
        for _ in range(8)
    ]
    for guesser in guessers:
        guesser.start()
    for guesser in guessers:
        guesser.join()
    assert set(statuses) <= {403, 429}, "those who find no place are refused at once"
    statuses += [try_sign_in(client_of(http), "dana", "wrong").status_code for _ in range(3)]
    assert statuses.count(403) == 3
