"""Signing in, as a browser does."""

from __future__ import annotations

import re

import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from state.people.audit import Audit

PASSWORD = "correct horse battery staple"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def csrf_of(page: str) -> str:
    """The token in a page's form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found[1]


def try_sign_in(
    http: FlaskClient, name: str, password: str = PASSWORD, address: str = "203.0.113.7", **fields: str
) -> TestResponse:
    """Fill in the form and send it."""
    where = {"REMOTE_ADDR": address}
    token = csrf_of(http.get("/sign-in", environ_base=where).text)
    form = {"csrf_token": token, "name": name, "password": password, **fields}
    return http.post("/sign-in", data=form, environ_base=where)


def sign_in(http: FlaskClient, name: str) -> None:
    """Sign in. Fails if the server refuses."""
    assert try_sign_in(http, name).status_code == 303


def signed_in(http: FlaskClient) -> bool:
    """Whether the client has a session."""
    return http.get("/v1/session").status_code == 200


def trail(store: redis.Redis) -> list[tuple[str, str, str, str]]:
    """The audit trail without reads, oldest first. A repeated act stands in it as often as it happened."""
    entries = reversed(Audit(store).newest(1000, ("security", "acts", "attempts")))
    told = [((e.deed.who, e.deed.what, e.deed.about, e.deed.address), e.count) for e in entries]
    return [deed for deed, count in told for _ in range(count)]


def client_of(http: FlaskClient) -> FlaskClient:
    """Another browser at the same process."""
    return http.application.test_client()
