"""The same messages go to Kafka, keyed by call and in order. The brokers are those that its client has for tests."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import pytest
import redis
from confluent_kafka import Consumer, Producer

from state.archive.opening import Archive
from state.calls.ingest import Ingest
from state.server.shards import shards_of
from state.settings import Settings, SettingsError
from state.webhooks import deliveries, endpoints
from tests.integration.keeping.test_archive import rows
from tests.integration.webhooks.test_follow import follow
from workers.webhooks import kafka
from workers.webhooks.couriers import Couriers, clock_ms

NOWHERE = "127.0.0.1:9"


def send(archive: Archive, bootstrap: str) -> None:
    topic = kafka.Topic(Settings(kafka_bootstrap=bootstrap))
    couriers = Couriers(archive, lambda _: topic, lambda: False)
    for endpoint in deliveries.due(archive, clock_ms()):
        couriers._work(endpoint)


def test_records_wait_for_the_brokers_and_keep_their_order(
    store: redis.Redis, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints.keep_kafka(archive, "earshot", shards_of(store)[0].now_ms(), "0-0+0")
    for n in range(3):
        Ingest(store, Settings()).create(f"c{n}", ["t"], {})
        Ingest(store, Settings()).end(f"c{n}")
    follow(archive, store)
    monkeypatch.setattr(kafka, "SECONDS", 1)
    send(archive, NOWHERE)
    assert {row.state for row in rows(archive, "deliveries")} == {"waiting"}
    assert sorted(row.tries for row in rows(archive, "deliveries"))[-2:] == [0, 1], "the first one holds the rest back"
    monkeypatch.setattr(kafka, "SECONDS", 30)

    brokers = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "replaced"})
    address = ",".join(f"{one.host}:{one.port}" for one in brokers.list_topics(timeout=10).brokers.values())
    send(archive, address)
    assert {row.state for row in rows(archive, "deliveries")} == {"delivered"}
    told = rows(archive, "messages")
    got: list[Any] = []
    consumer = Consumer({"bootstrap.servers": address, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe(["earshot"])
    for _ in range(60):
        record = consumer.poll(1)
        if record is not None and record.error() is None:
            got.append((dict(record.headers())["webhook-id"].decode(), record.key().decode(), record.value().decode()))
        if len(got) == len(told):
            break
    consumer.close()
    assert sorted(got) == sorted((row.id, row.call_id, row.body) for row in told)
    for call_id in ("c0", "c1", "c2"):
        kinds = [msgspec.json.decode(body)["type"] for _, key, body in got if key == call_id]
        assert kinds == ["call.started", "call.ended"], "a call's records keep their order"
    endpoints.keep_kafka(archive, "", 0, "0-0+0")
    assert endpoints.every(archive) == []


def test_without_its_client_that_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(SettingsError, match="pip install confluent-kafka"):
        kafka.client()
