"""Reports on ended calls, over the API."""

from __future__ import annotations

import msgspec

from state.archive.reports import Figures


class ApiReport(msgspec.Struct):
    """Figures of ended calls: in all, by day of the zone, by queue and by agent. Raised: needed attention.

    from_day, to_day: both included. Calls archived by an older edition lack figures; they count in `calls`.
    """

    from_day: str
    to_day: str
    zone: str
    whole: Figures
    days: list[Figures]
    queues: list[Figures]
    agents: list[Figures]
