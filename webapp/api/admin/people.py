"""/v1/accounts, /v1/keys, /v1/sessions: who may come in. For admins; every act is in the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from state.credentials import MAX_AGENT_CHARACTERS, NAME, CredentialError, HashingBusy, Scope
from state.moments import moment
from state.people.accounts import Role
from state.people.administration import Administration
from state.refusal import Unknown
from webapp.access.rights import needs, record, require
from webapp.api.documents.openapi import JSON_BODY, operation
from webapp.http import inputs, refusals
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import Problem
from webapp.schemas import shapes
from webapp.schemas.values import Moment
from webapp.store import store

api = Blueprint("people", __name__, url_prefix="/v1")

Name = Annotated[str, Meta(pattern=NAME, description="1 to 64 letters, digits and . _ @ + -")]


_AGENT = "an agent's name, as telephony sends it in the metadata of the calls"
_TAKEN = "`reason`: refused (the name is taken)."


class ApiAccount(msgspec.Struct):
    """An account with a password."""

    name: str
    role: Role
    made_at: Moment


class ApiAccounts(msgspec.Struct):
    """All of them, by name."""

    accounts: list[ApiAccount]


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """An account to be made."""

    name: Name
    role: Role = "supervisor"
    agent: Annotated[str, Meta(max_length=MAX_AGENT_CHARACTERS, description=_AGENT)] = ""


class NewRole(msgspec.Struct, forbid_unknown_fields=True):
    """What an account may do from now on."""

    role: Role


class ApiPassword(msgspec.Struct):
    """A random password. Nobody can read it again."""

    name: str
    password: str


class ApiKeyShown(msgspec.Struct):
    """An API key by its first characters. made_at: null for one of API_KEYS; used_at: to the minute."""

    name: str
    shown: str
    scopes: list[Scope]
    agent: str
    made_at: Moment | None
    used_at: Moment | None


class ApiKeysShown(msgspec.Struct):
    """All of them, the oldest first."""

    keys: list[ApiKeyShown]


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """A key to be made. ingest: post calls; read: see them; agent: one agent's own, which stands alone and needs
    `agent`. Such a key is also a personal link: /enter#KEY."""

    name: Name
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=2)]
    agent: Annotated[str, Meta(max_length=MAX_AGENT_CHARACTERS, description=_AGENT)] = ""


class ApiKeyMade(msgspec.Struct):
    """A new key. Nobody can read it again."""

    name: str
    key: str


class ApiSignIn(msgspec.Struct):
    """A session. issuer and subject: of a person of the OpenID Connect provider; of an account, ""."""

    name: str
    origin: str
    role: Role
    since: Moment
    until: Moment
    address: str
    issuer: str
    subject: str


class ApiSignIns(msgspec.Struct):
    """All of them, by name."""

    sessions: list[ApiSignIn]


@api.get("/accounts")
@operation("List the accounts", {200: ApiAccounts})
@needs("admin")
def list_accounts() -> Response:
    """People who come through OpenID Connect have none."""
    inputs.query()
    found = store().access.users.all()
    return as_json(ApiAccounts([ApiAccount(one.name, one.role, moment(one.created_at_ms)) for one in found]))


@api.post("/accounts")
@operation(
    "Make an account", {200: ApiPassword}, {409: "`reason`: refused (the name is taken).", **JSON_BODY}, body=NewAccount
)
@needs("admin")
def add_account() -> Response:
    """With a random password, which only this answer has."""
    inputs.query()
    asked = inputs.json_body(NewAccount)
    with _refusing():
        password = _acting().add_account(asked.name, asked.role, agent=asked.agent)
    return as_json(ApiPassword(asked.name.lower(), password))


@api.patch("/accounts/<name>")
@operation(
    "Set an account's role",
    {200: ApiAccounts},
    {404: "No such account.", 409: "`reason`: yourself.", **JSON_BODY},
    body=NewRole,
)
@needs("admin")
def set_role(name: str) -> Response:
    """Its sessions end. Nobody can take the role from themselves, so there is always an admin."""
    inputs.query()
    asked = inputs.json_body(NewRole)
    _not_oneself(name)
    with _refusing():
        _acting().set_role(name, asked.role)
    return list_accounts()


@api.post("/accounts/<name>/password")
@operation("Give an account a new password", {200: ApiPassword}, {404: "No such account."})
@needs("admin")
def new_password(name: str) -> Response:
    """A random password, which only this answer has. All sessions of the account end."""
    inputs.query()
    with _refusing():
        password = _acting().new_password(name)
    return as_json(ApiPassword(name.lower(), password))


@api.delete("/accounts/<name>")
@operation("Remove an account", {200: ApiAccounts}, {404: "No such account.", 409: "`reason`: yourself."})
@needs("admin")
def remove_account(name: str) -> Response:
    """Its sessions end. Nobody can remove themselves, so there is always an admin."""
    inputs.query()
    _not_oneself(name)
    with _refusing():
        _acting().remove_account(name)
    return list_accounts()


@api.get("/keys")
@operation("List the API keys", {200: ApiKeysShown})
@needs("admin")
def list_keys() -> Response:
    """Their names and first characters; and when each was last used."""
    inputs.query()
    found = [
        ApiKeyShown(
            one.name,
            one.shown,
            list(one.scopes),
            one.agent,
            shapes.moment_or_none(one.created_at_ms or None),
            shapes.moment_or_none(one.used_at_ms),
        )
        for one in store().access.api_keys.all()
    ]
    return as_json(ApiKeysShown(found))


@api.post("/keys")
@operation("Make an API key", {200: ApiKeyMade}, {409: _TAKEN, **JSON_BODY}, body=NewKey)
@needs("admin")
def add_key() -> Response:
    """Only this answer has it."""
    inputs.query()
    asked = inputs.json_body(NewKey)
    with _refusing():
        key = _acting().add_key(asked.name, tuple(sorted(set(asked.scopes))), asked.agent)
    return as_json(ApiKeyMade(asked.name.lower(), key))


@api.delete("/keys/<name>")
@operation("Revoke an API key", {200: ApiKeysShown}, {404: "No such key here; one of API_KEYS is not."})
@needs("admin")
def revoke_key(name: str) -> Response:
    """It is void at once on all processes."""
    inputs.query()
    with _refusing():
        _acting().revoke_key(name)
    return list_keys()


@api.get("/sessions")
@operation("List who is signed in", {200: ApiSignIns})
@needs("admin")
def list_sessions() -> Response:
    """All sign-ins that are good."""
    inputs.query()
    found = []
    for one in store().access.sessions.all():
        when = moment(one.begun_at_ms), moment(one.until_ms)
        found.append(ApiSignIn(one.name, one.origin, one.role, *when, one.address, one.issuer, one.subject))
    return as_json(ApiSignIns(found))


@api.delete("/sessions/<name>")
@operation("Sign somebody out", {200: ApiSignIns}, {404: "Nobody is signed in by that name."})
@needs("admin")
def end_sessions(name: str) -> Response:
    """All sessions of this name; open pages close within seconds."""
    inputs.query()
    with _refusing():
        _acting().sign_out(name)
    return list_sessions()


def _acting() -> Administration:
    return Administration(store().access, record)


@contextmanager
def _refusing() -> Iterator[None]:
    """An act that cannot be done, as a problem."""
    try:
        yield
    except Unknown as refusal:
        raise Problem(404, "unknown", refusals.sentence(refusal)) from None
    except CredentialError as refusal:
        raise Problem(409, "refused", refusals.sentence(refusal)) from None
    except HashingBusy:
        raise Problem(429, "busy", _("Too many passwords are being made right now. Try again."), retry=True) from None


def _not_oneself(name: str) -> None:
    who = require("admin")
    if who.origin == "account" and who.name == name.lower():
        raise Problem(409, "yourself", _("Another admin must do that, so that one is always left."))
