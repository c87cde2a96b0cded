"""What machines ask: alive, ready, metrics. And what all answers are when Redis is away, full or faulty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from state import keys, metrics
from state.calls.fleet import FleetMember
from state.server.shards import shards_of
from state.settings import Settings
from tests.harness.api import BASIC, CHUNKS, SECOND, app_client, contents, problem, put
from tests.harness.servers import Server, start_server
from webapp.access.rights import public


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, which it may kill or fill."""
    server = start_server("valkey9", dir=tmp_path)
    yield server
    server.kill()


OWN = {
    family.name
    for metric in vars(metrics).values()
    if isinstance(metric, MetricWrapperBase)
    for family in metric.describe()
}
"""Metrics that the process counts about itself. Other tests in this process add to them."""


def gauges(http: FlaskClient) -> dict[str, float]:
    answer = http.get("/metrics")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    return {
        "|".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.text)
        if family.name not in OWN
        for sample in family.samples
    }


def test_ready_means_redis_and_a_decoder(valkey: Server, store: redis.Redis) -> None:
    http = app_client(valkey)
    assert http.get("/healthz").status_code == 200
    assert problem(http.get("/readyz"), 503, "not_ready")["reasons"] == ["No decoder is alive."]
    fleet = FleetMember(shards_of(store)[0], "decoder-1", Settings())
    fleet.join()
    assert http.get("/readyz").get_json() == {"ready": True, "reasons": [], "model": ""}
    fleet.leave()
    problem(http.get("/readyz"), 503, "not_ready")


def test_metrics_are_computed_from_redis(valkey: Server, store: redis.Redis) -> None:
    http = app_client(valkey)
    FleetMember(shards_of(store)[0], "decoder-1", Settings()).join()
    put(http, 1)
    put(http, 2)
    http.post("/v1/calls", json={"call_id": "silent"})
    http.post("/v1/calls/silent/end")
    found = gauges(http)
    assert found.pop("earshot_redis_memory_used_bytes") > 0
    assert found == {
        "earshot_redis_up": 1,
        "earshot_calls|live": 1,
        "earshot_calls|ended": 1,
        "earshot_calls_unarchived": 0,
        "earshot_decoders_alive": 1,
        "earshot_backlog_seconds": 2,
        "earshot_backlog_chunks": 2,
        "earshot_finals_waiting": 0,
        "earshot_tokens_waiting": 1,
        "earshot_shard_up|0": 1,
        "earshot_chunks_dead": 0,
        "earshot_feed_events": 3,
        "earshot_decoders_busy_ratio": 0,
        "earshot_redis_memory_max_bytes": 0,
        "earshot_shards": 1,
        "earshot_shards_away": 0,
    }


def test_requests_are_counted_by_route_and_never_by_call(valkey: Server, store: redis.Redis) -> None:
    http = app_client(valkey)
    assert http.get("/v1/calls/secret-call").status_code == 404
    text = http.get("/metrics").text
    assert 'earshot_request_seconds_count{route="/v1/calls/<call_id>",status="4xx"}' in text
    assert "secret-call" not in text


def test_with_redis_away_everything_is_503_until_it_is_back(own: Server) -> None:
    http = app_client(own)
    assert put(http, 1).status_code == 202
    own.kill()
    for answer in (
        put(http, 2),
        http.post(CHUNKS, data=SECOND, headers=BASIC),
        http.post("/v1/calls", json={}),
        http.post("/v1/calls/call-1/end"),
        http.get("/v1/calls"),
        http.get("/v1/calls/call-1"),
    ):
        problem(answer, 503, "store_away")
    assert "Redis" in problem(http.get("/readyz"), 503, "not_ready")["detail"]
    assert gauges(http) == {"earshot_redis_up": 0}
    assert http.get("/healthz").status_code == 200
    own.start()
    assert put(http, 1).status_code == 202


def test_memory_running_out_refuses_new_calls_first_and_then_all_chunks(own: Server) -> None:
    with own.client() as client:
        assert put(app_client(own), 1).status_code == 202
        client.setrange("ballast", 32 << 20, "x")  # made by the server: sending it leaves buffers that shrink later
        used = int(client.info("memory")["used_memory"])
        # The limit is 75 percent, for new calls 65. An app measures once a second, so each step has an app of its own.
        client.config_set("maxmemory", int(used / 0.70))
        tight = app_client(own, memory_limit_percent=75)
        before = contents(client)
        problem(tight.post("/v1/calls", json={"call_id": "new"}), 503, "store_full")
        problem(tight.put("/v1/calls/new/tracks/customer/chunks/1", data=SECOND, headers=BASIC), 503, "store_full")
        assert contents(client) == before
        assert put(tight, 2).status_code == 202
        client.config_set("maxmemory", int(used / 0.85))
        full = app_client(own, memory_limit_percent=75)
        before = contents(client)
        problem(put(full, 3), 503, "store_full")
        assert contents(client) == before
        client.config_set("maxmemory", 0)


def test_a_server_that_refuses_writes_for_memory_is_503_too(own: Server) -> None:
    http = app_client(own)
    assert put(http, 1).status_code == 202  # the app measures the pressure now and believes it for a second
    with own.client() as client:
        client.config_set("maxmemory", 1)
        before = contents(client)
        problem(put(http, 2), 503)
        assert contents(client) == before


def test_a_fault_in_redis_data_is_503_and_is_logged_with_its_traceback(
    valkey: Server, store: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    store.set(f"{keys.PREFIX}live", "no list")
    problem(app_client(valkey).get("/v1/calls"), 503, "store_away")
    assert "WRONGTYPE" in caplog.text and "Traceback" in caplog.text


def test_a_fault_of_ours_is_500_and_tells_nothing_of_itself(
    valkey: Server, store: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    http = app_client(valkey)

    def broken() -> str:
        raise RuntimeError("secret detail")

    http.application.view_functions["health.healthz"] = public(broken)
    answer = http.get("/healthz")
    problem(answer, 500, "fault")
    assert "secret" not in answer.text and "secret detail" in caplog.text


def test_every_answer_carries_the_security_headers(valkey: Server, store: redis.Redis) -> None:
    http = app_client(valkey)
    for path in ("/", "/healthz", "/v1/calls", "/v1/nothing", "/nothing"):
        headers = http.get(path, headers={"X-Request-Id": "abc-1"}).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "connect-src 'self';" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Request-Id"] == "abc-1"
        assert "Strict-Transport-Security" not in headers
    assert "Strict-Transport-Security" in http.get("/healthz", base_url="https://x.example").headers
    assert "X-Request-Id" not in http.get("/healthz", headers={"X-Request-Id": 'a" level=error'}).headers
