"""Judgements reach the database and the job learns from them. A call keeps the attention model it began with."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import redis
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from state import keys
from state.archive.judged import judged_calls
from state.archive.opening import Archive
from state.archive.tables import judgements
from state.attention_models import KEPT, AttentionModels, ModelChanged
from state.calls.handling import MAX_JUDGED, Handler, Refused
from state.calls.reads import Reads
from state.people.audit import Audit
from state.settings import Settings
from state.types import INSIDE
from tests.harness.api import app_client
from tests.harness.line import Line
from tests.harness.servers import Server
from workers.insight import models, weights
from workers.insight.models import Fitted, Model
from workers.insight.norms import LEAST_CALLS, Norms
from workers.jobs import summary
from workers.jobs.archive import move
from workers.jobs.learn import refresh
from workers.jobs.queue import Requests, job_queue
from workers.learning import lessons
from workers.learning.versions import Versions
from workers.sentiment.assessor import Assessor

NOW = 10**12
WITH_ARCHIVE = Settings(database_url="sqlite:///elsewhere")
COMPLAINT = "i want my money back and i want to talk to your manager about this refund"


@pytest.fixture
def http(valkey: Server, store: redis.Redis) -> FlaskClient:
    return app_client(valkey)


Begin = Callable[[], Assessor]


@pytest.fixture
def begin(store: redis.Redis, loaded: Assessor) -> Begin:
    """Begins another scorer. It has seen only the version that applies now."""

    def assessor() -> Assessor:
        begun = copy.copy(loaded)
        begun._versions = Versions(AttentionModels(store))
        begun.follow_models()
        return begun

    return assessor


def save(store: redis.Redis, fitted: Fitted | None = None, norms: dict[str, Norms] | None = None) -> int:
    here = AttentionModels(store)
    model = Model(models.base(), fitted, norms=norms or {})
    return here.save(here.version(), "learned", models.encode(model), b"[]").version


def jumpy() -> Fitted:
    """Weights that raise nearly every call."""
    shipped = weights.load()
    return Fitted(3.0, shipped.signs, shipped.verdict)


def _json(answer: TestResponse) -> Any:
    return answer.get_json(force=True)


def attention(store: redis.Redis) -> float:
    call = Reads(store).call("c")
    assert call is not None
    return call.standing.attention


def test_a_call_keeps_the_model_it_began_with_whoever_scores_it(store: redis.Redis, begin: Begin) -> None:
    began = begin()
    line = Line(store, began, ["customer"], "c", INSIDE, queue="billing")
    line.say("customer", 1, "hello there")
    line.score()
    calm = attention(store)
    version = save(store, jumpy())
    began.follow_models()
    line.say("customer", 3, "i would like to know my balance")
    line.score()
    assert attention(store) < 0.3, "a new version does not reach a call that has begun"
    line.assessor = other = begin()
    line.say("customer", 5, "how much is it")
    line.score()
    call = Reads(store).call("c")
    assert call is not None
    assert (call.standing.model, calm < 0.3, call.standing.attention < 0.3) == (0, True, True)
    next_call = Line(store, other, ["customer"], "d", INSIDE, queue="billing")
    next_call.say("customer", 1, "hello there")
    next_call.score()
    begun = Reads(store).call("d")
    assert begun is not None
    assert (begun.standing.model, begun.standing.attention > 0.5) == (version, True)


def test_a_worker_that_never_saw_a_version_fetches_it_for_the_calls_that_began_with_it(
    store: redis.Redis, begin: Begin
) -> None:
    save(store, jumpy())
    first = begin()
    line = Line(store, first, ["customer"])
    line.say("customer", 1, "hello there")
    line.score()
    save(store)
    late = begin()
    line.assessor = late
    line.say("customer", 3, "how much is it")
    line.score()
    assert attention(store) > 0.5


def test_norms_are_those_of_the_calls_queue(store: redis.Redis, begin: Begin) -> None:
    save(store, norms={"patient": Norms(long_seconds=(0.5, 1.0))})
    assessor = begin()
    for call_id, queue in (("a", "patient"), ("b", "other")):
        line = Line(store, assessor, ["customer"], call_id, INSIDE, queue=queue)
        line.say("customer", 1, COMPLAINT)
        line.score()
    told = {c: [r.text for r in call.standing.reasons] for c in "ab" if (call := Reads(store).call(c))}
    assert any("longer than calls of this queue" in text for text in told["a"])
    assert not any("longer than calls of this queue" in text for text in told["b"])


def test_a_version_is_made_once_and_old_ones_go(store: redis.Redis) -> None:
    here = AttentionModels(store)
    for _ in range(KEPT + 3):
        save(store)
    with pytest.raises(ModelChanged):
        here.save(1, "learned", b"{}", b"[]")
    assert [one.version for one in here.all()] == list(range(KEPT + 3, 3, -1))
    assert here.get(2) is None
    assert store.hlen(keys.MODELS) == KEPT + 1


def test_a_judgement_can_be_changed_and_is_in_the_trail_and_the_database(
    store: redis.Redis, archive: Archive, http: FlaskClient, begin: Begin
) -> None:
    assessor = begin()
    line = Line(store, assessor, ["customer"])
    line.say("customer", 1, COMPLAINT)
    line.score()
    address = "/v1/calls/c/judgements/escalation"
    assert http.put(address, json={"right": False, "why": "misheard", "by": "sam"}).status_code == 200
    answer = http.put(address, json={"right": True, "by": "kim"})
    assert [(j["alert"], j["right"], j["why"], j["by"]) for j in _json(answer)["judged"]] == [
        ("escalation", True, "", "kim")
    ]
    for wrong, place in (({"right": True, "why": "other"}, "/why"), ({"right": 1}, "/right"), ({}, "")):
        refused = http.put(address, json=wrong)
        assert (refused.status_code, _json(refused)["errors"][0]["pointer"]) == (400, place)
    assert http.put("/v1/calls/c/judgements/Bad%20one", json={"right": True}).status_code == 400
    line.end()
    assert summary.write(store, "c", WITH_ARCHIVE) == "OK"
    assert move(store, archive, "c", redact=True) == "OK"
    Handler(store, "sam").judge("c", "needs_attention", right=False, why="ordinary")
    assert move(store, archive, "c", redact=True) == "OK", "a later judgement gets there too"
    with archive.reading() as connection:
        kept = list(connection.execute(select(judgements.c.alert, judgements.c.right, judgements.c.why)))
    assert sorted(kept) == [("escalation", True, ""), ("needs_attention", False, "ordinary")]
    told = [entry.deed.what for entry in Audit(store).read("acts", 10)]
    assert told == [
        "judge needs_attention: not needed, ordinary",
        "judge escalation: right",
        "judge escalation: not needed, misheard",
    ]


def test_a_call_that_left_redis_is_judged_in_the_archive(
    valkey: Server, store: redis.Redis, archive: Archive, database_url: str, begin: Begin
) -> None:
    line = Line(store, begin(), ["customer"])
    line.say("customer", 1, COMPLAINT)
    line.score()
    line.end()
    Handler(store, "sam").judge("c", "escalation", right=False, why="misheard")
    assert summary.write(store, "c", WITH_ARCHIVE) == "OK"
    assert move(store, archive, "c", redact=True) == "OK"
    store.flushdb()
    http = app_client(valkey, database_url=database_url)
    for _ in range(2):  # the same judgement again changes nothing
        answer = http.put("/v1/calls/c/judgements/escalation", json={"right": True, "by": "kim"})
        told = _json(answer)
        assert (answer.status_code, told["revision"]) == (200, 2)
        assert [(one["alert"], one["right"], one["by"]) for one in told["judged"]] == [("escalation", True, "kim")]
    assert _json(http.get("/v1/calls/c"))["handling"] == told
    assert [call.right for call in judged_calls(archive, 10)] == [True]
    assert [(one.deed.who, one.deed.what, one.deed.about) for one in Audit(store).read("acts", 10)] == [
        ("kim", "judge escalation: right", "c")
    ]
    for number in range(MAX_JUDGED - 1):
        assert http.put(f"/v1/calls/c/judgements/rule:{number}", json={"right": True}).status_code == 200
    refused = http.put("/v1/calls/c/judgements/rule:one-more", json={"right": True})
    assert (refused.status_code, _json(refused)["reason"]) == (409, "full")
    assert http.put("/v1/calls/other/judgements/escalation", json={"right": True}).status_code == 404
    assert len(Audit(store).read("acts", 100)) == MAX_JUDGED, "a refusal is not in the trail"


def test_a_call_has_so_many_judgements_at_most(store: redis.Redis, begin: Begin) -> None:
    Line(store, begin(), ["customer"])
    sam = Handler(store, "sam")
    for number in range(MAX_JUDGED):
        sam.judge("c", f"rule:{number}", right=True)
    assert sam.judge("c", "rule:0", right=False).judged[0].right is False
    with pytest.raises(Refused, match="full"):
        sam.judge("c", "rule:one-more", right=True)


def fill(store: redis.Redis, archive: Archive, begin: Begin, count: int) -> None:
    """Put judged calls of one queue into the archive. A refund is never worth a look there, a rude word always is."""
    assessor = begin()
    for number in range(count):
        call_id, rude = f"c{number}", number % 2 == 0
        line = Line(store, assessor, ["customer"], call_id, INSIDE, queue="returns")
        line.say("customer", 1, "this is ridiculous" if rude else "i want a refund and my money back please")
        line.end()
        Handler(store, "sam").judge(call_id, "needs_attention", right=rude)
        assert summary.write(store, call_id, WITH_ARCHIVE) == "OK"
        assert move(store, archive, call_id, redact=True) == "OK"


def test_the_job_learns_measures_norms_and_can_be_taken_back(
    store: redis.Redis, archive: Archive, http: FlaskClient, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "LEAST_CALLS", 20)  # fewer calls are enough here: other tests check the arithmetic
    monkeypatch.setattr("workers.insight.norms.LEAST_CALLS", 20)
    here = AttentionModels(store)
    assert refresh(archive, here, NOW) == "SAME"
    assert _json(http.get("/v1/models"))["version"] == 0
    fill(store, archive, begin, 30)
    assert refresh(archive, here, NOW) == "LEARNED"
    assert refresh(archive, here, NOW) == "SAME", "there is nothing new to learn"
    told = _json(http.get("/v1/models"))
    [version] = told["versions"]
    [everywhere, queue] = version["lessons"]
    assert (told["version"], version["origin"], everywhere["calls"], queue["queue"]) == (1, "learned", 30, "returns")
    assert everywhere["live"]["auc_after"] >= everywhere["live"]["auc_before"]
    assert everywhere["live"]["loss_after"] < everywhere["live"]["loss_before"]
    assert list(version["norms"]) == ["returns"]
    back = _json(http.put("/v1/models/current", json={"version": 0}))
    assert (back["version"], [one["origin"] for one in back["versions"]]) == (2, ["taken back", "learned"])
    now: Any = here.get(2)
    model = models.decode(now.content)
    assert model.weights("returns") == weights.load()
    assert list(model.norms) == ["returns"], "the norms stay"
    assert refresh(archive, here, NOW) == "SAME", "the same judgements do not bring it back"
    assert http.put("/v1/models/current", json={"version": 77}).status_code == 404
    assert Audit(store).read("acts", 1)[0].deed.about == "version 2 with the weights of 0"
    again = _json(http.put("/v1/models/current", json={"version": 1}))
    assert again["version"] == 3
    assert models.decode(here.get(3).content).weights("returns") != weights.load()  # type: ignore[union-attr]


def test_the_job_is_asked_for_only_with_a_database_and_once_in_a_while(store: redis.Redis) -> None:
    def asked() -> int:
        return [job.data.count(b'"learn"') for job in job_queue(store).jobs].count(1)

    Requests(store, Settings()).request()
    assert asked() == 0
    for _ in range(2):
        Requests(store, Settings(database_url="sqlite:///nowhere.db")).request()
        assert asked() == 1


def test_the_least_number_of_calls_is_promised() -> None:
    assert (LEAST_CALLS, lessons.LEAST_CALLS, lessons.LEAST_EACH) == (50, 50, 10)


def test_a_damaged_version_serves_as_the_shipped_one(store: redis.Redis, begin: Begin) -> None:
    save(store, jumpy())
    store.hset(keys.MODELS, "1", b"{not json")
    assessor = begin()
    line = Line(store, assessor, ["customer"])
    line.say("customer", 1, "hello there")
    line.score()
    assert attention(store) < 0.3
    assert msgspec.msgpack.decode(store.hget(keys.call("c"), "standing") or b"")["model"] == 1
