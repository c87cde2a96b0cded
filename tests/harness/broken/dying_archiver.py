"""Moves one call to the database and kills itself at one step: python -m tests.harness.broken.dying_archiver CALL STEP

STEP counts from 1 what the process sends to the database and to Redis' script. A STEP beyond the last kills nothing.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from typing import Any

from sqlalchemy import Engine, event

from state.archive.opening import open_archive
from state.calls.departures import Departures
from state.server.opening import open_shards
from state.settings import load
from workers.jobs.archive import move

sent = itertools.count(1)


def step(*_: Any) -> None:
    if next(sent) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
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
