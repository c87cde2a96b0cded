"""Reviews: a sample by chance, and questions that rules answer with moments. All is kept and in the trail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
import redis
from flask.testing import FlaskClient

from state.archive import reviews
from state.archive.erase import erase_call
from state.archive.opening import Archive
from state.archive.reports import Wanted
from state.archive.reviews import Question, Review, Scorecard
from state.archive.write import write
from state.people.audit import Audit
from state.settings import Settings
from state.types import Alert, ScoredUtterance, Sentiment
from state.views import CallView
from tests.harness.api import problem
from tests.harness.calls.reported import BERLIN, NOON, call
from tests.harness.servers import Server
from tests.unit.web.test_scorecard_file import QUESTIONS
from webapp.app import create_app

GREETING = Alert("rule:greeting-missing", "Did not greet", 4.0, ["agent:0"])


def heard(name: str, begins: datetime, findings: tuple[Alert, ...] = (), **more: Any) -> CallView:
    """An ended call with words. findings: hits of rules about compliance."""
    said = [
        ScoredUtterance(f"agent:{n}", "agent", n, 4.0 * n, 4.0 * n + 3, f"line {n}", [], sentiment=Sentiment(0.1, 0.1))
        for n in range(3)
    ]
    made = call(name, begins, **more)
    standing = msgspec.structs.replace(made.standing, findings=list(findings))
    return msgspec.structs.replace(made, standing=standing, utterances=said, last=said[-1])


@pytest.fixture
def archive(archive: Archive) -> Archive:
    for n in range(30):
        write(archive, heard(f"d{n}", NOON + timedelta(minutes=n), agent="Dana" if n < 20 else "Tom"), "test")
    write(archive, heard("rude", NOON + timedelta(days=2), (GREETING,), agent="Dana"), "test")
    return archive


@pytest.fixture
def http(valkey: Server, store: redis.Redis, archive: Archive, database_url: str) -> FlaskClient:
    return create_app(Settings(redis_url=valkey.url, auth="off", database_url=database_url)).test_client()


def wanted(agent: str | None = "Dana", days: int = 1) -> Wanted:
    last = NOON.date() + timedelta(days=days - 1)
    return Wanted(first=NOON.date(), last=last, zone=BERLIN, agent=agent)


def test_everybody_gets_the_same_sample_and_another_time_gives_another(archive: Archive) -> None:
    sample = [row.call_id for row in reviews.sample(archive, wanted(), 5)]
    assert len(set(sample)) == 5 and sample != sorted(sample, key=lambda name: int(name[1:]))
    assert [row.call_id for row in reviews.sample(archive, wanted(), 5)] == sample
    assert [row.call_id for row in reviews.sample(archive, wanted(), 50)][:5] == sample
    later = [row.call_id for row in reviews.sample(archive, wanted(days=2), 5)]
    assert later != sample
    assert {row.metadata["agent"] for row in reviews.sample(archive, wanted("Tom"), 50)} == {"Tom"}


def test_rules_answer_with_the_moments_of_their_hits() -> None:
    card = Scorecard(
        1, [Question("g", "Greeted?", GREETING.kind), Question("k", "Kind?"), Question("r", "?", "rule:x", "yes")]
    )
    rude, fine = heard("x", NOON, (GREETING,)), heard("y", NOON)
    assert [(one.question, one.answer, one.at) for one in reviews.by_rules(rude, card)] == [
        ("g", "no", [4.0]),
        ("r", "no", []),
    ]
    assert [(one.question, one.answer) for one in reviews.by_rules(fine, card)] == [("g", "yes"), ("r", "no")]
    assert reviews.by_rules(msgspec.structs.replace(fine, last=None), card) == [], "its words are gone"


def test_a_review_is_kept_replaced_and_erased_with_its_call(archive: Archive) -> None:
    def keep(by: str, score: float | None) -> bool:
        return reviews.put_review(archive, "d1", Review(by, 7, 1, [], score, "well done"))

    assert keep("sam", 0.5) and keep("lee", 1.0) and keep("sam", 0.0)
    assert {one.by: one.score for one in reviews.reviews_of(archive, ["d1"])["d1"]} == {"sam": 0.0, "lee": 1.0}
    told = {one.agent: (one.calls, one.reviewed, one.score) for one in reviews.reviewed(archive, wanted(None))}
    assert told == {"Dana": (20, 1, 0.5), "Tom": (10, 0, None)}
    write(archive, heard("d1", NOON + timedelta(minutes=1), agent="Dana"), "test")
    assert len(reviews.reviews_of(archive, ["d1"])["d1"]) == 2, "it was archived again"
    erase_call(archive, "d1", set(), 9_999_999_999_999)
    assert reviews.reviews_of(archive, ["d1"])["d1"] == []
    assert not keep("sam", 0.1)


def test_the_api_keeps_a_review_and_writes_it_down(http: FlaskClient, store: redis.Redis) -> None:
    told = http.get("/v1/calls/rude/reviews").get_json()
    assert told["scorecard"]["version"] == 0
    assert [(one["question"], one["answer"], one["at"]) for one in told["by_rules"]] == [
        ("greeting", "no", [4.0]),
        ("notice", "yes", []),
    ]
    answers = [{"question": "greeting", "answer": "no"}, {"question": "notice", "answer": "no"}]
    answers += [{"question": "kind", "answer": "yes"}, {"question": "solved", "answer": "none"}]
    review = {"version": 0, "answers": answers, "comment": "Knew the product", "by": "Sam"}
    [kept] = http.put("/v1/calls/rude/reviews", json=review).get_json()["reviews"]
    assert (kept["by"], kept["score"], kept["comment"]) == ("Sam", 0.333, "Knew the product")
    assert [(one["question"], one["by_rule"], one["at"]) for one in kept["answers"]] == [
        ("greeting", True, [4.0]),
        ("notice", False, []),
        ("kind", False, []),
        ("solved", False, []),
    ]
    deed = Audit(store).read("acts", 1)[0].deed
    assert (deed.what, deed.about) == ("review", "rude")
    sample = http.get("/v1/samples?from=2026-03-29&to=2026-03-29&zone=Europe/Berlin").get_json()
    assert sample["reviewed"] == {"rude": ["Sam"]} and sample["agents"][0]["score"] == 0.333
    wrong: Any
    for wrong in ({"version": 1}, {"answers": [{"question": "nobody", "answer": "yes"}]}, {"comment": "\x00"}):
        assert http.put("/v1/calls/rude/reviews", json=review | wrong).status_code in (400, 409)
    problem(http.put("/v1/calls/nobody/reviews", json=review), 404, "unknown_call")
    assert len(http.get("/v1/calls/rude/reviews").get_json()["reviews"]) == 1


def test_questions_are_saved_as_editions(http: FlaskClient, store: redis.Redis) -> None:
    new: Any = {"after": 0, "questions": [{"id": "smile", "text": "Did one hear a smile?"}]}
    assert http.put("/v1/scorecard", json=new).get_json()["version"] == 1
    assert http.get("/v1/scorecard").get_json()["questions"][0]["id"] == "smile"
    problem(http.put("/v1/scorecard", json=new), 409, "changed")
    assert Audit(store).read("acts", 1)[0].deed.what == "scorecard"
    question: dict[str, str]
    for question in ({"id": "A b", "text": "x"}, {"id": "a", "text": " "}, {"id": "a", "text": "x", "rule": "no/rule"}):
        problem(http.put("/v1/scorecard", json={"after": 1, "questions": [question]}), 400)
    problem(http.put("/v1/scorecard", json={"after": 1, "questions": new["questions"] * 2}), 400)
    assert http.get("/v1/scorecard").get_json()["version"] == 1


@pytest.mark.parametrize("path", ["samples", "scorecard", "calls/c/reviews"])
def test_without_a_database_there_is_nothing_to_review(valkey: Server, store: redis.Redis, path: str) -> None:
    http = create_app(Settings(redis_url=valkey.url, auth="off")).test_client()
    problem(http.get(f"/v1/{path}"), 409, "no_archive")


YAML = {"Content-Type": "application/yaml"}


def test_the_questions_are_a_file_that_can_be_read_back(http: FlaskClient, store: redis.Redis) -> None:
    first = http.get("/v1/scorecard.yaml")
    assert first.headers["ETag"] == '"0"' and first.text.startswith("version: 0\nquestions:\n- id: greeting\n")
    saved = http.put("/v1/scorecard.yaml?by=Sam", data=QUESTIONS, headers={**YAML, "If-Match": '"0"'})
    assert (saved.status_code, saved.headers["ETag"], saved.get_json()["made_by"]) == (200, '"1"', "Sam")
    assert http.get("/v1/scorecard").get_json()["questions"][2] == {
        "id": "offer", "text": "Was the offer made?", "rule": "rule:offer", "hit": "yes"
    }  # fmt: skip
    assert Audit(store).read("acts", 1)[0].deed.what == "scorecard"
    told = http.get("/v1/scorecard.yaml").text
    assert told == QUESTIONS.partition("\n")[2].replace("version: 0", "version: 1")
    problem(http.put("/v1/scorecard.yaml", data=told, headers={**YAML, "If-Match": '"0"'}), 412, "changed")
    again = http.put("/v1/scorecard.yaml", data=told, headers={**YAML, "If-Match": '"1"'})
    assert again.get_json()["questions"] == saved.get_json()["questions"]


def test_what_is_no_such_file_is_refused_with_its_line(http: FlaskClient) -> None:
    wrong = QUESTIONS.replace("id: greeting", "id: smile")
    told = problem(http.put("/v1/scorecard.yaml", data=wrong, headers=YAML), 400, "invalid")
    assert told["errors"] == [
        {"pointer": "/questions/1/id", "detail": "line 6: stands twice; each question has an id of its own"}
    ]
    problem(http.put("/v1/scorecard.yaml", data=b"\xff", headers=YAML), 400, "invalid")
    problem(http.put("/v1/scorecard.yaml", data=QUESTIONS, headers={"Content-Type": "text/html"}), 415)
    problem(http.put("/v1/scorecard.yaml", data="#" * 40_000, headers=YAML), 413, "too_large")
    assert http.get("/v1/scorecard").get_json()["version"] == 0
