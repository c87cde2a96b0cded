"""Follows and delivers until nothing is left, and dies at one step.

Each line on stdin is a step. For each, a child does the work, and a line on stdout gives its exit status. A step counts
from 1 what the child sends to the database and to receivers. A step beyond the last kills nothing. A fresh interpreter
for each step would take a minute in all.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from state import keys
from state.archive.opening import Archive, open_archive
from state.server.opening import open_shards
from state.settings import load
from state.webhooks import deliveries
from tests.harness.broken.steps import dying_at
from workers.webhooks.couriers import Couriers, clock_ms
from workers.webhooks.follow import Follower
from workers.webhooks.post import Poster


def work(dies_at: int) -> None:
    step = dying_at(dies_at)

    class Dying(Poster):
        def deliver(self, claimed: Any) -> Any:
            step()  # it is claimed, but not sent
            outcome = super().deliver(claimed)
            step()  # it is sent, and the database does not know
            return outcome

    settings = load()
    shards = open_shards(settings, "worker")
    archive = open_archive(settings)
    assert archive is not None
    shards.plain.delete(keys.turn("webhooks"))
    follower = Follower(shards, archive, "dying", settings.redact)
    assert follower.turn()
    while follower.step():
        pass
    deliver(archive, Dying)


def deliver(archive: Archive, poster: Any) -> None:
    couriers = Couriers(archive, lambda _: poster(["127.0.0.1"], ""), lambda: False)
    for endpoint in deliveries.due(archive, clock_ms()):
        couriers._work(endpoint)


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(int(line))
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


main()
