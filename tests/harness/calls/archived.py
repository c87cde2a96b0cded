"""Ended calls as the archive gets them, for tests that search and list."""

from __future__ import annotations

from typing import Any

from state.types import Alert, Handling, ScoredUtterance, Sentiment, Standing
from state.views import CallView

NOON = 1_767_268_800_000
"""2026-01-01T12:00Z in ms. Call n began n hours later."""


def archived(n: int, *said: str, attention: float = 0.0, **metadata: str) -> CallView:
    """A call as the archive gets it."""
    tags = ["vip"] if n == 2 else []
    handled: Any = {"state": "taken", "by": "sam"} if n % 2 == 0 else {}
    return CallView(
        call_id=f"a{n}",
        state="ended",
        started_at_ms=NOON + n * 3_600_000,
        ended_at_ms=NOON + n * 3_600_000 + 60_000,
        metadata={"agent": "Dana" if n < 3 else "Tom", "queue": "billing", "caller": f"+1555{n}", **metadata},
        standing=Standing(attention=attention, alerts=[Alert("churn", "wants to leave", 3.0)] if n == 1 else []),
        handling=Handling(**handled, tags=tags),
        tracks={},
        last=None,
        utterances=[
            ScoredUtterance(
                id=f"customer:{i}", track="customer", index=i, start=10.0 * i, end=10.0 * i + 5, text=text, words=[],
                sentiment=Sentiment(0.0, 0.0),
            )
            for i, text in enumerate(said)
        ],
        summary={"duration_seconds": 60.0},
    )  # fmt: skip


ARCHIVED = [
    archived(0, "good morning", "my parcel is lost", "the parcel parcel", attention=0.2),
    archived(1, "i want a refund for the parcel", attention=0.9),
    archived(2, "hello", "it's a refund", attention=0.5),
    archived(3, "nothing of that kind", attention=0.5),
    archived(4, "Über den Fluß", attention=0.1),
]
