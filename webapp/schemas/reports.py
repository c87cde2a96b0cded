"""Reports on ended calls, over the API."""

from __future__ import annotations

import msgspec

from state.archive.reports import Compared, Figures, Helper


class ApiReport(msgspec.Struct):
    """Figures of ended calls: in all, by day of the zone, by queue and by agent. Raised: needed attention.

    from_day, to_day: both included. helpers: who answered agents that asked for help. Calls archived by an older
    edition lack figures; they count in `calls`.
    """

    from_day: str
    to_day: str
    zone: str
    whole: Figures
    days: list[Figures]
    queues: list[Figures]
    agents: list[Figures]
    helpers: list[Helper]


class ApiOverTime(msgspec.Struct):
    """Agents or queues beside each other: the eight with the most calls, each in the same periods. A period is a day,
    or a week if the report covers more than two. Its first day names it."""

    from_day: str
    to_day: str
    zone: str
    compared: list[Compared]
