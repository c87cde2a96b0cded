"""The endpoints: receivers, and the events that each gets. A secret is shown once, when an endpoint is made."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, delete, func, insert, select, update

from state.archive.opening import Archive
from state.archive.tables import deliveries, endpoints, positions
from state.refusal import Refusal
from state.webhooks.happenings import EVENT_TYPES, EventType
from state.webhooks.signing import new_secret

MAX_ENDPOINTS = 50
"""At most so many endpoints, because each needs a thread."""

MAX_URL = 2000

NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"

KAFKA = "kafka"
"""Name and form of the endpoint that stands for KAFKA_BOOTSTRAP."""

FEED = "feed"
"""Name of the position in the calls' feed."""

Form = Literal["standard", "slack", "kafka"]
"""standard: the message as JSON.  slack: a sentence, for receivers that understand Slack's.  kafka: a record."""

Name = Annotated[str, Meta(pattern=NAME)]


class Endpoint(msgspec.Struct, frozen=True):
    """One receiver. events: those that it always gets; rules may name it besides.  gone_at_ms, gone_why: when it was
    switched off, and why."""

    name: str
    url: str
    events: list[str]
    form: Form
    secret: str
    made_at_ms: int
    gone_at_ms: int | None = None
    gone_why: str = ""


class EndpointRefused(Refusal):
    """It cannot be made."""


def add(archive: Archive, url: str, events: list[EventType], form: Form, name: str, at_ms: int, tip: str) -> Endpoint:
    """Make an endpoint. name: "" takes one from the address.  tip: the feed's cursor now: the first endpoint is told
    what comes after it. Raises EndpointRefused, ArchiveAway."""
    check_url(url)
    with archive.writing() as connection:
        taken = set(connection.execute(select(endpoints.c.name)).scalars())
        if len(taken) >= MAX_ENDPOINTS:
            raise EndpointRefused("there are {n} webhooks already", n=MAX_ENDPOINTS)
        name = name or _free_name(url, taken)
        if not re.fullmatch(NAME, name) or name == KAFKA:
            raise EndpointRefused("a name has small letters, digits, _ and -; kafka is taken")
        if name in taken:
            raise EndpointRefused("there is a webhook named {name} already", name=name)
        known = [one for one in EVENT_TYPES if one in events]
        made = Endpoint(name, url, list(known), form, new_secret(), at_ms)
        put(connection, made, tip)
    return made


def put(connection: Connection, made: Endpoint, tip: str) -> None:
    """Write a new endpoint down, and where in the feed it begins."""
    connection.execute(
        insert(endpoints).values(
            name=made.name, url=made.url, events=",".join(made.events), form=made.form, secret=made.secret,
            made_at_ms=made.made_at_ms,
        )
    )  # fmt: skip
    _begin(connection, tip)


def _begin(connection: Connection, tip: str) -> None:
    """Follow the feed from `tip`, unless somebody follows it already."""
    if connection.execute(select(positions.c.name).where(positions.c.name == FEED)).first() is None:
        connection.execute(insert(positions).values(name=FEED, cursor=tip))


def keep_kafka(archive: Archive, topic: str, at_ms: int, tip: str) -> None:
    """Make the endpoint that stands for Kafka if there is a topic, and remove it otherwise."""
    if not topic:
        remove(archive, KAFKA)
        return
    with archive.writing() as connection:
        if not any(one.name == KAFKA for one in read(connection)):
            put(connection, Endpoint(KAFKA, f"kafka:{topic}", list(EVENT_TYPES), "kafka", "", at_ms), tip)


def check_url(url: str) -> None:
    """Raises EndpointRefused for what is no address of a webhook."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (it raises ValueError)
    except ValueError:
        raise EndpointRefused("this is no address") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or len(url) > MAX_URL or not url.isprintable():
        raise EndpointRefused("the address must begin with https:// (http:// for one of WEBHOOK_ALLOW)")
    if parts.username is not None or parts.password is not None or parts.fragment or " " in url:
        raise EndpointRefused("the address may hold no name, password, blank or #")


def host(url: str) -> str:
    """Of an address, for the audit trail: the rest may hold a secret, as Slack's does. "?" if it has none."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def every(archive: Archive) -> list[Endpoint]:
    """All endpoints by name."""
    with archive.reading() as connection:
        return read(connection)


def read(connection: Connection) -> list[Endpoint]:
    """All endpoints by name, in this transaction."""
    rows = connection.execute(select(endpoints).order_by(endpoints.c.name))
    return [
        Endpoint(
            row.name, row.url, [one for one in row.events.split(",") if one], row.form, row.secret, row.made_at_ms,
            row.gone_at_ms, row.gone_why or "",
        )
        for row in rows
    ]  # fmt: skip


def remove(archive: Archive, name: str) -> bool:
    """Remove an endpoint and its log. Whether there was one."""
    with archive.writing() as connection:
        return connection.execute(delete(endpoints).where(endpoints.c.name == name)).rowcount > 0


def enable(archive: Archive, name: str, tip: str) -> bool:
    """Switch an endpoint on again; tip: as of `add`. Whether there is one."""
    with archive.writing() as connection:
        _begin(connection, tip)
        on = update(endpoints).where(endpoints.c.name == name).values(gone_at_ms=None, gone_why=None)
        return connection.execute(on).rowcount > 0


def counts(archive: Archive) -> dict[tuple[str, str], int]:
    """How many deliveries of the log each endpoint has in each state."""
    by = (deliveries.c.endpoint, deliveries.c.state)
    with archive.reading() as connection:
        return {
            (name, state): count for name, state, count in connection.execute(select(*by, func.count()).group_by(*by))
        }


def _free_name(url: str, taken: set[str]) -> str:
    host = re.sub(r"[^a-z0-9]+", "-", (urlsplit(url).hostname or "").lower()).strip("-")[:50] or "webhook"
    host = host if host != KAFKA else "webhook"
    names = [host, *(f"{host}-{n}" for n in range(2, MAX_ENDPOINTS + 2))]
    return next(one for one in names if one not in taken)
