"""The admins' pages. Each works through the API; all have one frame (templates/admin.html)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from state.webhooks.happenings import EVENT_TYPES
from webapp.access.rights import needs
from webapp.http.language import later
from webapp.page.pages import page_values
from webapp.page.runbook import entries
from webapp.store import store

pages = Blueprint("admin", __name__, url_prefix="/admin")


class AdminPage(NamedTuple):
    """A page templates/admin/NAME.html with its script static/js/admin/NAME.js.

    title: its name in links and the heading. values: those that its template needs besides the frame's.
    """

    title: str
    values: Callable[[], dict[str, object]] = dict


PAGES = {
    "begin": AdminPage(later("First call"), lambda: {"address": store().settings.public_url}),
    "operations": AdminPage(later("Operations"), lambda: {"runbook": entries()}),
    "accounts": AdminPage(later("Accounts")),
    "keys": AdminPage(later("API keys")),
    "sessions": AdminPage(later("Sign-ins")),
    "queues": AdminPage(later("Queues")),
    "audit": AdminPage(later("Audit trail")),
    "erasing": AdminPage(later("Erasing")),
    "jobs": AdminPage(later("Jobs")),
    "models": AdminPage(later("Attention model")),
    "webhooks": AdminPage(later("Webhooks"), lambda: {"events": EVENT_TYPES}),
}
"""By name, in the order of their links."""


@pages.get("")
@needs("admin", page=True)
def first() -> Response:
    """To the first of them."""
    return redirect(url_for(f"admin.{next(iter(PAGES))}"))


def _view(name: str, page: AdminPage) -> Callable[[], str]:
    @needs("admin", page=True)
    def view() -> str:
        return render_template(f"admin/{name}.html", name=name, pages=PAGES, **page.values(), **page_values())

    return view


for name, page in PAGES.items():
    pages.add_url_rule(f"/{name}", name, _view(name, page))
