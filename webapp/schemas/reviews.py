"""Samples, scorecards and reviews of ended calls, over the API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from state.archive.reviews import Answer, Answered, Question, Reviewed
from webapp.schemas.calls import ApiRow
from webapp.schemas.values import MAX_NOTE, By, Moment

MOST_QUESTIONS = 30


class ApiScorecard(msgspec.Struct):
    """The questions. version counts the editions; 0 is the first one, which nobody has saved."""

    version: int
    questions: list[Question]
    made_by: str
    made_at: Moment | None


class NewScorecard(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The questions from now on. after: the version that they replace."""

    after: Annotated[int, Meta(ge=0)]
    questions: Annotated[list[Question], Meta(min_length=1, max_length=MOST_QUESTIONS)]
    by: By | None = None


class ApiReview(msgspec.Struct):
    """Somebody's answers for a call. score: 0 to 1, the share of yes among yes and no, or null. version: of the
    scorecard."""

    by: str
    at: Moment
    version: int
    answers: list[Answered]
    score: float | None
    comment: str


class ApiReviews(msgspec.Struct):
    """The questions for a call, the rules' answers with the seconds of their hits, and the call's reviews."""

    call_id: str
    scorecard: ApiScorecard
    by_rules: list[Answered]
    reviews: list[ApiReview]


class GivenAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to a question of the scorecard."""

    question: Annotated[str, Meta(max_length=64)]
    answer: Answer


class NewReview(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Answers for a call. version: of the scorecard with these questions."""

    version: Annotated[int, Meta(ge=0)]
    answers: Annotated[list[GivenAnswer], Meta(min_length=1, max_length=MOST_QUESTIONS)]
    comment: Annotated[str, Meta(max_length=MAX_NOTE)] = ""
    by: By | None = None


class ApiSample(msgspec.Struct):
    """Calls to review. agents: those with calls in this time. calls: the sample, in the order of chance; reviewed: who
    has reviewed them, by call_id."""

    from_day: str
    to_day: str
    zone: str
    agents: list[Reviewed]
    calls: list[ApiRow]
    reviewed: dict[str, list[str]]
