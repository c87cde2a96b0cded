"""A report's figures as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Literal

import msgspec

from state.archive.reports import Figures, Helper, Report

By = Literal["day", "queue", "agent", "helper"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet take text for a formula. An apostrophe before them keeps it text."""


def lines(found: Report, by: By) -> str:
    """A line for each day, queue, agent, or supervisor who answered requests for help."""
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow([by, *(Helper if by == "helper" else Figures).__struct_fields__[1:]])
    told: dict[By, Sequence[Figures | Helper]] = {
        "day": found.days,
        "queue": found.queues,
        "agent": found.agents,
        "helper": found.helpers,
    }
    for one in told[by]:
        name = f"'{one.name}" if one.name.startswith(FORMULA_STARTS) else one.name
        writer.writerow([name, *("" if value is None else value for value in msgspec.structs.astuple(one)[1:])])
    return rows.getvalue()
