"""A report's figures as CSV."""

from __future__ import annotations

import csv
import io
from typing import Literal

import msgspec

from state.archive.reports import Figures, Report

By = Literal["day", "queue", "agent"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet take text for a formula. An apostrophe before them keeps it text."""


def lines(found: Report, by: By) -> str:
    """A line for each day, queue or agent."""
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow([by, *Figures.__struct_fields__[1:]])
    for one in {"day": found.days, "queue": found.queues, "agent": found.agents}[by]:
        name = f"'{one.name}" if one.name.startswith(FORMULA_STARTS) else one.name
        writer.writerow([name, *("" if value is None else value for value in msgspec.structs.astuple(one)[1:])])
    return rows.getvalue()
