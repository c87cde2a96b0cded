"""/metrics: the fleet's gauges, computed from the store when Prometheus asks, and this process's own figures.

Every web process gives the same gauges, so a rule takes their maximum, not their sum.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import redis
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from state.archive.away import ArchiveAway
from state.archive.opening import Archive
from state.calls.health import Health
from state.metrics import registry
from state.webhooks import endpoints

log = logging.getLogger("earshot.web")

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class FleetCollector(Collector):
    """Gauges of the whole fleet. With Redis away there is one: earshot_redis_up 0."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("earshot_redis_up", "1 if the store answers")
        try:
            gauges = self._gauges()
        except redis.RedisError as error:
            log.warning("metrics: redis refused", extra={"error": repr(error)})
            gauges = []
        up.add_metric([], float(bool(gauges)))
        yield up
        yield from gauges

    def _fullest(self) -> tuple[int, int]:
        """Bytes used and allowed of the server that has the least left."""
        found = [(int(info["used_memory"]), int(info.get("maxmemory", 0))) for info in self._health.servers("memory")]
        return max(found, key=lambda memory: memory[0] / (memory[1] or float("inf")))

    def _gauges(self) -> list[GaugeMetricFamily]:
        decoders = self._health.decoders()
        fleet, counts = self._health.fleet(decoders), self._health.counts(decoders)
        memory = self._fullest()
        calls = GaugeMetricFamily("earshot_calls", "calls kept, by state (live includes ending)", labels=["state"])
        calls.add_metric(["live"], counts["calls_live"])
        calls.add_metric(["ended"], counts["calls_ended"])
        plain = {
            "decoders_alive": ("decode loops with a heartbeat", fleet.decoders),
            "decoders_busy_ratio": ("share of their time that decode loops work", fleet.busy or 0.0),
            "backlog_seconds": ("audio accepted and not yet decoded", fleet.backlog_seconds),
            "backlog_chunks": ("chunks accepted and not yet decoded", fleet.backlog_chunks),
            "tokens_waiting": ("tracks with audio that wait for a decoder", counts["tokens_waiting"]),
            "finals_waiting": ("utterances not yet scored", counts["finals_waiting"]),
            "calls_unarchived": ("ended calls that wait for the database", counts["calls_unarchived"]),
            "chunks_dead": ("chunks given up and kept for inspection", counts["chunks_dead"]),
            "feed_events": ("events in the feed of the live table", counts["feed_events"]),
            "shards": ("parts of the store", fleet.shards),
            "shards_away": ("parts of the store that do not answer; nothing of them is counted here", len(fleet.away)),
            "redis_memory_used_bytes": ("memory the store uses (of several servers, the fullest)", memory[0]),
            "redis_memory_max_bytes": ("its limit; 0 for none", memory[1]),
        }
        answers = GaugeMetricFamily("earshot_shard_up", "1 if this part of the store answers", labels=["shard"])
        for number in range(fleet.shards):
            answers.add_metric([str(number)], float(number not in fleet.away))
        return [
            calls,
            answers,
            *(GaugeMetricFamily(f"earshot_{name}", about, value=value) for name, (about, value) in plain.items()),
        ]


class ArchiveCollector(Collector):
    """Gauges of the database. With it away there is one: earshot_database_up 0."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("earshot_database_up", "1 if the database answers")
        told = GaugeMetricFamily("earshot_webhook_deliveries", "webhooks that wait or have failed", labels=["state"])
        try:
            counts = endpoints.counts(self._archive)
        except ArchiveAway as error:
            log.warning("metrics: the database is away", extra={"error": str(error)})
            up.add_metric([], 0.0)
            yield up
            return
        up.add_metric([], 1.0)
        for state in ("waiting", "failed"):
            told.add_metric([state], sum(count for (_, found), count in counts.items() if found == state))
        yield up
        yield told


def exposition(health: Health, archive: Archive | None) -> bytes:
    """The answer to a scrape, in Prometheus' text format."""
    of_archive = [ArchiveCollector(archive)] if archive else []
    return generate_latest(registry(FleetCollector(health), *of_archive))
