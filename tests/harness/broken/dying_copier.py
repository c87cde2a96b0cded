"""Copies the audit trail to the database and kills itself at one step: python -m tests.harness.broken.dying_copier STEP

STEP counts from 1 what the process sends to the database. A STEP beyond the last kills nothing.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from typing import Any

from sqlalchemy import Engine, event

from state import trail
from state.archive.opening import open_archive
from state.people.audit import Audit
from state.server.opening import open_shards
from state.settings import load

sent = itertools.count(1)


def step(*_: Any) -> None:
    if next(sent) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
    trail.BATCH = 3
    settings = load()
    archive = open_archive(settings)
    assert archive is not None
    trail.copy(Audit(open_shards(settings, "jobs")), archive, settings.audit_years)


main()
