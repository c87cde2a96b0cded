"""The pages: the live table, the rules, the agents."""

from __future__ import annotations

from flask import Blueprint, render_template

from webapp.access import identify, needs
from webapp.sign_in import csrf_token

pages = Blueprint("pages", __name__)


@pages.get("/")
@needs("read", page=True)
def wall() -> str:
    """The live table; what it shows comes over its socket (live.py)."""
    who = identify()
    signed_in = who is not None and who.kind == "user"
    return render_template("wall.html", user=who if signed_in else None, csrf_token=csrf_token() if signed_in else "")


@pages.get("/rules")
@needs("read", page=True)
def rules() -> str:
    """The rules' editor; it works through /v1/rules."""
    return render_template("rules.html")


@pages.get("/agents")
@needs("read", page=True)
def agents() -> str:
    """The agents' figures, from /v1/agents."""
    return render_template("agents.html")
