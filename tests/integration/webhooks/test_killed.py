"""Whatever step a process dies at, each message arrives, with one id, and is written down once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import redis

from scripts.machine.programs import ROOT
from state.archive.opening import Archive
from state.calls.ingest import Ingest
from state.settings import Settings
from tests.harness.receiver import Receiver
from tests.harness.servers import Server
from tests.integration.keeping.test_archive import rows
from tests.integration.webhooks.test_deliver import receive

ENOUGH = 500


@pytest.fixture
def run(valkey: Server, archive: Archive, database_url: str) -> Iterator[Callable[[int], int]]:
    """Lets the process work until it dies at this step; returns how it ended."""
    archive.prepare()
    environ = {**os.environ, "REDIS_URL": valkey.url, "DATABASE_URL": database_url}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.harness.broken.dying_webhooks"],
        cwd=ROOT, env=environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def step(dies_at: int) -> int:
        stdin.write(f"{dies_at}\n")
        stdin.flush()
        return int(stdout.readline())

    yield step
    stdin.close()
    process.wait(20)


def test_killed_at_any_step_nothing_is_lost_and_nothing_doubled(
    store: redis.Redis, archive: Archive, receiver: Receiver, run: Callable[[int], int]
) -> None:
    made = receive(archive, store, receiver.url)
    assert run(ENOUGH) == 0
    step = 0
    while True:
        step += 1
        Ingest(store, Settings()).create(f"c{step}", ["t"], {})
        status = run(step)
        if status != -signal.SIGKILL:
            break
        with archive.writing() as connection:
            connection.exec_driver_sql("UPDATE deliveries SET due_at_ms = 0")  # a minute passes
        assert run(ENOUGH) == 0
        assert {row.state for row in rows(archive, "deliveries")} == {"delivered"}, f"step {step}"
    assert status == 0 and step > 15
    told = rows(archive, "messages")
    assert len(told) == step and len({row.id for row in told}) == len(told)
    assert len(rows(archive, "deliveries")) == len(told)
    assert {row.state for row in rows(archive, "deliveries")} == {"delivered"}
    got = [message_id for message_id, _ in receiver.got(made.secret)]
    assert set(got) == {row.id for row in told}
    assert len(got) > len(set(got)), "one that was sent and not noted came once more, with its id"
