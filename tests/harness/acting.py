"""Calls that need somebody, and the place where a supervisor's page shows it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import redis
from playwright.sync_api import Locator, Page

from state import keys
from state.events import ScoreEvent, encode
from state.types import Alert, Point, Reason, Sentiment, Standing


def trouble(
    store: redis.Redis, call_id: str, at: float = 12.0, attention: float = 0.8, gist: Sequence[Point] = ()
) -> None:
    """Raise the call, with an alert at that second. gist: the lines of its story."""
    alerts = [Alert("escalation", "Asks for a manager", second) for second in (12.0, 40.0) if second <= at]
    standing = Standing(
        score=-0.6,
        attention=attention,
        alerts=alerts,
        raised=True,
        raised_at=at,
        reasons=[Reason("angry", at)],
        gist=list(gist),
    )
    event = ScoreEvent(call_id, "customer:0", Sentiment(-0.6, 0.5), standing)
    store.hset(keys.call(call_id), "standing", msgspec.msgpack.encode(standing))
    store.xadd(keys.FEED, {"j": encode(event)})


def bell(page: Page) -> Locator:
    return page.locator("[data-bell=count]")


def row(page: Page, call_id: str) -> None:
    page.locator(f'tr[data-call-id="{call_id}"] a').focus()
