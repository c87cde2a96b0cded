"""Admins see what became of jobs and can have failed ones tried again. Nothing else can be run that way."""

from __future__ import annotations

import json
import time
import zlib
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
from rq.registry import FailedJobRegistry

from state import keys
from state.jobs import JobsBoard, Process
from state.people.access import Access
from state.people.audit import Audit
from state.server.shards import shards_on
from tests.harness.api import app_client, problem
from tests.harness.fleet import Fleet
from tests.harness.protocol import Play
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, csrf_of, sign_in
from tests.integration.jobs.test_forged_jobs import call, push
from workers.jobs.board import Boards
from workers.jobs.queue import QUEUE, job_queue

ORIGIN = {"Origin": "http://localhost"}


def fail(store: redis.Redis, job_id: str, data: bytes, **result: str | bytes) -> None:
    """Store a failed job as RQ leaves it."""
    push(store, job_id, data=data, status="failed")
    store.lrem(f"rq:queue:{QUEUE}", 0, job_id)
    store.zadd(FailedJobRegistry(QUEUE, connection=store).key, {job_id: time.time() + 86400})
    store.xadd(f"rq:results:{job_id}", {"type": 2, **result})


def update(store: redis.Redis) -> None:
    store.delete(keys.turn("board"))
    Boards(shards_on(store)).update()


def test_a_failed_job_is_shown_with_its_reason_and_tried_again(
    valkey: Server, store: redis.Redis, tmp_path: Path
) -> None:
    """A real jobs process fails at a damaged call, and at a job that is not ours."""
    play = Play(store)
    play.ingest.create("broken", ["t"], {})
    play.ingest.end("broken")
    store.set(keys.utterances("broken"), "no hash")
    push(store, "ours", data=call("summarise", "broken"), failure_ttl="86400")
    push(store, "theirs", data=call("os.system", "true"), failure_ttl="86400")
    registry = FailedJobRegistry(QUEUE, connection=store)
    fleet = Fleet(valkey, tmp_path)
    try:
        fleet.start("jobs")
        fleet.wait(lambda: registry.get_job_count(cleanup=False) == 2, why="both have failed")
    finally:
        fleet.stop()
    http: Any = app_client(valkey)
    assert http.get("/v1/jobs").get_json()["at"] is None
    update(store)
    told = http.get("/v1/jobs").get_json()
    assert (told["queued"], told["failed_count"], told["outstanding"]) == (0, 2, {"summarise": 1, "archive": 0})
    jobs = {job["id"]: job for job in told["failed"]}
    assert (jobs["ours"]["task"], jobs["ours"]["argument"]) == ("summarise", "broken")
    assert "WRONGTYPE" in jobs["ours"]["reason"] and "JobRefused" in jobs["theirs"]["reason"]
    assert (jobs["theirs"]["task"], jobs["theirs"]["argument"]) == ("", "")
    problem(http.post("/v1/jobs/theirs/retry", headers=ORIGIN), 409, "not_ours")
    problem(http.post("/v1/jobs/nothing/retry", headers=ORIGIN), 404, "unknown_job")
    problem(http.post("/v1/jobs/a.b/retry", headers=ORIGIN), 400, "invalid")
    assert http.post("/v1/jobs/ours/retry", headers=ORIGIN).status_code == 202
    assert Audit(store).newest(1)[0].deed.about == "summarise broken"
    update(store)
    [asked] = job_queue(store).get_jobs()
    assert json.loads(asked.data) == ["summarise", None, ["broken"], {}]
    told = http.get("/v1/jobs").get_json()
    assert (told["queued"], [job["id"] for job in told["failed"]]) == (1, ["theirs"])
    assert JobsBoard(store).wishes() == []


def test_a_wish_for_anything_else_does_nothing(store: redis.Redis) -> None:
    fail(store, "theirs", call("os.system", "true"))
    push(store, "waiting", data=call("summarise", "broken"))
    for wished in ("theirs", "waiting", "nothing", "rq:job:ours", "../ours", "x" * 9000):
        store.sadd(keys.JOBS_WISHED, wished)
    update(store)
    assert store.lrange(f"rq:queue:{QUEUE}", 0, -1) == [b"waiting"] and JobsBoard(store).wishes() == []
    assert FailedJobRegistry(QUEUE, connection=store).get_job_count(cleanup=False) == 1


def test_a_reason_that_would_grow_huge_is_cut(store: redis.Redis) -> None:
    fail(store, "huge", call("summarise", "a"), exc_string=b64encode(zlib.compress(b"x" * 50_000_000)))
    fail(store, "odd", call("summarise", "a"), exc_string="not packed", return_value="x")
    update(store)
    board = JobsBoard(store).read()
    assert board is not None
    assert sorted(len(job.reason) for job in board.failed) == [0, 200]


def test_the_board_names_processes_by_type_and_version_unless_the_server_keeps_that_to_itself(
    valkey: Server, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as clients:
        for pid, version in ((1, "0a"), (1, "0a"), (2, "0a"), (3, "0b")):
            client = clients.enter_context(valkey.client())
            client.client_setname(f"earshot:decoder:{version}:host:{pid}")
        for odd in ("earshot:decoder:0a:host", "earshot:x:0a:h:99999999999", "somebody"):
            clients.enter_context(valkey.client()).client_setname(odd)
        update(store)
        board = JobsBoard(store).read()
        assert board is not None and board.processes is not None
        ours = [one for one in board.processes if one.type == "decoder"]
        assert ours == [Process("decoder", "0a", 2, 3), Process("decoder", "0b", 1, 1)]
    monkeypatch.setattr(redis.Redis, "client_list", refuse)
    update(store)
    board = JobsBoard(store).read()
    assert board is not None and board.processes is None


def refuse(*_: object) -> None:
    raise redis.exceptions.NoPermissionError


def test_only_admins_see_the_page(valkey: Server, store: redis.Redis) -> None:
    access = Access(store)
    for name, role in (("lee", "admin"), ("dana", "supervisor")):
        access.users.add(name, role, PASSWORD)  # type: ignore[arg-type]
        http = app_client(valkey, auth="on")
        sign_in(http, name)
        assert ("/admin" in http.get("/").text) == (role == "admin")
        answer = http.get("/admin/jobs")
        assert answer.status_code == (200 if role == "admin" else 403)
        if role == "admin":
            assert 'aria-current="page"' in answer.text
            problem(http.post("/v1/jobs/x/retry", headers={"X-CSRF-Token": "forged", **ORIGIN}), 403, "csrf")
            token = {"X-CSRF-Token": csrf_of(http.get("/").text), **ORIGIN}
            problem(http.post("/v1/jobs/x/retry", headers=token), 404, "unknown_job")
