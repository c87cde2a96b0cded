"""Copies the audit trail to the database and kills itself at one step: python -m tests.harness.broken.dying_copier STEP

STEP counts from 1 what the process sends to the database. A STEP beyond the last kills nothing.
"""

from __future__ import annotations

import sys

from state import trail
from state.archive.opening import open_archive
from state.people.audit import Audit
from state.server.opening import open_shards
from state.settings import load
from tests.harness.broken.steps import dying_at


def main() -> None:
    dying_at(int(sys.argv[1]))
    trail.BATCH = 3
    settings = load()
    archive = open_archive(settings)
    assert archive is not None
    trail.copy(Audit(open_shards(settings, "jobs")), archive, settings.audit_years)


main()
