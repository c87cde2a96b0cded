"""The page: one live table."""

from __future__ import annotations

from flask import Blueprint, render_template

pages = Blueprint("pages", __name__)


@pages.get("/")
def wall() -> str:
    """The live table; what it shows comes over its socket (live.py)."""
    return render_template("wall.html")
