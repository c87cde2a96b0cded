"""Ended calls of a week in March. The tests of reports have their figures, counted by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from state.types import Handling, Standing
from state.views import CallView

BERLIN = ZoneInfo("Europe/Berlin")
TALK = {"talk_ratio": 0.5, "silence_seconds": 8.0, "hold_seconds": 0.0}


def call(
    name: str, begins: datetime, /, raised: float | None = None, taken: float | None = None, **more: Any
) -> CallView:
    """An ended call of 100 s. raised, taken: seconds until it needed somebody, and until somebody came."""
    started = round(begins.timestamp() * 1000)
    handling = Handling() if taken is None else Handling(state="taken", by="sam", at_ms=started + round(1000 * taken))
    summary = {
        "peak_attention": 0.8 if raised is not None else 0.1,
        "raised_seconds": [] if raised is None else [raised],
        "talk": {**TALK, "parties": {"agent": {"interruptions": 2, "words_per_minute": 150.0}}},
        "points": [{"part": "outcome", "text": more.get("outcome", "settled: the customer is content")}],
    }
    return CallView(
        call_id=name,
        state="ended",
        started_at_ms=started,
        ended_at_ms=started + 100_000,
        metadata={key: more[key] for key in ("agent", "queue") if key in more},
        standing=Standing(
            score=more.get("mood", 0.0), curve=more.get("curve", [(0.0, -0.5), (90.0, more.get("mood", 0.0))])
        ),
        handling=handling,
        tracks={},
        last=None,
        utterances=[],
        summary=summary,
    )


NOON = datetime(2026, 3, 27, 12, tzinfo=BERLIN)
REPORTED = [
    call("a", NOON, agent="Dana", queue="billing", mood=0.4),
    call("b", NOON, raised=10, taken=30, agent="Dana", queue="billing", mood=0.2),
    call("c", NOON, raised=10, taken=80, agent="Tom", queue="sales", mood=-0.6, outcome="open: no"),
    call("d", NOON, raised=10, agent="Tom", queue="sales", mood=-1.0, outcome="open: no"),
    call("e", NOON, raised=10, taken=400, agent="=cmd()", mood=-0.2, outcome="unclear"),  # after its end
    call("f", NOON, taken=20, agent="Tom"),  # it never needed anybody
    *(call(f"day {n} {hour}", NOON.replace(hour=hour) + timedelta(days=n)) for n in range(-1, 4) for hour in (0, 23)),
]
"""The clocks go forward in the night to the 29th: that day has 23 hours."""
