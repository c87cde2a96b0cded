"""Moves one call to the database and kills itself at one step: python -m tests.harness.broken.dying_archiver CALL STEP

STEP counts from 1 what the process sends to the database and to Redis' script. A STEP beyond the last kills nothing.
"""

from __future__ import annotations

import sys
from typing import Any

from state.archive.opening import open_archive
from state.calls.departures import Departures
from state.server.opening import open_shards
from state.settings import load
from tests.harness.broken.steps import dying_at
from workers.jobs.archive import move


def main() -> None:
    step = dying_at(int(sys.argv[2]))
    settle = Departures.settle

    def settled(*arguments: Any) -> str:
        step()  # the database has the call, and Redis does not know
        outcome = settle(*arguments)
        step()  # Redis knows, and RQ does not
        return outcome

    Departures.settle = settled  # type: ignore[method-assign, assignment]
    settings = load()
    archive = open_archive(settings)
    assert archive is not None
    move(open_shards(settings, "jobs"), archive, sys.argv[1], settings.redact)


main()
