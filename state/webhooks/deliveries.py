"""Deliveries: written down once, tried until they arrive or are given up, kept for a while as a log.

A delivery that somebody tries is due again after LEASE_SECONDS, in any process, unless its outcome was written down
before. So one that dies with its process is tried again with the same message id: at least once, never lost.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from state.archive.opening import Archive
from state.archive.tables import deliveries, endpoints, erased, messages, positions
from state.archive.write import insert_into, lock
from state.refusal import Unknown
from state.webhooks.endpoints import FEED, Endpoint, read
from state.webhooks.happenings import Message

RETRY_SECONDS = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 21_600, 36_000)
"""Seconds until the next try after each failed one: eleven tries in a day."""

JITTER = 0.1
"""Share by which a pause is longer or shorter, so that deliveries that failed together do not come together."""

LEASE_SECONDS = 60
"""Seconds until a delivery is due again; longer than a try takes (workers/webhooks/post.py)."""

LOG_SECONDS = 2 * 86_400
"""Seconds from its event for which a message stays: a day of tries, and one more to look and redeliver."""

MAX_ERROR = 200

State = Literal["waiting", "delivered", "failed"]
STATES: tuple[State, ...] = ("waiting", "delivered", "failed")


class Claimed(msgspec.Struct, frozen=True):
    """A delivery that somebody tries now. tries: this one included."""

    number: int
    endpoint: Endpoint
    tries: int
    message_id: str
    call_id: str
    body: str


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of a try. status: of the answer, if there was one.  gone: the receiver wants no more.
    patient: it is tried for as long as it is kept, and comes before what is newer."""

    ok: bool
    status: int | None = None
    error: str = ""
    gone: bool = False
    patient: bool = False


class Delivery(msgspec.Struct, frozen=True):
    """A line of the log. due_at_ms: of the next try, while it waits; tried_at_ms: of the last one."""

    message_id: str
    endpoint: str
    type: str
    call_id: str
    at_ms: int
    state: State
    tries: int
    due_at_ms: int
    tried_at_ms: int | None
    status: int | None
    error: str


def position(archive: Archive) -> str | None:
    """The feed's cursor up to which all is written down; None while there is no receiver."""
    with archive.reading() as connection:
        found: str | None = connection.execute(select(positions.c.cursor).where(positions.c.name == FEED)).scalar()
        return found


def record(archive: Archive, told: Sequence[Message], cursor: str, now_ms: int, past: bool = False) -> int:
    """Write down messages for all endpoints that want them, and the cursor after them, as one step.

    It leaves out messages that were written down before, and those of erased calls. past: they may have happened long
    ago; an endpoint only gets what has happened since it was made. Returns how many are new. Without an endpoint that
    is switched on, the position goes, too.
    """
    with archive.writing() as connection:
        active = [one for one in read(connection) if one.gone_at_ms is None]
        new = sum(_put(connection, one, active, now_ms, past) for one in _kept(connection, told)) if active else 0
        place = positions.c.name == FEED
        if active:
            connection.execute(update(positions).where(place).values(cursor=cursor))
        else:
            connection.execute(delete(positions).where(place))
    return new


def _kept(connection: Connection, told: Sequence[Message]) -> list[Message]:
    """Without those of erased calls. Nobody erases one of these until the transaction ends."""
    names = sorted({one.call_id for one in told})
    for call_id in names:
        lock(connection, call_id)
    gone: dict[str, int] = {
        row.call_id: row.erased_at_ms for row in connection.execute(select(erased).where(erased.c.call_id.in_(names)))
    }
    return [one for one in told if gone.get(one.call_id, -1) < one.began_ms]


def _put(connection: Connection, one: Message, active: list[Endpoint], now_ms: int, past: bool) -> bool:
    wanted = [
        endpoint.name
        for endpoint in active
        if ((one.listed and one.type in endpoint.events) or endpoint.name == one.also_to)
        and (not past or one.at_ms >= endpoint.made_at_ms)
    ]
    if not wanted:
        return False
    row = insert_into(connection, messages).values(
        id=one.id, type=one.type, call_id=one.call_id, at_ms=one.at_ms, body=one.body
    )
    number = connection.execute(row.on_conflict_do_nothing(index_elements=["id"]).returning(messages.c.number)).scalar()
    if number is None:
        return False
    rows = [
        {"message": number, "endpoint": name, "state": "waiting", "tries": 0, "due_at_ms": now_ms} for name in wanted
    ]
    connection.execute(insert(deliveries), rows)
    return True


def due(archive: Archive, now_ms: int) -> list[Endpoint]:
    """Endpoints with a delivery to try now."""
    with archive.reading() as connection:
        ready = select(deliveries.c.endpoint).where(deliveries.c.state == "waiting", deliveries.c.due_at_ms <= now_ms)
        names = set(connection.execute(ready.distinct()).scalars())
        return [one for one in read(connection) if one.name in names and one.gone_at_ms is None]


def claim(archive: Archive, endpoint: str, now_ms: int) -> Claimed | None:
    """The endpoint's oldest delivery that is due; nobody else gets it for LEASE_SECONDS."""
    with archive.writing() as connection:
        found = next((one for one in read(connection) if one.name == endpoint and one.gone_at_ms is None), None)
        if found is None:
            return None
        number = connection.execute(
            select(deliveries.c.message)
            .where(deliveries.c.endpoint == endpoint, deliveries.c.state == "waiting", deliveries.c.due_at_ms <= now_ms)
            .order_by(deliveries.c.message)
            .limit(1)
            .with_for_update(skip_locked=True)  # SQLite has one writer anyway
        ).scalar()
        if number is None:
            return None
        begun = update(deliveries).where(_is(number, endpoint))
        begun = begun.values(tries=deliveries.c.tries + 1, due_at_ms=now_ms + LEASE_SECONDS * 1000)
        tries = connection.execute(begun.returning(deliveries.c.tries)).scalar_one()
        row = connection.execute(select(messages).where(messages.c.number == number)).one()
        return Claimed(number, found, tries, row.id, row.call_id, row.body)


def settle(archive: Archive, claimed: Claimed, outcome: Outcome, now_ms: int) -> None:
    """Write down a try's outcome, unless somebody else has begun another one since. Switch off an endpoint that is
    gone."""
    with archive.writing() as connection:
        values: dict[str, Any] = {"tried_at_ms": now_ms, "status": outcome.status, "error": outcome.error[:MAX_ERROR]}
        if outcome.ok:
            values["state"] = "delivered"
        elif outcome.patient:
            values["due_at_ms"] = now_ms
        elif outcome.gone or claimed.tries > len(RETRY_SECONDS):
            values["state"] = "failed"
        else:
            pause = RETRY_SECONDS[claimed.tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)
            values["due_at_ms"] = now_ms + int(pause * 1000)
        mine = _is(claimed.number, claimed.endpoint.name) & (deliveries.c.tries == claimed.tries)
        connection.execute(update(deliveries).where(mine, deliveries.c.state == "waiting").values(**values))
        if outcome.gone:
            _switch_off(connection, claimed.endpoint.name, outcome.error, now_ms)


def _switch_off(connection: Connection, endpoint: str, why: str, now_ms: int) -> None:
    connection.execute(
        update(endpoints).where(endpoints.c.name == endpoint).values(gone_at_ms=now_ms, gone_why=why[:MAX_ERROR])
    )
    waiting = (deliveries.c.endpoint == endpoint) & (deliveries.c.state == "waiting")
    connection.execute(update(deliveries).where(waiting).values(state="failed", error="the webhook was switched off"))


def redeliver(archive: Archive, endpoint: str, message_id: str, now_ms: int) -> None:
    """Try a delivery again, with the same message id. Raises Unknown."""
    with archive.writing() as connection:
        if not any(one.name == endpoint and one.gone_at_ms is None for one in read(connection)):
            raise Unknown("there is no such webhook, or it is switched off")
        number = select(messages.c.number).where(messages.c.id == message_id).scalar_subquery()
        again = update(deliveries).where(deliveries.c.endpoint == endpoint, deliveries.c.message == number)
        if not connection.execute(again.values(state="waiting", tries=0, due_at_ms=now_ms)).rowcount:
            raise Unknown("there is no such delivery in the log")


def log(
    archive: Archive, count: int, endpoint: str | None = None, state: str | None = None, before: int | None = None
) -> tuple[list[Delivery], int | None]:
    """The newest deliveries, and where the next page begins. before: the place that the page before gave."""
    wanted = select(messages, deliveries).join(deliveries, deliveries.c.message == messages.c.number)
    for column, value in ((deliveries.c.endpoint, endpoint), (deliveries.c.state, state)):
        if value is not None:
            wanted = wanted.where(column == value)
    if before is not None:
        wanted = wanted.where(messages.c.number < before)
    with archive.reading() as connection:
        rows = connection.execute(
            wanted.order_by(messages.c.number.desc(), deliveries.c.endpoint).limit(count + 1)
        ).all()
    page = rows[:count]
    if len(rows) > count:  # all deliveries of a message are on one page
        whole = [row for row in page if row.number != rows[count].number]
        page = whole or page
    lines = [
        Delivery(
            row.id, row.endpoint, row.type, row.call_id, row.at_ms, row.state, row.tries, row.due_at_ms,
            row.tried_at_ms, row.status, row.error or "",
        )
        for row in page
    ]  # fmt: skip
    return lines, page[-1].number if len(rows) > count else None


def forget_old(archive: Archive, now_ms: int) -> int:
    """Remove messages older than LOG_SECONDS, with their deliveries. Returns how many."""
    with archive.writing() as connection:
        return connection.execute(delete(messages).where(messages.c.at_ms < now_ms - LOG_SECONDS * 1000)).rowcount


def _is(number: int, endpoint: str) -> Any:
    return (deliveries.c.message == number) & (deliveries.c.endpoint == endpoint)
