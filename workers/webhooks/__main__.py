"""`python -m workers.webhooks`: one of any number of processes that tell other programs what happens."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable

import redis

from state.archive.opening import Archive, ArchiveAway, open_archive
from state.calls.feed import Feeds, joined
from state.server.opening import check_store, open_shards
from state.server.shards import Shards
from state.settings import Settings
from state.settings.values import networks
from state.webhooks import deliveries, endpoints
from state.webhooks.endpoints import KAFKA, Endpoint
from workers.process import Stop, start
from workers.webhooks.couriers import Carrier, Couriers, clock_ms
from workers.webhooks.follow import Follower
from workers.webhooks.kafka import Topic
from workers.webhooks.post import Poster

PAUSE_SECONDS = 0.5
"""Seconds between two looks for due deliveries, and for new events."""

AWAY_SECONDS = 2.0

FORGET_SECONDS = 600
"""Seconds between two looks for messages that are too old."""

log = logging.getLogger("earshot.webhooks")


def run(settings: Settings) -> None:
    """Follow and deliver until SIGTERM or SIGINT."""
    stop = Stop()
    topic = Topic(settings) if settings.kafka_bootstrap else None
    archive = open_archive(settings)
    if archive is None:
        log.info("DATABASE_URL is not set, so there are no webhooks: nothing to do")
        while not stop():
            time.sleep(PAUSE_SECONDS)
        return
    shards = open_shards(settings, "worker")
    if _when_there(lambda: _prepare(shards, archive, settings), stop):
        allowed, page = networks(settings.webhook_allow), settings.public_url.rstrip("/")

        def carrier(endpoint: Endpoint) -> Carrier:
            return topic if topic is not None and endpoint.form == "kafka" else Poster(allowed, page)

        _work(shards, archive, Couriers(archive, carrier, stop), settings, stop)


def _prepare(shards: Shards, archive: Archive, settings: Settings) -> None:
    check_store(shards)
    endpoints.keep_kafka(archive, settings.kafka_topic if settings.kafka_bootstrap else "", clock_ms(), tip(shards))


def tip(shards: Shards) -> str:
    """The feed's cursor now."""
    return joined(Feeds(shards).tips())


def _work(shards: Shards, archive: Archive, couriers: Couriers, settings: Settings, stop: Stop) -> None:
    follower = Follower(shards, archive, f"{socket.gethostname()}:{os.getpid()}", settings.redact)
    forget_at = 0.0

    def once() -> None:
        nonlocal forget_at
        mine = follower.turn()
        while mine and not stop() and follower.step():
            follower.turn()
        due = deliveries.due(archive, clock_ms())
        couriers.send([one for one in due if mine or one.name != KAFKA])  # one process keeps Kafka's order
        if mine and time.monotonic() >= forget_at:
            forget_at = time.monotonic() + FORGET_SECONDS
            deliveries.forget_old(archive, clock_ms())

    while _when_there(once, stop):
        time.sleep(PAUSE_SECONDS)


def _when_there(work: Callable[[], None], stop: Stop) -> bool:
    """Do it once, as soon as server and database are there. False: to stop."""
    while not stop():
        try:
            work()
            return True
        except (redis.RedisError, ArchiveAway) as error:
            log.warning("server or database is away: what happens is told later", extra={"error": str(error)})
            time.sleep(AWAY_SECONDS)
    return False


if __name__ == "__main__":
    start("webhooks", run)
