"""GET /v1/calls/{id}/recording: who may hear a recording, and how to fetch it."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient

from state.archive.opening import Archive
from state.people.audit import Audit
from state.recording.sounds import Named, Sounds
from tests.harness.api import app_client, problem
from tests.harness.recorded import recorded
from tests.harness.servers import Server
from workers.sentiment.assessor import Assessor

KEYS = "crm:read:0123456789abcdef,switch:ingest:fedcba9876543210"
READER = {"Authorization": "Bearer 0123456789abcdef"}
SOUND = "/v1/calls/c/recording/sound"


@pytest.fixture
def place(tmp_path: Path) -> tuple[Archive, Sounds]:
    return Archive(f"sqlite:///{tmp_path / 'archive.db'}"), Sounds(str(tmp_path / "recordings"))


@pytest.fixture
def http(valkey: Server, store: redis.Redis, tmp_path: Path) -> FlaskClient:
    told = {"database_url": f"sqlite:///{tmp_path / 'archive.db'}", "recordings": str(tmp_path / "recordings")}
    return app_client(valkey, auth="on", api_keys=KEYS, **told)


@pytest.fixture
def call(store: redis.Redis, place: tuple[Archive, Sounds]) -> Named:
    return recorded(store, *place, Assessor())


def test_a_recording_is_fetched_whole_and_in_parts(http: FlaskClient, call: Named, store: redis.Redis) -> None:
    about = http.get("/v1/calls/c/recording", headers=READER).get_json()
    assert (about["seconds"], about["rate"], about["silences"], about["step"]) == (3.0, 8000, [], 0.1)
    assert len(about["left"]) == len(about["right"]) == 30 and 90 < max(about["left"]) <= 100
    whole = http.get(SOUND, headers=READER)
    assert (whole.status_code, whole.content_type) == (200, "audio/flac") and whole.data[:4] == b"fLaC"
    assert whole.headers["Accept-Ranges"] == "bytes" and len(whole.data) == about["bytes"]
    part = http.get(SOUND, headers=READER | {"Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, whole.data[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{about['bytes']}"
    end = http.get(SOUND, headers=READER | {"Range": "bytes=-5"})
    assert (end.status_code, end.data) == (206, whole.data[-5:])
    assert http.get(SOUND, headers=READER | {"Range": f"bytes={about['bytes']}-"}).status_code == 416
    head = http.head(SOUND, headers=READER)
    assert (head.status_code, head.content_length, head.data) == (200, about["bytes"], b"")
    told = [(entry.deed.who, entry.deed.what, entry.deed.about) for entry in Audit(store).read("reads", 9)]
    assert ("key crm", "recording", "c") in told


def test_nobody_hears_without_the_right_to_read(http: FlaskClient, call: Named) -> None:
    for path in (SOUND, "/v1/calls/c/recording"):
        assert http.get(path).status_code == 401
        assert http.get(path, headers={"Authorization": "Bearer fedcba9876543210"}).status_code == 403


def test_what_is_not_there_is_a_clear_404(
    http: FlaskClient, store: redis.Redis, call: Named, place: tuple[Archive, Sounds]
) -> None:
    problem(http.get("/v1/calls/other/recording", headers=READER), 404, "no_recording")
    place[1].forget(call)
    problem(http.get(SOUND, headers=READER), 404, "no_recording")
    problem(http.get("/v1/calls/c/recording?x=1", headers=READER), 400, "invalid")
