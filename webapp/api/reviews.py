"""/v1/samples, /v1/scorecard, /v1/calls/{id}/reviews: reviews of ended calls that chance has picked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flask import Blueprint, Response

from state.archive import reviews
from state.archive.opening import Archive
from state.archive.reviews import Answered, Question, Review, Scorecard, ScorecardChanged
from state.archive.search import read_call
from state.moments import moment
from state.server.clock import now_ms
from webapp.access.rights import needs, record_act, record_read
from webapp.api.documents.openapi import JSON_BODY, Parameter, operation
from webapp.api.handling import acting_name, plain_text
from webapp.api.history import unknown
from webapp.api.reports import PARAMETERS, asked
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import Problem, invalid
from webapp.schemas import shapes
from webapp.schemas.reviews import ApiReview, ApiReviews, ApiSample, ApiScorecard, NewReview, NewScorecard
from webapp.store import store

api = Blueprint("reviews", __name__, url_prefix="/v1")

SAMPLE, MOST_SAMPLED = 5, 50
"""Calls of a sample: by default, and at most."""

_QUESTION = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RULE = re.compile(r"[a-z0-9][a-z0-9:_-]{0,79}")
MAX_QUESTION = 200
"""Most characters of a question."""

NO_ARCHIVE = {409: "`reason`: no_archive (there is no database: DATABASE_URL)."}


@api.get("/samples")
@operation(
    "Read a random sample of ended calls",
    {200: ApiSample},
    NO_ARCHIVE,
    query=[
        *PARAMETERS,
        Parameter(
            "count",
            {"type": "integer", "minimum": 1, "maximum": MOST_SAMPLED, "default": SAMPLE},
            "calls of the sample",
        ),
    ],
)
@needs("read")
def read_sample() -> Response:
    """The same time, queue and agent give everybody the same calls, so that nobody picks."""
    parameters = inputs.query(*(one.name for one in PARAMETERS), "count")
    count = inputs.number(parameters, "count", SAMPLE, MOST_SAMPLED)
    wanted = asked(parameters)
    archive = the_archive()
    rows = reviews.sample(archive, wanted, count)
    told = reviews.reviews_of(archive, [row.call_id for row in rows])
    agents = reviews.reviewed(archive, wanted)
    record_read("sample", wanted.agent or "")
    by = {call_id: [one.by for one in found] for call_id, found in told.items() if found}
    shown = [shapes.row(row) for row in rows]
    return as_json(ApiSample(str(wanted.first), str(wanted.last), wanted.zone.key, agents, shown, by))


@api.get("/scorecard")
@operation("Read the questions of the scorecard", {200: ApiScorecard}, NO_ARCHIVE)
@needs("read")
def read_scorecard() -> Response:
    """The present edition."""
    inputs.query()
    return as_json(_card(reviews.scorecard(the_archive())))


@api.put("/scorecard")
@operation(
    "Save the questions of the scorecard",
    {200: ApiScorecard},
    {409: "`reason`: no_archive, or changed (somebody else has saved an edition).", **JSON_BODY},
    body=NewScorecard,
)
@needs("act")
def save_scorecard() -> Response:
    """A new edition. Reviews keep the questions as they were asked."""
    inputs.query()
    new = inputs.json_body(NewScorecard)
    for place, what in faults(new.questions):
        raise invalid("/questions" + "".join(f"/{step}" for step in place), what)
    try:
        return as_json(save(new.questions, new.after, acting_name(new.by)))
    except ScorecardChanged:
        raise changed() from None


def faults(questions: list[Question]) -> Iterator[tuple[list[int | str], str]]:
    """Faults in the questions: the place below them, and the fault."""
    for n, one in enumerate(questions):
        for name, form, signs in (("id", _QUESTION, "_ -"), ("rule", _RULE, ": _ -")):
            value = getattr(one, name)
            if not form.fullmatch(value) and (value or name == "id"):
                yield [n, name], f"must be small letters, digits and {signs}, and begin with a letter or digit"
        if not one.text.strip() or not one.text.isprintable() or len(one.text) > MAX_QUESTION:
            yield [n, "text"], f"must be printable, with 1 to {MAX_QUESTION} characters"
        if one.id in {other.id for other in questions[:n]}:
            yield [n, "id"], "stands twice; each question has an id of its own"


def save(questions: list[Question], after: int, who: str) -> ApiScorecard:
    """A new edition after that one. Raises ScorecardChanged if somebody else has saved one."""
    kept = the_archive()
    if reviews.scorecard(kept).version != after:
        raise ScorecardChanged
    record_act("scorecard", f"edition {after + 1}")
    return _card(reviews.save_scorecard(kept, questions, after, who, now_ms(store().shards.plain)))


@api.get("/calls/<call_id>/reviews")
@operation("Read how an ended call was reviewed", {200: ApiReviews}, {404: "No such call.", **NO_ARCHIVE})
@needs("read")
def read_reviews(call_id: str) -> Response:
    """The questions, what rules answer, and all reviews, the newest first."""
    inputs.query()
    record_read("reviews", inputs.call_id(call_id))
    return _told(call_id)


@api.put("/calls/<call_id>/reviews")
@operation(
    "Review an ended call",
    {200: ApiReviews},
    {404: "No such call.", 409: "`reason`: no_archive, or changed (it answers another edition).", **JSON_BODY},
    body=NewReview,
)
@needs("act")
def put_review(call_id: str) -> Response:
    """Your new review replaces your old one. You may leave out a question."""
    inputs.query()
    new = inputs.json_body(NewReview)
    who, archive = acting_name(new.by), the_archive()
    card = reviews.scorecard(archive)
    call = read_call(archive, inputs.call_id(call_id))
    if call is None:
        raise unknown(call_id)
    if card.version != new.version:
        raise changed()
    given = {one.question: one.answer for one in new.answers}
    if not given.keys() <= {one.id for one in card.questions}:
        raise invalid("/answers", "must answer questions of the scorecard")
    ruled = {one.question: one for one in reviews.by_rules(call, card)}
    answers = [
        ruled[one.id]
        if one.id in ruled and ruled[one.id].answer == given[one.id]
        else Answered(one.id, one.text, given[one.id])
        for one in card.questions
        if one.id in given
    ]
    comment = plain_text(new.comment, "/comment") if new.comment.strip() else ""
    review = Review(who, now_ms(store().shards.plain), card.version, answers, reviews.score_of(answers), comment)
    record_act("review", call_id)  # an act that cannot be written down is not done
    if not reviews.put_review(archive, call_id, review):
        raise unknown(call_id)
    return _told(call_id)


def _told(call_id: str) -> Response:
    archive = the_archive()
    card = reviews.scorecard(archive)
    call = read_call(archive, call_id)
    if call is None:
        raise unknown(call_id)
    said = reviews.reviews_of(archive, [call_id])[call_id]
    shown = [ApiReview(one.by, moment(one.at_ms), one.version, one.answers, one.score, one.comment) for one in said]
    return as_json(ApiReviews(call_id, _card(card), reviews.by_rules(call, card), shown))


def _card(card: Scorecard) -> ApiScorecard:
    return ApiScorecard(card.version, card.questions, card.made_by, shapes.moment_or_none(card.made_at_ms))


def the_archive() -> Archive:
    return store().archive_for(_("There is no database, so there is nothing to review. Set DATABASE_URL."))


def changed(status: int = 409) -> Problem:
    """Another edition of the questions applies."""
    return Problem(status, "changed", _("Somebody has saved other questions. Reload the page."))
