"""The webhooks process: killed in the middle, started again, stopped in order; and what admins do by API."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import redis

from scripts.operating.webhooks import main as command
from state.archive.opening import Archive
from state.calls.ingest import Ingest
from state.people.audit import Audit
from state.settings import Settings
from tests.harness.api import app_client, problem
from tests.harness.fleet import Fleet
from tests.harness.receiver import Receiver
from tests.harness.servers import Server
from tests.integration.keeping.test_archive import rows
from tests.integration.webhooks.test_follow import follow

ORIGIN = {"Origin": "http://localhost"}


def test_a_process_tells_what_happens_before_and_after_its_death(
    valkey: Server, store: redis.Redis, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    environ = {"DATABASE_URL": f"sqlite:///{tmp_path / 'archive.db'}", "WEBHOOK_ALLOW": "127.0.0.1"}
    monkeypatch.setenv("REDIS_URL", valkey.url)
    monkeypatch.setenv("DATABASE_URL", environ["DATABASE_URL"])
    assert command(["add", receiver.url, "--events", "call.started"]) == 0
    secret = capsys.readouterr().out.strip()
    fleet, archive = Fleet(valkey, tmp_path, **environ), Archive(environ["DATABASE_URL"])
    try:
        process = fleet.start("webhooks")
        Ingest(store, Settings()).create("first", ["t"], {})
        fleet.wait(lambda: [row.state for row in rows(archive, "deliveries")] == ["delivered"], why="it is told")
        process.send_signal(signal.SIGKILL)
        fleet.processes.remove(process)
        process.wait(10)
        Ingest(store, Settings()).create("second", ["t"], {})
        fleet.start("webhooks")
        fleet.wait(lambda: len(receiver.asked) == 2, why="the next one tells the rest")
        assert fleet.stop() == [0]
    finally:
        fleet.kill_all()
        archive.close()
    assert [body["data"]["call_id"] for _, body in receiver.got(secret)] == ["first", "second"]


def test_admins_make_and_look_after_webhooks_by_api(
    valkey: Server, store: redis.Redis, archive: Archive, database_url: str
) -> None:
    http: Any = app_client(valkey, database_url=database_url)
    made = http.post("/v1/webhooks", json={"url": "https://a.example/x", "events": ["call.started"]}, headers=ORIGIN)
    assert made.status_code == 201 and made.get_json()["secret"].startswith("whsec_")
    [told] = http.get("/v1/webhooks").get_json()["webhooks"]
    assert (told["name"], told["secret"], told["waiting"]) == ("a-example", None, 0)
    for wrong, reason in (
        ({"url": "https://a.example/", "name": "a-example"}, (409, "refused")),
        ({"url": "file:///etc/passwd"}, (409, "refused")),
        ({"url": "https://a", "events": ["call.nothing"]}, (400, "invalid")),
        ({"url": "https://a", "name": "a b"}, (400, "invalid")),
        ({"url": "https://a", "name": "kafka"}, (409, "refused")),
    ):
        problem(http.post("/v1/webhooks", json=wrong, headers=ORIGIN), *reason)
    Ingest(store, Settings()).create("c", ["t"], {})
    follow(archive, store)
    [line] = http.get("/v1/deliveries?webhook=a-example&state=waiting").get_json()["deliveries"]
    assert (line["type"], line["call_id"], line["state"]) == ("call.started", "c", "waiting")
    assert http.get("/v1/deliveries?state=failed").get_json() == {"deliveries": [], "next_cursor": None}
    again = f"/v1/webhooks/a-example/deliveries/{line['message_id']}/redeliver"
    assert http.post(again, headers=ORIGIN).status_code == 202
    problem(http.post(again.replace("a-example", "b"), headers=ORIGIN), 404, "unknown_delivery")
    problem(http.post("/v1/webhooks/b/enable", headers=ORIGIN), 404, "unknown_webhook")
    problem(http.get("/v1/deliveries?cursor=x"), 400, "invalid")
    rule = "version: 1\nrules: [{{id: a, title: A, severity: low, phrases: [a], webhook: {}}}]\n"
    yaml = {"content_type": "application/yaml", "headers": ORIGIN}
    problem(http.put("/v1/rules", data=rule.format("b"), **yaml), 400, "invalid")
    assert http.put("/v1/rules", data=rule.format("a-example"), **yaml).status_code == 200
    assert http.delete("/v1/webhooks/a-example", headers=ORIGIN).get_json() == {"webhooks": []}
    assert rows(archive, "deliveries") == []
    problem(app_client(valkey).get("/v1/webhooks"), 409, "no_archive")
    told = [entry.deed.about for entry in Audit(store).newest(20, ["security"]) if entry.deed.what == "webhook"]
    assert told[0] == "remove a-example" and "add  a.example" in told


def test_pages_of_the_log_follow_one_another(
    valkey: Server, store: redis.Redis, archive: Archive, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    http: Any = app_client(valkey, database_url=database_url)
    for name in ("a", "b"):
        body = {"url": "https://a", "events": ["call.started"], "name": name}
        assert http.post("/v1/webhooks", json=body, headers=ORIGIN).status_code == 201
    for n in range(5):
        Ingest(store, Settings()).create(f"c{n}", ["t"], {})
    follow(archive, store)
    monkeypatch.setattr("webapp.api.admin.webhooks.PAGE", 3)
    seen, cursor = [], ""
    while True:
        page = http.get(f"/v1/deliveries{cursor}").get_json()
        seen += [(line["call_id"], line["webhook"]) for line in page["deliveries"]]
        if page["next_cursor"] is None:
            break
        cursor = f"?cursor={page['next_cursor']}"
    assert seen == [(f"c{n}", name) for n in range(4, -1, -1) for name in ("a", "b")]
