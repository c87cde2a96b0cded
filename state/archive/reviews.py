"""Reviews of ended calls: a random sample of an agent's calls, and a scorecard of questions for each.

Rules answer some questions: a hit in the call is the evidence. People may answer otherwise. A review keeps its
questions as they were asked, and quotes nothing that was said, so it stays when a call's words go.
"""

from __future__ import annotations

from random import Random
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Select, and_, func, insert, select
from sqlalchemy.exc import IntegrityError

from state.archive.opening import Archive
from state.archive.reports import Wanted, bounds
from state.archive.tables import calls, reviews, scorecards, transcripts
from state.archive.write import lock, upsert
from state.views import CallRow

Answer = Literal["yes", "no", "none"]
"""none: the question does not apply to this call."""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question of a scorecard, answered yes (good) or no. rule: kind of the alert or finding whose hit answers it, ""
    for none.  hit: what a hit means; no hit means the other."""

    id: str
    text: str
    rule: str = ""
    hit: Literal["yes", "no"] = "no"


class Scorecard(msgspec.Struct, frozen=True):
    """The questions. version counts the editions; 0 is the first one, which nobody has saved."""

    version: int
    questions: list[Question]
    made_by: str = ""
    made_at_ms: int | None = None


class Answered(msgspec.Struct, frozen=True):
    """An answer. text: of the question as it was asked.  by_rule: a rule says the same.  at: seconds of its hits."""

    question: str
    text: str
    answer: Answer
    by_rule: bool = False
    at: list[float] = []


class Review(msgspec.Struct, frozen=True):
    """Somebody's answers for a call. score: 0..1, the share of yes among yes and no; None if there are none."""

    by: str
    at_ms: int
    version: int
    answers: list[Answered]
    score: float | None
    comment: str


class Reviewed(msgspec.Struct, frozen=True):
    """An agent's calls: how many, how many of them were reviewed, and the mean score, 0..1."""

    agent: str
    calls: int
    reviewed: int
    score: float | None


class ScorecardChanged(Exception):
    """Somebody else has saved another edition."""


STARTER = Scorecard(
    0,
    [
        Question("greeting", "Did the agent greet the customer?", "rule:greeting-missing"),
        Question("notice", "Did the agent say that the call is recorded?", "rule:recording-notice-missing"),
        Question("understood", "Did the agent understand what the customer wanted?"),
        Question("correct", "Was what the agent said correct?"),
        Question("kind", "Was the agent polite and patient?"),
        Question("solved", "Was it solved, or does the customer know what comes next?"),
    ],
)

_questions = msgspec.json.Decoder(list[Question]).decode
_answers = msgspec.json.Decoder(list[Answered]).decode
_row = msgspec.json.Decoder(CallRow).decode


def scorecard(archive: Archive) -> Scorecard:
    """The present edition. Raises ArchiveAway."""
    with archive.reading() as connection:
        return _newest(connection)


def save_scorecard(archive: Archive, questions: list[Question], after: int, by: str, at_ms: int) -> Scorecard:
    """A new edition, after the one of the version `after`. Raises ScorecardChanged, ArchiveAway."""
    made = Scorecard(after + 1, questions, by, at_ms)
    told = {"questions": msgspec.json.encode(questions).decode(), "made_by": by, "made_at_ms": at_ms}
    try:
        with archive.writing() as connection:
            if _newest(connection).version != after:
                raise ScorecardChanged
            connection.execute(insert(scorecards).values(version=made.version, **told))
    except IntegrityError:
        raise ScorecardChanged from None
    return made


def by_rules(row: CallRow, card: Scorecard) -> list[Answered]:
    """What the rules answer. Nothing where the call's words, and so its findings, are gone."""
    hits: dict[str, list[float]] = {}
    for alert in [*row.standing.alerts, *row.standing.findings]:
        hits.setdefault(alert.kind, []).append(alert.at)
    other: dict[str, Answer] = {"yes": "no", "no": "yes"}
    return [
        Answered(one.id, one.text, one.hit if one.rule in hits else other[one.hit], True, hits.get(one.rule, []))
        for one in card.questions
        if one.rule and row.last is not None
    ]


def sample(archive: Archive, wanted: Wanted, count: int) -> list[CallRow]:
    """Up to `count` of the calls that are wanted, by chance, but the same ones for everybody who asks: nobody picks.
    Raises ArchiveAway."""
    with archive.reading() as connection:
        numbers = list(connection.execute(_within(select(calls.c.id), wanted).order_by(calls.c.id)).scalars())
        Random(f"{wanted.agent} {wanted.queue} {wanted.first} {wanted.last}").shuffle(numbers)
        rows = select(transcripts.c.call, transcripts.c.row).where(transcripts.c.call.in_(numbers[:count]))
        found = {one.call: one.row for one in connection.execute(rows)}
    return [_row(found[number]) for number in numbers[:count] if number in found]


def reviewed(archive: Archive, wanted: Wanted) -> list[Reviewed]:
    """The agents of these calls, by name, with what was reviewed. Raises ArchiveAway."""
    name = func.coalesce(calls.c.agent, "").label("name")
    scores = select(reviews.c.call, func.avg(reviews.c.score).label("score")).group_by(reviews.c.call).subquery()
    asked = select(name, func.count(), func.count(scores.c.call), func.avg(scores.c.score)).select_from(
        calls.outerjoin(scores, scores.c.call == calls.c.id)
    )
    with archive.reading() as connection:
        found = connection.execute(_within(asked, wanted).group_by(name).order_by(name)).all()
    return [Reviewed(one, count, seen, None if mean is None else round(mean, 3)) for one, count, seen, mean in found]


def reviews_of(archive: Archive, call_ids: list[str]) -> dict[str, list[Review]]:
    """The reviews of these calls, the newest first. Raises ArchiveAway."""
    wanted = select(calls.c.call_id, reviews).join(calls, calls.c.id == reviews.c.call)
    wanted = wanted.where(calls.c.call_id.in_(call_ids)).order_by(reviews.c.at_ms.desc())
    found: dict[str, list[Review]] = {call_id: [] for call_id in call_ids}
    with archive.reading() as connection:
        for one in connection.execute(wanted):
            told = Review(one.by, one.at_ms, one.version, _answers(one.answers), one.score, one.comment)
            found[one.call_id].append(told)
    return found


def put_review(archive: Archive, call_id: str, review: Review) -> bool:
    """Keep a review, in the place of its author's earlier one of the call. False: there is no such call."""
    told = msgspec.structs.asdict(review) | {"answers": msgspec.json.encode(review.answers).decode()}
    latest = select(calls.c.id).where(calls.c.call_id == call_id).order_by(calls.c.started_at_ms.desc()).limit(1)
    with archive.writing() as connection:
        lock(connection, call_id)
        number = connection.execute(latest).scalar()
        if number is None:
            return False
        upsert(connection, reviews, ["call", "by"], {"call": number, **told})
        return True


def score_of(answers: list[Answered]) -> float | None:
    """The share of yes among yes and no."""
    told = [one.answer for one in answers if one.answer != "none"]
    return round(told.count("yes") / len(told), 3) if told else None


def _newest(connection: Connection) -> Scorecard:
    found = connection.execute(select(scorecards).order_by(scorecards.c.version.desc()).limit(1)).first()
    return Scorecard(found.version, _questions(found.questions), found.made_by, found.made_at_ms) if found else STARTER


def _within(wanted: Select[Any], asked: Wanted) -> Select[Any]:
    begins = bounds(asked)
    when = and_(calls.c.started_at_ms >= begins[0], calls.c.started_at_ms < begins[-1])
    for name in ("agent", "queue"):
        if (value := getattr(asked, name)) is not None:
            when = and_(when, calls.c[name] == value)
    return wanted.where(when)
