"""/v1/rules and /v1/agents against a real server, and how sentiment workers follow a new edition."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
import redis
import requests
from flask.testing import FlaskClient

from state import keys
from state.calls.reads import Reads
from state.rules import RulesChanged, RulesStore
from state.settings import Settings
from state.types import INSIDE
from tests.harness.api import problem
from tests.harness.line import Line
from tests.harness.servers import Server
from tests.harness.web import web_process
from webapp.api import rules as api_rules
from webapp.api.rules import DRY_RUN_SECONDS
from workers.insight.rules.rulefile import MAX_FILE_CHARS, parse, read
from workers.jobs.summary import write
from workers.sentiment.assessor import Assessor

YAML = {"Content-Type": "application/yaml"}
MINE = """# What we care for.
version: 1
rules:
  - id: parcel
    title: Speaks of a parcel
    severity: critical
    phrases: [parcel*]
"""


def test_the_starter_set_is_the_first_edition(http: FlaskClient) -> None:
    answer = http.get("/v1/rules")
    assert (answer.status_code, answer.headers["ETag"], answer.mimetype) == (200, '"1"', "application/yaml")
    assert answer.text == read()


def test_rules_are_saved_as_they_were_written_and_counted(http: FlaskClient) -> None:
    saved = http.put("/v1/rules", data=MINE, headers={**YAML, "If-Match": '"1"'})
    assert saved.status_code == 200, saved.text
    assert saved.headers["ETag"] == '"2"' and saved.get_json()["version"] == 2 and saved.get_json()["rules"] == 1
    assert http.get("/v1/rules").text == MINE.replace("version: 1", "version: 2")
    again = http.put("/v1/rules", data=MINE.replace("version: 1", "version: 2"), headers={**YAML, "If-Match": '"2"'})
    assert again.get_json() == saved.get_json(), "saving the same rules again changes nothing"
    flow = http.put("/v1/rules", data="{version: 1, rules: []}", headers=YAML)
    assert flow.get_json()["version"] == 3 and parse(http.get("/v1/rules").text).file.version == 3


def test_an_edition_that_somebody_else_saved_is_not_overwritten_unseen(http: FlaskClient, store: redis.Redis) -> None:
    assert http.put("/v1/rules", data=MINE, headers={**YAML, "If-Match": '"1"'}).status_code == 200
    before = store.hgetall(keys.RULES)
    late = http.put("/v1/rules", data=MINE.replace("critical", "low"), headers={**YAML, "If-Match": '"1"'})
    problem(late, 412, "changed")
    problem(http.put("/v1/rules", data=MINE, headers={**YAML, "If-Match": "x"}), 400, "invalid")
    assert store.hgetall(keys.RULES) == before
    assert (
        http.put("/v1/rules", data=MINE.replace("critical", "low"), headers={**YAML, "If-Match": "*"}).status_code
        == 200
    )


def test_two_who_save_at_once_do_not_both_succeed(store: redis.Redis) -> None:
    rules = RulesStore(store)
    rules.save("version: 2\nrules: []", 1, 2)
    with pytest.raises(RulesChanged):
        rules.save("version: 2\nrules: []", 1, 2)


@pytest.mark.parametrize(
    ("text", "pointer", "detail"),
    [
        (MINE.replace("critical", "huge"), "/rules/0/severity", "line 6"),
        (MINE.replace("[parcel*]", "['(parcel']"), "/rules/0/phrases/0", "line 7"),
        ("version: 1\nrules: [", "", "line 2"),
        ("", "", "object"),
        (MINE.replace("version: 1", "version: 2001-99-99"), "/version", "Expected `int`, got `str`"),
        (MINE.replace("version: 1", "version: 1:00:00"), "/version", "Expected `int`, got `str`"),
        (MINE.replace("[parcel*]", "&a [parcel*]"), "", "line 7: anchors and aliases are not allowed"),
        ("x" * 1000 + ": 1", "", "unknown field `xxx"),
        ("[" * 100_000, "", "nested deeper"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("PUT", "/v1/rules"), ("POST", "/v1/rules/dry-run")])
def test_rules_that_cannot_be_used_are_refused_naming_the_place(
    http: FlaskClient, store: redis.Redis, text: str, pointer: str, detail: str, method: str, path: str
) -> None:
    body = problem(http.open(path, method=method, data=text, headers=YAML), 400, "invalid")
    assert body["errors"][0]["pointer"] == pointer and detail in body["errors"][0]["detail"]
    assert not store.exists(keys.RULES)


def test_bodies_that_are_no_rules_at_all_are_refused(http: FlaskClient) -> None:
    problem(http.put("/v1/rules", data=MINE, content_type="application/json"), 415, "unknown_form")
    problem(http.put("/v1/rules", data=b"\xff\xfe", headers=YAML), 400, "invalid")
    problem(http.put("/v1/rules", data="#" * (MAX_FILE_CHARS + 1), headers=YAML), 413, "too_large")
    assert http.put("/v1/rules", data=MINE, content_type="text/plain; charset=utf-8").status_code == 200


def unwatched(store: redis.Redis) -> dict[bytes, bytes | None]:
    """All that is stored, but the audit trail, which grows with reading, and the store's own layout."""
    found = [key for key in store.keys("*") if not key.decode().startswith((keys.AUDIT, keys.LAYOUT))]
    return {key: store.dump(key) for key in found}


def test_a_dry_run_tells_what_would_have_been_raised_and_changes_nothing(
    http: FlaskClient, store: redis.Redis, assessor: Assessor
) -> None:
    for call_id in ("c1", "c2"):
        line = Line(store, assessor, ["customer"], call_id, agent="Ann")
        line.say("customer", 1, "where is my parcel" if call_id == "c1" else "four zero zero zero one one one one")
        line.score()
    line.end()
    before = unwatched(store)
    number = MINE.replace("parcel*", "'#'")
    found = http.post("/v1/rules/dry-run", data=MINE, headers=YAML).get_json()
    assert (found["calls"], found["more"], found["by_rule"]) == (2, False, {"parcel": 1})
    [hit] = found["hits"]
    assert (hit["call_id"], hit["agent"], hit["rule_id"], hit["quote"]) == ("c1", "Ann", "parcel", "parcel")
    assert http.post("/v1/rules/dry-run?calls=1", data=MINE, headers=YAML).get_json()["more"] is True
    assert http.post("/v1/rules/dry-run", data=number, headers=YAML).get_json()["by_rule"] == {"parcel": 0}
    problem(http.post("/v1/rules/dry-run?calls=0", data=MINE, headers=YAML), 400, "invalid")
    assert unwatched(store) == before


def test_a_dry_run_ends_with_its_client(valkey: Server, store: redis.Redis, assessor: Assessor, tmp_path: Path) -> None:
    """A dry run stops when nobody waits for its answer, and the next one has its turn."""
    line = Line(store, assessor, ["customer"], "long")
    for second in range(3, 600, 3):
        line.say("customer", second, " ".join(f"{letter}{second}" for letter in "abcdefghijklmnopqrstuvwxyz" * 3))
    slow = "version: 1\nrules:\n- id: a\n  title: t\n  severity: info\n  phrases:\n"
    slow += "".join(f"  - '{letter}* {'*9 ' * 60} never'\n" for letter in "abcdefghijklmnopqrstuvwxyz")
    with web_process(valkey.url, tmp_path / "web.log") as web:
        url = f"{web.url}/v1/rules/dry-run"
        began = time.monotonic()
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.post(url, data=slow, headers=YAML, timeout=1)
        assert requests.post(url, data=MINE, headers=YAML, timeout=30).json()["calls"] == 1
        assert time.monotonic() - began < DRY_RUN_SECONDS, "the first run used its whole time for nobody"
        assert requests.post(url, data=slow, headers=YAML, timeout=30).json()["more"], "these rules are not slow enough"


def test_few_wait_for_their_turn_and_the_rest_is_refused_at_once(http: FlaskClient) -> None:
    with contextlib.ExitStack() as all_places:
        for _ in range(api_rules.WAITING + 1):
            all_places.enter_context(api_rules.one_at_a_time.place())
        problem(http.post("/v1/rules/dry-run", data=MINE, headers=YAML), 429, "busy")
        assert http.get("/v1/rules").status_code == 200
    assert http.post("/v1/rules/dry-run", data=MINE, headers=YAML).status_code == 200


def test_sentiment_workers_follow_the_rules(http: FlaskClient, store: redis.Redis) -> None:
    assessor, rules = Assessor(), RulesStore(store)
    assert assessor.follow(rules) is False, "the starter set applies already"
    line = Line(store, assessor, ["customer"])
    line.say("customer", 1, "hello it is about my parcel")
    line.score()
    before = Reads(store).call("c")
    assert before is not None and not before.standing.raised
    assert http.put("/v1/rules", data=MINE, headers=YAML).status_code == 200
    assert assessor.follow(rules) is True and assessor.follow(rules) is False
    line.say("customer", 3, "the one from monday")
    line.score()
    row = http.get("/v1/calls/c").get_json()
    assert row["raised"] is True and "“parcel”: Speaks of a parcel" in [reason["text"] for reason in row["reasons"]]
    told = {"kind": "rule:parcel", "reason": "“parcel”: Speaks of a parcel", "at": 1.9, "utterances": ["customer:0"]}
    assert told in row["alerts"]
    store.hset(keys.RULES, mapping={"version": 9, "digest": "x", "text": "rules of a later version"})
    assert assessor.follow(rules) is True, (
        "it cannot read this edition, so it keeps the last one and does not ask again"
    )
    assert assessor.follow(rules) is False


def test_agents_figures_are_means_over_their_ended_calls(
    http: FlaskClient, store: redis.Redis, assessor: Assessor
) -> None:
    assert http.get("/v1/agents").get_json() == {"agents": [], "calls": 0}
    for call_id, agent in (("c1", "Ann"), ("c2", "Ann"), ("c3", "Bob"), ("c4", "")):
        line = Line(
            store, assessor, ["agent", "customer"], call_id, INSIDE, None, **({"agent": agent} if agent else {})
        )
        line.say("agent", 0, "good morning how can i help you")
        line.say("customer", 1, "i want my money back this is ridiculous")
        line.score()
        line.end()
        if call_id != "c3":
            assert write(store, call_id, Settings()) == "OK"
    found = http.get("/v1/agents").get_json()
    assert found["calls"] == 3, "a call without its summary does not count yet"
    assert [(agent["agent"], agent["calls"]) for agent in found["agents"]] == [("", 1), ("Ann", 2)]
    ann = found["agents"][1]
    assert ann["talk_ratio"] == 0.5 and ann["words_per_minute"] == pytest.approx(7 / 0.9 * 60, abs=0.2)
    assert ann["longest_monologue_seconds"] == 0.9 and ann["overlaps"] == 0


def test_rules_are_read_as_json_written_as_yaml_and_tried_on_words(http: FlaskClient) -> None:
    understood = http.post("/v1/rules/understood", data=MINE, headers=YAML)
    assert understood.status_code == 200, understood.text
    file = understood.get_json()
    written = http.post("/v1/rules/as-yaml", json=file)
    assert (written.mimetype, parse(written.text).file) == ("application/yaml", parse(MINE).file)
    assert "cooldown_seconds" not in written.text, "defaults are not written"
    rule = file["rules"][0]
    asked = {"file": {**file, "rules": [{**rule, "queue": "post", "phrases": ["parcel"], "and_not": None, "times": 1}]}}
    words = {"text": "where is my parcel", "track": "customer"}
    for queue, hits in (("post", 1), ("", 0), ("other", 0)):
        heard = http.post("/v1/rules/heard", json={**asked, **words, "queue": queue})
        assert len(heard.get_json()["hits"]) == hits, queue
    for path, body, place in (
        ("as-yaml", {**file, "rules": [{**rule, "phrases": ["(parcel"]}]}, "/rules/0/phrases/0"),
        ("as-yaml", {**file, "rules": [rule, rule]}, "/rules/1/id"),
        ("heard", {**asked, "text": "a", "track": "nobody"}, "/track"),
    ):
        refused = http.post(f"/v1/rules/{path}", json=body)
        assert (refused.status_code, refused.get_json(force=True)["errors"][0]["pointer"]) == (400, place)


def test_a_rule_for_a_queue_is_for_no_other_calls(http: FlaskClient, store: redis.Redis, assessor: Assessor) -> None:
    rules = "version: 1\nrules:\n- {id: parcel, title: Parcel, severity: high, phrases: [parcel], queue: post}\n"
    assert http.put("/v1/rules", data=rules, headers=YAML).status_code == 200
    assessor.follow(RulesStore(store))
    for call_id, queue in (("a", "post"), ("b", "other")):
        line = Line(store, assessor, ["customer"], call_id, INSIDE, queue=queue)
        line.say("customer", 0, "where is my parcel")
        line.score()
    told = {
        one["call_id"]: [alert["kind"] for alert in one["alerts"]] for one in http.get("/v1/calls").get_json()["calls"]
    }
    assert told == {"a": ["rule:parcel"], "b": []}
    found = http.post("/v1/rules/dry-run", data=rules, headers=YAML).get_json()
    assert [hit["call_id"] for hit in found["hits"]] == ["a"]
