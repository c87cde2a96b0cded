"""GET /v1/operations: what operators see of the fleet."""

from __future__ import annotations

from pathlib import Path

import redis

from state.calls.fleet import FleetMember
from state.people.access import Access
from state.server.shards import shards_of
from state.settings import Settings
from tests.harness.api import app_client, put
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, sign_in
from tests.integration.jobs.test_jobs_board import update
from webapp.app import create_app


def test_it_tells_what_waits_who_works_and_what_is_wrong(valkey: Server, store: redis.Redis, tmp_path: Path) -> None:
    settings = Settings(redis_url=valkey.url, auth="off", database_url=f"sqlite:///{tmp_path / 'archive.db'}")
    http = create_app(settings).test_client()
    quiet = http.get("/v1/operations").get_json()
    assert (quiet["alerts"], quiet["processes"], quiet["jobs_queued"], quiet["busy"]) == ([], None, None, None)
    assert (quiet["database"], quiet["webhooks_waiting"]) == ("up", 0)

    put(http, 1)
    put(http, 2)
    found = http.get("/v1/operations").get_json()
    assert [alert["name"] for alert in found["alerts"]] == ["EarshotNoDecoder"]
    assert found["shards"] == [
        {"number": 0, "up": True, "calls_live": 1, "lag_seconds": 1.0, "tokens_waiting": 1, "finals_waiting": 0}
    ]
    loop = FleetMember(shards_of(store)[0], "loop", Settings())
    loop.join()
    loop.beat(90)
    update(store)
    found = http.get("/v1/operations").get_json()
    assert [alert["name"] for alert in found["alerts"]] == ["EarshotDecodersBusy"]
    assert (found["decoders"], found["busy"], found["jobs_queued"]) == (1, 0.9, 0)
    assert {"command"} == {one["type"] for one in found["processes"]}


def test_a_database_that_is_away_is_told_and_hides_nothing_else(valkey: Server, store: redis.Redis) -> None:
    settings = Settings(redis_url=valkey.url, auth="off", database_url="postgresql://nobody@127.0.0.1:1/none")
    found = create_app(settings).test_client().get("/v1/operations").get_json()
    assert (found["database"], found["webhooks_waiting"], found["decoders"]) == ("away", None, 0)


def test_only_admins_may_look(valkey: Server, store: redis.Redis) -> None:
    access = Access(store)
    for name, role in (("lee", "admin"), ("dana", "supervisor")):
        access.users.add(name, role, PASSWORD)  # type: ignore[arg-type]
        http = app_client(valkey, auth="on")
        sign_in(http, name)
        allowed = 200 if role == "admin" else 403
        assert http.get("/v1/operations").status_code == http.get("/admin/operations").status_code == allowed
