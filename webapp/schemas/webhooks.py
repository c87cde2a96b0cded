"""Webhooks in the API: receivers, and the log of deliveries."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from state.webhooks.endpoints import MAX_URL
from state.webhooks.happenings import EventType
from webapp.schemas.values import Moment, WebhookName


class NewWebhook(msgspec.Struct, forbid_unknown_fields=True):
    """A receiver to add. events: without any, only rules call it. form: slack sends a sentence, for receivers that
    understand Slack's."""

    url: Annotated[str, Meta(min_length=1, max_length=MAX_URL)]
    events: list[EventType] = msgspec.field(default_factory=list)
    name: WebhookName | None = None
    form: Literal["standard", "slack"] = "standard"


class ApiWebhook(msgspec.Struct, kw_only=True):
    """A receiver. waiting, failed: deliveries of the log. gone_at, gone_why: when it was switched off. secret: only in
    the answer that makes it."""

    name: str
    url: str
    events: list[str]
    form: str
    made_at: Moment
    gone_at: Moment | None
    gone_why: str
    waiting: int
    failed: int
    secret: str | None = None


class ApiWebhooks(msgspec.Struct):
    """All receivers, by name."""

    webhooks: list[ApiWebhook]


class ApiDelivery(msgspec.Struct):
    """A line of the log. due_at: of the next try, while it waits. tried_at, status, error: of the last one."""

    message_id: str
    webhook: str
    type: str
    call_id: str
    at: Moment
    state: Literal["waiting", "delivered", "failed"]
    tries: int
    due_at: Moment | None
    tried_at: Moment | None
    status: int | None
    error: str


class ApiDeliveries(msgspec.Struct):
    """Deliveries, the newest first. next_cursor: of the next page, null on the last."""

    deliveries: list[ApiDelivery]
    next_cursor: str | None
