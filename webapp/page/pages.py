"""The pages: the live table, the history, the reports, the rules, the agents; an agent's own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from webapp.access.identity import identify
from webapp.access.rights import DESK, needs
from webapp.access.sign_in import csrf_token
from webapp.store import store
from webapp.switch.choose import switch_of

pages = Blueprint("pages", __name__)


@pages.get("/")
@needs("read", page=True)
def wall() -> str:
    """The live table. Its data comes over its socket (live.py)."""
    return _page("wall.html")


@pages.get("/history")
@needs("read", page=True)
def history() -> str:
    """The search in live and ended calls, from /v1/calls. It plays recordings; nobody can join a call."""
    return _page("history.html", live=False)


@pages.get("/rules")
@needs("read", page=True)
def rules() -> str:
    """The rules' editor. It works through /v1/rules."""
    return _page("rules.html")


@pages.get("/agents")
@needs("read", page=True)
def agents() -> str:
    """The agents' figures, from /v1/agents."""
    return _page("agents.html")


@pages.get("/reports")
@needs("read", page=True)
def reports() -> str:
    """Figures by day, queue and agent, from /v1/reports."""
    return _page("reports.html")


@pages.get(DESK)
@needs("agent", page=True)
def desk() -> str:
    """An agent's own page. It works through /v1/desk."""
    return render_template("desk.html", **page_values())


@pages.get("/reviews")
@needs("read", page=True)
def reviews() -> str:
    """A sample of an agent's ended calls, from /v1/samples, with a scorecard for each."""
    return _page("reviews.html", live=False)


def _page(template: str, live: bool = True) -> str:
    """A page for this client. live: people can listen to calls and join them on it."""
    records = store().sounds is not None
    return render_template(
        template,
        switch=live and switch_of(store().settings) is not None,
        listening=records or (live and store().settings.listen_seconds > 0),
        records=records,
        **page_values(),
    )


def page_values() -> dict[str, Any]:
    """Every page's values about the client, with the token that proves that a request comes from the page."""
    who = identify()
    signed_in = who is not None and who.kind == "user"
    return {
        "user": who if signed_in else None,
        "admin": who is not None and "admin" in who.scopes,
        "csrf_token": csrf_token() if signed_in else "",
    }
