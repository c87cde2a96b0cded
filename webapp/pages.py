"""The pages: the live table, the rules, the agents."""

from __future__ import annotations

from flask import Blueprint, render_template

pages = Blueprint("pages", __name__)


@pages.get("/")
def wall() -> str:
    """The live table; what it shows comes over its socket (live.py)."""
    return render_template("wall.html")


@pages.get("/rules")
def rules() -> str:
    """The rules' editor; it works through /v1/rules."""
    return render_template("rules.html")


@pages.get("/agents")
def agents() -> str:
    """The agents' figures, from /v1/agents."""
    return render_template("agents.html")
