"""Whether the client may do this. Every view says what it needs. A view that does not say so stops the process at
start.

@api.get("/calls")
@needs("read")                        # an API key of that scope, or for read and admin a signed-in supervisor
def list_calls(): ...

@public                               # anybody
def healthz(): ...

`guard` refuses before the view runs: 401 or 403 as problem details, or for a page the way to the sign-in. A view that
must decide by itself (a socket whose sender signs the request) is `signed` and calls `require`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast
from urllib.parse import urlencode

import redis
from flask import Flask, Response, current_app, redirect, request, session
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from state.people.audit import Deed
from webapp.access import origins
from webapp.access.identity import Identity, address, from_this_machine, identify, unknown
from webapp.http.language import _
from webapp.http.problems import Problem
from webapp.store import store

log = logging.getLogger("earshot.web")

Need = Literal["ingest", "read", "act", "admin", "agent"]
"""act: listen to a call, take it, write notes on it. No key can: the audit trail names a person. agent: read the words
of one's own live call, and ask for help on it; nothing else."""

View = TypeVar("View", bound=Callable[..., Any])

DESK = "/desk"
"""The agents' page. An agent who asks for another page comes here."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Requirement:
    """The rights that a view needs. scope: None means any identity. page: people see it. local: open to this machine
    itself. signed: a sender that signs the request needs no scope, and the view calls `require` for all others."""

    public: bool = False
    scope: Need | None = None
    page: bool = False
    local: bool = False
    signed: bool = False


def public(view: View) -> View:
    """Anybody may call this view."""
    view.requirement = Requirement(public=True)  # type: ignore[attr-defined]
    return view


def needs(
    scope: Need | None, *, page: bool = False, local: bool = False, signed: bool = False
) -> Callable[[View], View]:
    """Only those with `scope` may call this view (None: anybody known). See Requirement."""

    def mark(view: View) -> View:
        view.requirement = Requirement(scope=scope, page=page, local=local, signed=signed)  # type: ignore[attr-defined]
        return view

    return mark


def requirement(view: object) -> Requirement | None:
    """The requirement of `view`, if it has one."""
    return cast(Requirement | None, getattr(view, "requirement", None))


def install(app: Flask) -> None:
    """Guard every view of `app`. Call it when all are registered. Raises LookupError for a view that says nothing."""
    public(app.view_functions["static"])
    for rule in app.url_map.iter_rules():
        if requirement(app.view_functions[rule.endpoint]) is None:
            raise LookupError(f"{rule.rule} says neither @needs nor @public")
    app.before_request(guard)


def guard() -> Response | None:
    """Runs before every request. None if it may go on. Raises Problem, or leads a person to the sign-in."""
    check_host()
    if request.endpoint is None:
        return None  # no such path or method: it shows nothing
    needed = requirement(current_app.view_functions[request.endpoint])
    if needed is None:
        raise LookupError(f"{request.endpoint} says neither @needs nor @public")
    if needed.public or needed.signed or (needed.local and from_this_machine()):
        return None
    if needed.page and identify() is None:
        asked = request.full_path.rstrip("?") if request.method in SAFE_METHODS else "/"
        return cast(Response, redirect(sign_in_url(asked, "_user_id" in session)))
    who = identify() if needed.page and request.method in SAFE_METHODS else None
    if who is not None and who.agent and needed.scope not in (None, "agent"):
        return cast(Response, redirect(DESK))
    require(needed.scope)
    return None


def require(scope: Need | None) -> Identity:
    """The client's identity, if it may do this. Raises Problem 401 or 403."""
    who = identify()
    if who is None:
        raise unknown("no_key", "Show an API key (Authorization: Bearer ...), or sign in on the page.")
    if scope is not None and scope not in who.scopes:
        headers = {"WWW-Authenticate": f'Bearer realm="earshot", error="insufficient_scope", scope="{scope}"'}
        raise Problem(403, "scope", f"This needs the scope {scope}.", headers=headers)
    changes = request.method not in SAFE_METHODS
    if who.kind != "key" and (changes or "Upgrade" in request.headers):
        check_origin()
    if who.kind == "user" and changes:
        check_form()
    return who


def check_host() -> None:
    """With AUTH=off only the machine's address protects: a request must use the machine's own name. Raises 403."""
    if store().settings.auth == "off" and not origins.is_loopback(request.headers.get("Host", "")):
        raise Problem(403, "host", _("AUTH=off serves localhost only. Use that name in the address."))


def check_origin() -> None:
    """Without a key, only our own pages may act and open sockets. Raises Problem 403."""
    if not origins.is_ours(store().settings.public_url, request.headers.get("Origin"), request.environ):
        raise Problem(403, "origin", _("This did not come from a page of this host. Behind a proxy, set PUBLIC_URL."))


def check_form() -> None:
    """A form must come from one of our own pages. Raises Problem 403."""
    check_origin()
    given = request.form.get("csrf_token") or request.headers.get("X-CSRF-Token")
    try:
        validate_csrf(given, secret_key=store().access.secret())
    except ValidationError:
        raise Problem(403, "csrf", _("This did not come from our page, or the page was too old. Reload it.")) from None


def sign_in_url(leads_to: str = "/", ended: bool = False) -> str:
    """The address to sign in and then go on. ended: a session has run out."""
    query = {"next": leads_to} if leads_to != "/" else {}
    if ended:
        query["ended"] = "1"
    return "/sign-in" + (f"?{urlencode(query)}" if query else "")


def record(what: str, about: str = "") -> None:
    """Record in the audit trail what this request does for security: "sign-out"."""
    store().audit.record(_deed(what, about))


def record_act(what: str, about: str = "") -> None:
    """Record in the audit trail what a supervisor changes: "rules"."""
    store().audit.record(_deed(what, about), "acts")


def record_read(what: str, about: str = "") -> None:
    """Record in the audit trail that somebody reads words of calls: "read", "export", ... Call it before sending
    them."""
    store().audit.record_read(_deed(what, about))


def _deed(what: str, about: str) -> Deed:
    who = require(None)
    return Deed(who.who, what, about, address(), who.origin)


def at_the_door(app: Flask, environ: dict[str, Any]) -> Response | None:
    """A refusal for a socket that would open without the right to read; else None."""
    with app.request_context(environ):
        try:
            check_host()
            require("read")
        except Problem as refusal:
            return refusal.response()
        except redis.RedisError as error:
            log.warning("sockets: redis refused", extra={"error": repr(error)})
            return Problem(503, "store_away", "The store does not answer.", retry=True).response()
    return None
