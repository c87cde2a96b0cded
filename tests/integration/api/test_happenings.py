"""Holds, mutes, transfers and pauses of the recording: who may report them, what they change, what nothing keeps."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import redis
from flask.testing import FlaskClient

from state import keys
from state.archive.opening import Archive
from state.archive.search import read_call
from state.calls.happenings import MOST, Happenings
from state.calls.leases import read_journal_chunk
from state.people.audit import Audit
from state.recording import catalogue
from state.recording.sounds import Named, Sounds
from state.recording.spool import Spool
from tests.harness.api import app_client, problem
from tests.harness.line import Line
from tests.harness.recorded import finish, noise, pcm, samples, settings
from tests.harness.servers import Server
from workers.jobs.assembly import assemble
from workers.sentiment.assessor import Assessor

KEYS = "switch:ingest:fedcba9876543210,other:ingest:0123456789abcdef,crm:read:abcdef0123456789"
SWITCH = {"Authorization": "Bearer fedcba9876543210"}
READER = {"Authorization": "Bearer abcdef0123456789"}
CHUNKS = "/v1/calls/c/tracks/{}/chunks"
BASIC = {"Content-Type": "audio/PCMU"}


@pytest.fixture
def http(valkey: Server, store: redis.Redis) -> FlaskClient:
    return app_client(valkey, auth="on", api_keys=KEYS, sound_days="*=9", recordings="/x", database_url="sqlite:///x")


def put(http: FlaskClient, track: str, seed: int = 1) -> None:
    answer = http.post(CHUNKS.format(track), data=noise(seed).audio, headers=SWITCH | BASIC)
    assert answer.status_code == 202


def tell(http: FlaskClient, kind: str, **more: str) -> float | None:
    answer = http.post("/v1/calls/c/events", json={"kind": kind, **more}, headers=SWITCH)
    assert answer.status_code == 200, answer.text
    at: float | None = answer.get_json()["at"]
    return at


def heard(store: redis.Redis, track: str) -> list[bytes]:
    """The track's chunks, as decoders get them."""
    entries = store.xrange(keys.audio("c", track))
    return [read_journal_chunk(entry_id, fields).audio for entry_id, fields in entries]


def test_music_on_hold_is_silence_to_decoders_and_a_held_caller_is_heard(http: FlaskClient, store: redis.Redis) -> None:
    put(http, "agent")
    assert tell(http, "hold") == 1.0 and tell(http, "hold") is None
    put(http, "agent", 2)  # began before the hold
    store.hset(keys.call("c"), "held_at_ms", 1)  # some seconds later
    for track in ("agent", "customer"):
        put(http, track, 3)
    tell(http, "resume")
    put(http, "agent", 4)
    assert heard(store, "agent") == [noise(1).audio, noise(2).audio, b"\xff" * 8000, noise(4).audio]
    assert heard(store, "customer") == [noise(3).audio]
    row = http.get("/v1/calls/c", headers=READER).get_json()
    assert [(event["kind"], event["at"], event["track"]) for event in row["events"]] == [
        ("hold", 1.0, "customer"),
        ("resume", 3.0, ""),
    ]


def test_the_pages_are_told_all_that_happened(http: FlaskClient, store: redis.Redis) -> None:
    put(http, "agent")
    tell(http, "mute", track="agent")
    tell(http, "transfer", to="billing")
    told = [msgspec.json.decode(fields[b"j"]) for _, fields in store.xrevrange(keys.FEED, count=1)]
    assert (told[0]["kind"], [event["kind"] for event in told[0]["events"]]) == ("line", ["mute", "transfer"])
    assert told[0]["events"][1]["to"] == "billing"
    assert tell(http, "mute", track="agent") is None and tell(http, "mute", track="customer") is not None
    assert tell(http, "unmute", track="agent") is not None and tell(http, "unmute", track="agent") is None


def test_a_calls_legs_are_told_once_each(http: FlaskClient) -> None:
    answer = http.post("/v1/calls", json={"call_id": "c", "metadata": {"agent": "Ann"}}, headers=SWITCH)
    assert answer.status_code == 201
    put(http, "agent")
    assert tell(http, "join", track="agent", who="Ann") is None, "the call's metadata has said so"
    assert tell(http, "join", track="agent-2", who="Ben") == 1.0
    assert tell(http, "leave", track="agent") == 1.0 and tell(http, "leave", track="agent") is None
    events = http.get("/v1/calls/c", headers=READER).get_json()["events"]
    legs = [(event["kind"], event["track"], event["who"]) for event in events]
    assert legs == [("join", "agent-2", "Ben"), ("leave", "agent", "")]


def test_which_keys_were_pressed_stands_nowhere(http: FlaskClient, store: redis.Redis) -> None:
    put(http, "agent")
    problem(http.post("/v1/calls/c/events", json={"kind": "dtmf", "digit": "7"}, headers=SWITCH), 400, "invalid")
    for _ in range(MOST):
        tell(http, "dtmf", track="customer")
    events = http.get("/v1/calls/c", headers=READER).get_json()["events"]
    assert len(events) == MOST / 2 and set(events[0]) == {"kind", "at", "track", "to", "who"}
    assert tell(http, "hold") is not None, "pressed keys leave room for other events"


def test_a_call_has_a_limit_and_nothing_stays_on_hold_by_it(http: FlaskClient) -> None:
    put(http, "agent")
    for _ in range(MOST - 2):
        tell(http, "transfer", to="x")
    tell(http, "hold")
    tell(http, "transfer")
    problem(http.post("/v1/calls/c/events", json={"kind": "transfer"}, headers=SWITCH), 409, "full")
    assert tell(http, "resume") is not None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "x"},
        {"kind": "mute"},
        {"kind": "hold", "to": "x"},
        {"kind": "transfer", "to": "\n"},
        {"kind": "join", "track": "agent"},
        {"kind": "hold", "who": "Ann"},
    ],
)
def test_what_cannot_be_meant_is_refused(http: FlaskClient, store: redis.Redis, body: dict[str, str]) -> None:
    put(http, "agent")
    problem(http.post("/v1/calls/c/events", json=body, headers=SWITCH), 400, "invalid")
    assert not store.hexists(keys.call("c"), "happened")


def test_only_the_calls_own_sender_tells_and_only_while_it_lasts(http: FlaskClient) -> None:
    put(http, "agent")
    other = {"Authorization": "Bearer 0123456789abcdef"}
    for path in ("events", "recording/pause", "recording/resume"):
        address, body = f"/v1/calls/{{}}/{path}", {"kind": "hold"} if path == "events" else None
        problem(http.post(address.format("c"), json=body, headers=other), 403, "another_sender")
        problem(http.post(address.format("c"), json=body, headers=READER), 403, "scope")
        problem(http.post(address.format("none"), json=body, headers=SWITCH), 404, "unknown_call")
    http.post("/v1/calls/c/end", headers=SWITCH)
    problem(http.post("/v1/calls/c/events", json={"kind": "hold"}, headers=SWITCH), 410, "ended")


def test_a_pause_is_in_the_audit_trail_and_needs_a_recording(http: FlaskClient, store: redis.Redis) -> None:
    put(http, "agent")
    assert http.post("/v1/calls/c/recording/pause", headers=SWITCH).get_json()["at"] == 1.0
    assert http.post("/v1/calls/c/recording/pause", headers=SWITCH).get_json()["at"] is None
    assert http.post("/v1/calls/c/recording/resume", headers=SWITCH).get_json()["at"] == 1.0
    acts = [(entry.deed.who, entry.deed.what, entry.deed.about) for entry in Audit(store).read("acts", 9)]
    assert ("key switch", "recording-paused", "c") in acts and ("key switch", "recording-resumed", "c") in acts
    store.hdel(keys.call("c"), "recorded")
    problem(http.post("/v1/calls/c/recording/pause", headers=SWITCH), 409, "not_recorded")


def test_what_is_said_in_a_pause_is_in_no_file(store: redis.Redis, tmp_path: Path) -> None:
    archive, sounds = Archive(f"sqlite:///{tmp_path / 'archive.db'}"), Sounds(str(tmp_path / "recordings"))
    line, happenings = Line(store, Assessor(), ["customer"], settings=settings("/x")), Happenings(store)
    line.ingest.put("c", "customer", None, noise(0))
    assert happenings.tell("c", "recording-paused").outcome == "OK"
    line.ingest.put("c", "customer", None, noise(1))
    assert happenings.tell("c", "recording-resumed").at == 2.0
    line.ingest.put("c", "customer", None, noise(2))  # began before that
    store.hset(keys.call("c"), "unrecorded_until_ms", 1)  # a second later
    line.ingest.put("c", "customer", None, noise(3))
    assert Spool(store, sounds).take("c") == 1
    started = int(store.hget(keys.call("c"), "started_at_ms"))
    [part] = sounds.parts(Named("c", started))
    assert [piece.sound.audio for piece in sounds.read_part(part)] == [noise(0).audio, noise(3).audio]
    finish(store, archive, line)
    assert assemble(store, archive, sounds, "c") == "OK"
    file = samples(sounds, Named("c", started), tmp_path)
    assert np.array_equal(file[:8000, 0], pcm(noise(0))) and not file[8000:24000].any()
    assert np.array_equal(file[24000:, 0], pcm(noise(3)))
    found, view = catalogue.find(archive, "c"), read_call(archive, "c")
    assert found is not None and found[1].silences == [(1.0, 3.0, "paused")]
    assert view is not None and [event.kind for event in view.events] == ["recording-paused", "recording-resumed"]
