"""The admins' pages. Each works through the API; all have one frame (templates/admin.html)."""

from __future__ import annotations

from flask import Blueprint, render_template

from webapp.access.rights import needs
from webapp.page.pages import page_values

pages = Blueprint("admin", __name__, url_prefix="/admin")

LISTED = {"admin.jobs": "Jobs"}
"""Views and what the pages call them, in the order of their links."""


@pages.get("/jobs")
@needs("admin", page=True)
def jobs() -> str:
    """The background jobs, from /v1/jobs."""
    return _page("jobs.html")


def _page(template: str) -> str:
    return render_template(f"admin/{template}", listed=LISTED, **page_values())
