"""What is erased is gone everywhere, and a legal hold wins; on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import redis

from scripts.operating.erase import main as command
from state import keys
from state.archive import erase
from state.archive.erase import Held, Hold
from state.archive.opening import Archive
from state.archive.search import Sought, read_call, search
from state.archive.write import write
from state.calls.departures import Departures
from state.calls.ingest import Ingest
from state.erasure import CallIsLive, Erasure
from state.moments import DAY_MS
from state.people.audit import Audit
from state.queues import Queues
from state.settings import Settings, SettingsError, load
from state.types import Point
from state.vocabularies import Edition, Vocabularies
from tests.harness.api import app_client, problem
from tests.harness.calls.archived import ARCHIVED, archived
from tests.harness.servers import Server
from tests.integration.keeping.test_archive import ended, rows
from tests.integration.store.test_redaction import everything
from workers.jobs.aging import forget_words
from workers.jobs.archive import move
from workers.sentiment.assessor import Assessor


def database(archive: Archive) -> str:
    """All rows that tell of calls, as one text."""
    tables = ("calls", "tags", "alerts", "judgements", "transcripts")
    return "".join(str(tuple(row)) for table in tables for row in rows(archive, table))


def test_an_erased_call_is_gone_everywhere(store: redis.Redis, archive: Archive) -> None:
    ended(store, Assessor(), agent="Dana", caller="+15550100")
    store.xadd(keys.DEAD, {"c": "c", "t": "customer", "seq": 1, "reason": "x", "a": b"1", "e": "mulaw", "r": 8000})
    store.xadd(keys.DEAD, {"c": "other", "t": "customer", "seq": 1, "reason": "x", "a": b"1", "e": "mulaw", "r": 8000})
    assert move(store, archive, "c", redact=True) == "OK"
    assert "manager" in everything(store) and "manager" in database(archive)
    assert Erasure(store, archive, Settings()).erase("c") == ["database", "redis"]
    assert "manager" not in everything(store) and "+15550100" not in everything(store)
    assert database(archive) == "" and store.xlen(keys.DEAD) == 1
    assert search(archive, Sought(words=["manager"]), "time", 9) == []
    assert Erasure(store, archive, Settings()).erase("c") == []


def test_a_job_that_read_it_before_does_not_bring_it_back(store: redis.Redis, archive: Archive) -> None:
    ended(store, Assessor())
    leaving = Departures(store).read("c")
    assert leaving is not None
    assert Erasure(store, archive, Settings()).erase("c") == ["redis"]
    assert not write(archive, leaving.call, "late")
    assert read_call(archive, "c") is None


def test_a_live_call_is_not_erased(store: redis.Redis, archive: Archive) -> None:
    Ingest(store, Settings()).create("live", ["t"], {})
    with pytest.raises(CallIsLive):
        Erasure(store, archive, Settings()).erase("live")


def test_a_hold_wins(store: redis.Redis, history: Archive) -> None:
    erase.hold(history, Hold("customer", "+15551", "court", "lee", 1))
    erase.hold(history, Hold("call", "a2", "court", "lee", 2))
    erasure = Erasure(store, history, Settings())
    for call_id in ("a1", "a2"):
        with pytest.raises(Held, match="court"):
            erasure.erase(call_id)
    late = ARCHIVED[-1].started_at_ms + 100 * DAY_MS
    assert forget_words(history, {"*": 1}, late) == 3
    assert {call.call_id for call in ARCHIVED if read_call(history, call.call_id).utterances} == {"a1", "a2"}  # type: ignore[union-attr]
    assert erase.release(history, "call", "a2") and not erase.release(history, "call", "a2")
    assert erasure.erase("a2") == ["database"]
    assert [hold.name for hold in erase.held(history)] == ["+15551"]


def test_words_go_by_queue_and_figures_stay(archive: Archive) -> None:
    for n, queue in enumerate(("billing", "sales", "")):
        call = archived(n, "a secret word", queue=queue)
        told = [Point("reason", "", "a secret word", 0.0, ["customer:0"], "customer")]
        standing = msgspec.structs.replace(call.standing, about="a secret word", gist=told)
        summary = {"duration_seconds": 60.0, "points": msgspec.to_builtins(told), "by_model": {"reason": "secret"}}
        write(archive, msgspec.structs.replace(call, standing=standing, summary=summary), "test")
    now = archived(0).started_at_ms + 10 * DAY_MS
    assert forget_words(archive, {"billing": 30, "*": 0}, now) == 0, "0 days means for ever"
    assert forget_words(archive, {"billing": 30, "*": 5}, now) == 2
    assert forget_words(archive, {"billing": 30, "*": 5}, now) == 0
    assert [hit.row.call_id for hit in search(archive, Sought(words=["secret"]), "relevance", 9)] == ["a0"]
    gone = read_call(archive, "a1")
    assert gone is not None and gone.utterances == [] and gone.summary == {"duration_seconds": 60.0}
    assert gone.metadata["queue"] == "sales" and gone.standing.alerts[0].kind == "churn"
    assert "secret" not in "".join(str(tuple(row)) for row in rows(archive, "transcripts") if row.call != 1)


def test_admins_say_how_long_a_queue_is_kept(
    valkey: Server, store: redis.Redis, archive: Archive, database_url: str
) -> None:
    write(archive, archived(1, "hello", queue="sales"), "test")
    settings = Settings(database_url=database_url, words_days="billing=30,*=365", sound_days="billing=90")
    http: Any = app_client(valkey, database_url=database_url, words_days="billing=30,*=365", sound_days="billing=90")
    mine = {"Origin": "http://localhost"}

    def said(**asked: Any) -> dict[str, tuple[int, bool, int]]:
        answer = http.put("/v1/queues", json=asked, headers=mine) if asked else http.get("/v1/queues")
        assert answer.status_code == 200, answer.text
        return {
            one["queue"]: (one["words_days"], one["said"], one["sound_days"]) for one in answer.get_json()["queues"]
        }

    assert said() == {"billing": (30, False, 90), "sales": (365, False, 0), "*": (365, False, 0)}
    assert said(queue="sales", words_days=7)["sales"] == (7, True, 0)
    assert said(queue="billing", words_days=0)["billing"] == (0, True, 90)
    assert Queues(store, settings).words() == {"billing": 0, "sales": 7, "*": 365}
    assert said(queue="billing", words_days=None)["billing"] == (30, False, 90)
    problem(http.put("/v1/queues", json={"queue": "x", "words_days": -1}, headers=mine), 400, "invalid")
    asked = {"queue": "sales", "names": ["Okafor", " Riverside   Bistro ", "Okafor"]}
    answer = http.put("/v1/queues/names", json=asked, headers=mine)
    assert answer.status_code == 200, answer.text
    names = {one["queue"]: one["names"] for one in answer.get_json()["queues"]}
    assert (names["sales"], names["*"]) == (["Okafor", "Riverside Bistro"], [])
    assert Vocabularies(store).read() == Edition(1, {"sales": ["Okafor", "Riverside Bistro"]})
    for wrong in (["12"], ["a\x07b"], [""], ["x" * 65], "Okafor"):
        problem(http.put("/v1/queues/names", json={**asked, "names": wrong}, headers=mine), 400, "invalid")
    assert http.put("/v1/queues/names", json={**asked, "names": []}, headers=mine).get_json()["edition"] == 2
    told = [entry.deed.about for entry in Audit(store).newest(9, ["security"]) if entry.deed.what == "queue-kept"]
    assert told[::-1] == ["sales: words 7 days", "billing: words for ever", "billing: words as WORDS_DAYS says"]


@pytest.mark.parametrize("days", ["billing", "billing=x", "=3", "a=1,,b=2", "a=1,a=2", "*=0"])
def test_days_that_make_no_sense_are_refused(days: str) -> None:
    with pytest.raises(SettingsError, match=r"^WORDS_DAYS"):
        load({"WORDS_DAYS": days})


def test_admins_erase_by_api(valkey: Server, store: redis.Redis, history: Archive, database_url: str) -> None:
    http: Any = app_client(valkey, database_url=database_url)
    mine = {"Origin": "http://localhost"}
    hold = {"kind": "call", "name": "a1", "reason": "court"}
    assert http.put("/v1/holds", json=hold, headers=mine).status_code == 200
    assert http.get("/v1/holds").get_json()["holds"][0]["reason"] == "court"
    problem(http.delete("/v1/calls/a1", headers=mine), 409, "held")
    assert http.delete("/v1/holds?kind=call&name=a1", headers=mine).get_json() == {"holds": []}
    problem(http.delete("/v1/holds?kind=call&name=a1", headers=mine), 404, "unknown_hold")
    assert http.delete("/v1/calls/a1", headers=mine).get_json() == {"calls": ["a1"]}
    problem(http.delete("/v1/calls/a1", headers=mine), 404, "unknown_call")
    problem(http.get("/v1/calls/a1"), 404, "unknown_call")
    assert http.delete("/v1/calls?customer=%2B15550", headers=mine).get_json() == {"calls": ["a0"]}
    problem(http.delete("/v1/calls", headers=mine), 400, "invalid")
    told = [(entry.deed.what, entry.deed.about) for entry in Audit(store).newest(20, ["security"])]
    assert ("erased", "a1 from database") in told and ("hold", "call a1") in told
    assert not any("+1555" in about for _, about in told), "the trail names customers by a digest only"


def test_operators_erase_by_command(store: redis.Redis, history: Archive, command_line: None, capsys: Any) -> None:
    assert command(["hold", "customer", "+15550", "court"]) == 0
    assert command(["call", "a0"]) == 1 and "court" in capsys.readouterr().err
    assert command(["holds"]) == 0 and "+15550" in capsys.readouterr().out
    assert command(["release", "customer", "+15550"]) == 0
    assert command(["customer", "+15550"]) == 0 and "erased 1 call" in capsys.readouterr().out
    assert command(["call", "a0"]) == 1 and "no such call" in capsys.readouterr().err
