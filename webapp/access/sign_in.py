"""Signing in and out: with a password, through an OpenID Connect provider, or by an agent's personal link."""

from __future__ import annotations

import re
from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, session
from flask_login import current_user, login_user, logout_user
from flask_wtf.csrf import generate_csrf

from state.credentials import HashingBusy, digest
from state.people.audit import Deed
from state.people.sessions import Session, link_name
from webapp.access import identity, oidc, rights
from webapp.access.cookies import SignedIn
from webapp.access.rights import needs, public
from webapp.http.language import _, later
from webapp.http.problems import RETRY_AFTER_SECONDS, Problem
from webapp.store import store

pages = Blueprint("sign_in", __name__)

PATH = "/sign-in"
BUSY = later("Too many people are signing in right now. Try again.")

MAX_FORM_BYTES = 16 * 1024
MAX_NEXT_CHARACTERS = 2000
_NEXT = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*")
"""A path on this host. "//host" and "/\\host" lead elsewhere."""


def safe_next(given: str | None) -> str:
    """The page after signing in: `given` if it is on this host, else the table."""
    return given if given and len(given) <= MAX_NEXT_CHARACTERS and _NEXT.fullmatch(given) else "/"


def csrf_token() -> str:
    """The address for a form of this page."""
    return str(generate_csrf(secret_key=store().access.secret()))


@pages.get(PATH)
@public
def form() -> Response:
    """The form. People who are signed in already go on at once."""
    leads_to = safe_next(request.args.get("next"))
    if identity.identify() is not None:
        return cast(Response, redirect(leads_to))
    ended = _("You are signed out. Sign in, and you come back to where you were.") if "ended" in request.args else ""
    return _form(leads_to, ended)


@pages.post(PATH)
@public
def sign_in() -> Response:
    """Check a password. A wrong name, a wrong password and a missing account get the same answer."""
    request.max_content_length = MAX_FORM_BYTES
    leads_to = safe_next(request.form.get("next"))
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    try:
        rights.check_form()
    except Problem as refusal:
        message = _("This form was too old. Try again.") if refusal.reason == "csrf" else refusal.detail
        return _form(leads_to, message, 403)
    here, address = store(), identity.address()
    told = re.sub(r"[^\x21-\x7e]", "?", name)[:64]  # the name that a stranger typed, for the trail
    wait_seconds = here.limits.try_account(name.lower(), address)
    if wait_seconds:
        _attempt(Deed(told, "sign-in-locked", "", address, "stranger"), name)
        return _locked(leads_to, wait_seconds)
    try:
        user = here.access.users.check(name, password)
    except HashingBusy:
        here.limits.not_tried(name.lower(), address)
        answer = _form(leads_to, _(BUSY), 429)
        answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer
    if user is None:
        _attempt(Deed(told, "sign-in-failed", "", address, "stranger"), name)
        return _form(leads_to, _("Wrong name or password."), 403, name)
    here.limits.succeeded(user.name, address)
    agent = (user.agent or user.name) if user.role == "agent" else ""
    begun = Session(name=user.name, role=user.role, origin="account", stamp=user.stamp, address=address, agent=agent)
    return _begin(begun, here.settings.session_hours, "password", leads_to)


@pages.post("/sign-out")
@needs(None, page=True)
def sign_out() -> Response:
    """End the session on all processes."""
    who = rights.require(None)
    rights.record("sign-out")
    store().access.sessions.end(who.credential)
    logout_user()
    session.clear()
    return cast(Response, redirect(rights.sign_in_url(), 303))


@pages.get("/sign-in/oidc")
@public
def oidc_begin() -> Response:
    """Send the browser to the provider."""
    session["next"] = safe_next(request.args.get("next"))
    try:
        return oidc.begin()
    except oidc.ProviderFailed as error:
        return _form(session["next"], str(error), 502)


@pages.get("/sign-in/oidc/callback")
@public
def oidc_end() -> Response:
    """Take a person who comes back from the provider."""
    here, address = store(), identity.address()
    leads_to = safe_next(session.get("next"))
    try:
        person, role = oidc.end()
    except oidc.ProviderFailed as error:
        return _form(leads_to, str(error), 502)
    except oidc.NotWelcome as refusal:
        deed = Deed(refusal.who.name, "sign-in-failed", _identity(refusal.who), address, "oidc")
        here.audit.record_attempt(deed)
        return _form(leads_to, str(refusal), 403)
    begun = Session(
        name=person.name, role=role, origin="oidc", issuer=person.issuer, subject=person.subject, address=address
    )
    hours = min(here.settings.oidc_session_hours, here.settings.session_hours)
    return _begin(begun, hours, _identity(person), leads_to)


@pages.get("/enter")
@public
def enter() -> str:
    """The page of a personal link. The key comes after the address's #, which no browser sends and no proxy logs."""
    return render_template("enter.html", csrf_token=csrf_token(), message="")


@pages.post("/enter")
@public
def enter_by_link() -> Response:
    """Sign an agent in by the key of a personal link. Only an agent's own key signs anybody in."""
    request.max_content_length = MAX_FORM_BYTES
    rights.check_form()
    here, key, address = store(), request.form.get("key", ""), identity.address()
    found = here.access.api_keys.find(key)
    if found is None or found.scopes != ("agent",):
        status = 403 if here.limits.bad_key(address) else 429
        said = _("This link is void. Ask for a new one.")
        return make_response(render_template("enter.html", csrf_token=csrf_token(), message=said), status)
    name = link_name(found.name)
    begun = Session(name=name, role="agent", origin="key", stamp=digest(key), address=address, agent=found.agent)
    return _begin(begun, here.settings.session_hours, "link", rights.DESK)


def _identity(person: oidc.Person) -> str:
    """Issuer and subject for the trail."""
    return f"{person.issuer} {person.subject}"


def _attempt(deed: Deed, name: str) -> None:
    here = store()
    user = here.access.users.find(name)
    here.audit.record_attempt(deed, user.name if user else "")


def _begin(new: Session, hours: int, how: str, leads_to: str) -> Response:
    """Record the sign-in, begin a session, and put its token into an empty cookie.

    The browser's earlier session ends: otherwise nobody could end it or know of it.
    """
    here = store()
    wait_seconds = here.limits.signs_in(new.name)
    if wait_seconds:
        return _locked(leads_to, wait_seconds)
    if current_user.is_authenticated:
        here.access.sessions.end(cast(SignedIn, current_user).token)
    here.audit.record(Deed(new.name, "sign-in", how, new.address, new.origin))
    token = here.access.sessions.begin(new, hours)
    found = here.access.sessions.find(token)
    if found is None:
        raise Problem(503, "try_again", _("Somebody changed the account just now. Sign in again."), retry=True)
    session.clear()
    login_user(SignedIn(token, found))
    return cast(Response, redirect(leads_to, 303))


def _locked(leads_to: str, wait_seconds: int) -> Response:
    """Too often."""
    answer = _form(leads_to, _("Too many attempts. Try again in {minutes} min.", minutes=-(-wait_seconds // 60)), 429)
    answer.headers["Retry-After"] = str(wait_seconds)
    return answer


def _form(leads_to: str, message: str, status: int = 200, name: str = "") -> Response:
    here = store()
    page = render_template(
        "sign-in.html",
        csrf_token=csrf_token(),
        leads_to=leads_to,
        message=message,
        name=name,
        with_oidc=bool(here.settings.oidc_issuer),
        with_password=bool(here.access.users.all()),
    )
    return make_response(page, status)
