"""Accounts, keys and sign-ins by API: what admins do works at once and stands in the trail."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from state.people.access import Access
from state.people.audit import Audit
from state.settings import Settings
from tests.harness.api import problem
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, sign_in, try_sign_in
from webapp.app import create_app


@pytest.fixture
def app(valkey: Server, store: redis.Redis) -> Any:
    Access(store).users.add("lee", "admin", PASSWORD)
    return create_app(Settings(redis_url=valkey.url, api_keys="env:read:given-in-the-environment"))


@pytest.fixture
def admin(app: Any) -> FlaskClient:
    """A signed-in admin, whose requests all carry the page's token."""
    http: FlaskClient = app.test_client()
    sign_in(http, "lee")
    token = http.get("/admin/accounts").text.partition('name="csrf-token" content="')[2].partition('"')[0]
    http.environ_base |= {"HTTP_X_CSRF_TOKEN": token, "HTTP_ORIGIN": "http://localhost"}
    return http


def done(store: redis.Redis) -> list[tuple[str, str, str]]:
    """What the trail says, oldest first, without the sign-ins."""
    told = [(entry.deed.who, entry.deed.what, entry.deed.about) for entry in Audit(store).newest(50, ["security"])]
    return [one for one in reversed(told) if one[1] != "sign-in"]


def test_an_account_is_made_used_changed_and_removed(app: Any, admin: FlaskClient, store: redis.Redis) -> None:
    made = admin.post("/v1/accounts", json={"name": "Dana"}).get_json()
    assert made["name"] == "dana" and len(made["password"]) >= 20
    dana = app.test_client()
    assert try_sign_in(dana, "dana", made["password"]).status_code == 303
    assert dana.get("/v1/accounts").status_code == 403
    listed = admin.patch("/v1/accounts/dana", json={"role": "admin"}).get_json()["accounts"]
    assert [(one["name"], one["role"]) for one in listed] == [("dana", "admin"), ("lee", "admin")]
    assert dana.get("/v1/session").status_code == 401, "a new role begins with a new sign-in"
    renewed = admin.post("/v1/accounts/dana/password").get_json()["password"]
    assert try_sign_in(app.test_client(), "dana", made["password"]).status_code == 403
    assert try_sign_in(dana, "dana", renewed).status_code == 303
    assert [one["name"] for one in admin.delete("/v1/accounts/dana").get_json()["accounts"]] == ["lee"]
    assert dana.get("/v1/session").status_code == 401
    assert done(store) == [
        ("lee", "user-added", "dana (supervisor)"),
        ("lee", "role-set", "dana (admin)"),
        ("lee", "password-set", "dana"),
        ("lee", "user-removed", "dana"),
    ]
    assert made["password"] not in str(admin.get("/v1/audit").text)


def test_a_key_is_made_used_and_revoked(app: Any, admin: FlaskClient, store: redis.Redis) -> None:
    made = admin.post("/v1/keys", json={"name": "pbx", "scopes": ["read", "ingest"]}).get_json()
    other = app.test_client()
    assert other.get("/v1/calls", headers=bearer(made["key"])).status_code == 200
    listed = admin.get("/v1/keys").get_json()["keys"]
    assert [(one["name"], one["shown"], one["scopes"]) for one in listed] == [
        ("env", "", ["read"]),
        ("pbx", made["key"][:10], ["ingest", "read"]),
    ]
    assert made["key"] not in admin.get("/v1/keys").text and listed[1]["used_at"]
    problem(admin.post("/v1/keys", json={"name": "pbx", "scopes": ["read"]}), 409, "refused")
    assert len(admin.delete("/v1/keys/pbx").get_json()["keys"]) == 1
    assert other.get("/v1/calls", headers=bearer(made["key"])).status_code == 401
    assert "API_KEYS" in problem(admin.delete("/v1/keys/env"), 404, "unknown")["detail"]
    assert done(store) == [("lee", "key-made", "pbx (ingest+read)"), ("lee", "key-revoked", "pbx")]


def test_somebody_is_signed_out(app: Any, admin: FlaskClient, store: redis.Redis) -> None:
    Access(store).users.add("dana", "supervisor", PASSWORD)
    dana = app.test_client()
    sign_in(dana, "dana")
    listed = admin.get("/v1/sessions").get_json()["sessions"]
    assert [(one["name"], one["address"]) for one in listed] == [("dana", "203.0.113.7"), ("lee", "203.0.113.7")]
    assert [one["name"] for one in admin.delete("/v1/sessions/dana").get_json()["sessions"]] == ["lee"]
    assert dana.get("/v1/session").status_code == 401
    problem(admin.delete("/v1/sessions/dana"), 404, "unknown")
    assert done(store) == [("lee", "signed-out", "dana")]


def test_an_admin_is_always_left_and_a_name_that_cannot_be_changes_nothing(
    admin: FlaskClient, store: redis.Redis
) -> None:
    problem(admin.delete("/v1/accounts/Lee"), 409, "yourself")
    problem(admin.patch("/v1/accounts/lee", json={"role": "supervisor"}), 409, "yourself")
    problem(admin.post("/v1/accounts", json={"name": "lee", "role": "admin"}), 409, "refused")
    problem(admin.post("/v1/accounts", json={"name": "x y"}), 400, "invalid")
    problem(admin.post("/v1/keys", json={"name": "x", "scopes": []}), 400, "invalid")
    problem(admin.delete("/v1/accounts/nobody"), 404, "unknown")
    problem(admin.post("/v1/accounts/nobody/password"), 404, "unknown")
    assert done(store) == [] and [user.name for user in Access(store).users.all()] == ["lee"]
    del admin.environ_base["HTTP_X_CSRF_TOKEN"]
    problem(admin.post("/v1/accounts", json={"name": "eve"}), 403, "csrf")
    assert [user.name for user in Access(store).users.all()] == ["lee"]
