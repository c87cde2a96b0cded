"""The admins' pages. Each works through the API; all have one frame (templates/admin.html)."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from state.webhooks.happenings import EVENT_TYPES
from webapp.access.rights import needs
from webapp.page.pages import page_values
from webapp.store import store

pages = Blueprint("admin", __name__, url_prefix="/admin")

LISTED = {
    "admin.begin": "First call",
    "admin.accounts": "Accounts",
    "admin.keys": "API keys",
    "admin.sessions": "Sign-ins",
    "admin.queues": "Queues",
    "admin.audit": "Audit trail",
    "admin.erasing": "Erasing",
    "admin.jobs": "Jobs",
    "admin.models": "Attention model",
    "admin.webhooks": "Webhooks",
}
"""Views and what the pages call them, in the order of their links."""


@pages.get("")
@needs("admin", page=True)
def first() -> Response:
    """To the first of them."""
    return redirect(url_for(next(iter(LISTED))))


@pages.get("/begin")
@needs("admin", page=True)
def begin() -> str:
    """From the first sign-in to the first call."""
    return _page("begin.html", address=store().settings.public_url)


@pages.get("/accounts")
@needs("admin", page=True)
def accounts() -> str:
    """Accounts, from /v1/accounts."""
    return _page("accounts.html")


@pages.get("/keys")
@needs("admin", page=True)
def keys() -> str:
    """API keys, from /v1/keys."""
    return _page("keys.html")


@pages.get("/sessions")
@needs("admin", page=True)
def sessions() -> str:
    """Who is signed in, from /v1/sessions."""
    return _page("sessions.html")


@pages.get("/queues")
@needs("admin", page=True)
def queues() -> str:
    """For how long each queue is kept, from /v1/queues."""
    return _page("queues.html")


@pages.get("/audit")
@needs("admin", page=True)
def audit() -> str:
    """The audit trail, from /v1/audit."""
    return _page("audit.html")


@pages.get("/erasing")
@needs("admin", page=True)
def erasing() -> str:
    """Erasing and legal holds, from /v1/calls and /v1/holds."""
    return _page("erasing.html")


@pages.get("/jobs")
@needs("admin", page=True)
def jobs() -> str:
    """The background jobs, from /v1/jobs."""
    return _page("jobs.html")


@pages.get("/models")
@needs("admin", page=True)
def models() -> str:
    """What was learned from judgements, from /v1/models."""
    return _page("models.html")


@pages.get("/webhooks")
@needs("admin", page=True)
def webhooks() -> str:
    """Who is told what happens, and what came of it, from /v1/webhooks."""
    return _page("webhooks.html", events=EVENT_TYPES)


def _page(template: str, **values: object) -> str:
    return render_template(f"admin/{template}", listed=LISTED, **values, **page_values())
