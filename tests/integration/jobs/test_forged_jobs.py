"""Somebody who can write to Redis still cannot choose code: of all that is in RQ's queue, only our own jobs run."""

from __future__ import annotations

import json
import os
import pickle
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis

from state import keys
from tests.harness.fleet import Fleet
from tests.harness.protocol import Play
from tests.harness.servers import Server
from workers.jobs.allowed import JobRefused
from workers.jobs.perform import perform
from workers.jobs.queue import QUEUE, ask, job_queue


class Bomb:
    """Runs a shell command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self._command,)


def push(store: redis.Redis, job_id: str, **fields: str | bytes) -> None:
    """Store a job as RQ does, without RQ."""
    plain = {"status": "queued", "origin": QUEUE, "created_at": "2026-01-01T00:00:00.000000Z"}
    store.hset(f"rq:job:{job_id}", mapping={**plain, "timeout": "30", **fields})
    store.sadd("rq:queues", f"rq:queue:{QUEUE}")
    store.rpush(f"rq:queue:{QUEUE}", job_id)


def call(name: str, *arguments: object, instance: object = None, **named: object) -> bytes:
    return json.dumps([name, instance, arguments, named]).encode()


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address, and the paths that somebody asked for there."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_forged_job_runs_nothing_and_the_jobs_process_goes_on(
    valkey: Server, store: redis.Redis, tmp_path: Path, listener: tuple[str, list[str]]
) -> None:
    traces = tmp_path / "traces"
    traces.mkdir()
    (tmp_path / "trap.py").write_text(
        "import pathlib, sys\n"
        f"(pathlib.Path({str(traces)!r}) / 'imported').touch()\n"
        f"def spring(*arguments): (pathlib.Path({str(traces)!r}) / 'called').touch()\n"
    )
    address, asked = listener
    touch = f"touch {traces}/ran"
    bomb = pickle.dumps(Bomb(touch), protocol=4)
    harmless = call("summarise", "unknown")
    hook = json.dumps([{"url": address, "job_status": status} for status in ("finished", "failed")])
    every_callback = {f"{when}_callback_name": "trap.spring" for when in ("success", "failure", "stopped")}
    forged: dict[str, dict[str, str | bytes]] = {
        "shell": {"data": call("os.system", touch)},
        "packed-shell": {"data": zlib.compress(call("os.system", touch))},
        "module": {"data": call("trap.spring")},
        "method": {"data": call("system", touch, instance="os")},
        "builtin": {"data": call("builtins.eval", f"__import__('os').system({touch!r})")},
        "by-path": {"data": call("workers.jobs.summary.write", "unknown")},
        "pickle": {"data": bomb},
        "packed-pickle": {"data": zlib.compress(bomb)},
        "meta": {"data": harmless, "meta": bomb},
        "result": {"data": harmless, "result": bomb},
        "callbacks": {"data": harmless, **every_callback},
        "callbacks-of-a-failure": {"data": call("no such job"), **every_callback},
        "webhooks": {"data": harmless, "webhooks": hook},
        "webhooks-of-a-failure": {"data": call("no such job"), "webhooks": hook},
        "named-arguments": {"data": call("summarise", "unknown", command=touch)},
        "not-an-id": {"data": call("redrive", "$(" + touch + ")")},
        "numbers": {"data": call("summarise", "unknown"), "timeout": "nonsense"},
        "a-bomb-of-zeros": {"data": zlib.compress(bytes(10_000_000))},
        "no-status": {"data": harmless, "status": "bogus"},
        "../not a job's id": {"data": harmless},
        "retries": {"data": call("no such job"), "retries_left": "5", "retry_intervals": "[1]"},
    }
    for job_id, fields in forged.items():
        push(store, job_id, **fields)
    store.rpush(f"rq:queue:{QUEUE}", "nothing-there")
    play = Play(store)
    play.ingest.create("real", ["t"], {})
    play.ingest.end("real")
    ask(job_queue(store), "summarise", "real")

    fleet = Fleet(valkey, tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), str(Path.cwd())]))
    jobs = fleet.start("jobs")
    fleet.wait(lambda: store.hexists(keys.call("real"), "summary"), why="the real job is done, after all forged ones")
    assert store.llen(f"rq:queue:{QUEUE}") == 0
    assert jobs.poll() is None
    assert list(traces.iterdir()) == [] and asked == []
    assert fleet.stop() == [0]


@pytest.mark.parametrize(
    "data",
    [
        call("os.system", "true"),
        call("summarise"),
        call("summarise", "a", "b"),
        call("summarise", 1),
        call("summarise", ["a"]),
        call("summarise", "a:b"),
        call("summarise", "x" * 129),
        call("summarise", "a", redact=False),
        call("summarise", "a", instance="x"),
        call("redrive", "a"),
        call("redrive", "1-99999999999999999999999"),
        b"",
        b"null",
        b"{}",
        b"\x80\x04.",
    ],
)
def test_only_a_known_name_with_a_fitting_argument_is_a_job(store: redis.Redis, data: bytes) -> None:
    with pytest.raises(JobRefused):
        perform(store, data)
    assert store.dbsize() == 0
