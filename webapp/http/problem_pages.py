"""Problems as pages: a person who opens a wrong address gets words and a way on instead of JSON.

The page needs no store, so it also comes while the store is away.
"""

from __future__ import annotations

import msgspec
from flask import Flask, Response, render_template, request

from webapp.http.language import _, later
from webapp.http.problems import PROBLEM_JSON, ProblemBody

HEADINGS = {
    400: later("This address is not right"),
    401: later("You are not signed in"),
    403: later("You may not do this"),
    404: later("There is nothing at this address"),
    405: later("This address cannot be opened"),
    410: later("This is gone"),
    429: later("Too many requests"),
    500: later("Something went wrong here"),
    503: later("Not there at the moment"),
}
"""The heading of the page, by status. Others have their title."""

ADVICE = {
    "scope": later("Your account does not allow it. An administrator can change that."),
    "csrf": later("Nothing has changed. Go back, reload that page and try again."),
    "fault": later("It is not your fault. Try again, or tell an administrator the time and the address."),
    "store_away": later("The calls are safe. Try again in a moment."),
    "archive_away": later("Live calls go on. Try again in a moment."),
}
"""Advice, by reason."""

PASSING = (429, 500, 503)
"""Statuses after which the same request may succeed."""


def install(app: Flask) -> None:
    """Register with `app`."""
    app.after_request(_for_whom)


def _for_whom(answer: Response) -> Response:
    if answer.mimetype != PROBLEM_JSON:
        return answer
    answer.vary.add("Accept")
    if _wants_page():
        answer.set_data(_page(msgspec.json.decode(answer.get_data(), type=ProblemBody)))
        answer.content_type = "text/html; charset=utf-8"
    return answer


def _wants_page() -> bool:
    """Whether the client prefers HTML to JSON. Browsers say so for an address in their address field; scripts and
    programs that take anything do not."""
    accepts = request.accept_mimetypes
    return accepts["text/html"] > max(accepts[PROBLEM_JSON], accepts["application/json"])


def _page(problem: ProblemBody) -> str:
    """The same facts as the problem's JSON, with a way on."""
    asked = request.full_path.rstrip("?") if request.method == "GET" else ""
    return render_template(
        "problem.html",
        problem=problem,
        heading=_(HEADINGS.get(problem.status, problem.title)),
        advice=_(ADVICE[problem.reason]) if problem.reason in ADVICE else "",
        again=asked if problem.status in PASSING else "",
        sign_in=(asked or "/") if problem.status == 401 else "",
    )
