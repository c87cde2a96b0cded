"""Listening in: sound is kept beside the journal for a while, comes in stereo, and each listening is in the trail."""

from __future__ import annotations

import io
import struct
import wave
from typing import Any

import numpy as np
import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from state import keys
from state.calls.fleet import FleetMember
from state.calls.ingest import Chunk, Ingest
from state.g711 import encode_mulaw
from state.people.audit import Audit
from state.server.shards import shards_of
from state.settings import Settings
from tests.harness.servers import Server
from webapp.api import sound
from webapp.app import create_app

RATE = 8000


def level(value: int, samples: int = RATE) -> Chunk:
    """A second in which every sample is `value`, or what mu-law makes of it."""
    return Chunk(encode_mulaw(struct.pack("<h", value) * samples), "mulaw", RATE)


def heard(answer: TestResponse) -> np.ndarray[Any, Any]:
    """The samples of an answer, shape (length, 2)."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "audio/wav"
    with wave.open(io.BytesIO(answer.data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def seconds(answer: TestResponse, *names: str) -> list[float]:
    return [float(answer.headers[f"Earshot-{name}"]) for name in names]


def listens(store: redis.Redis) -> list[str]:
    return [e.deed.about for e in Audit(store).read("reads", 100) if e.deed.what == "listen" for _ in range(e.count)]


@pytest.fixture
def ingest(store: redis.Redis) -> Ingest:
    return Ingest(store, Settings(listen_seconds=10))


def test_the_agent_is_heard_left_and_the_customer_right_at_the_moment_they_spoke(
    http: FlaskClient, ingest: Ingest
) -> None:
    for second in range(1, 6):
        ingest.put("c", "agent", None, level(1000 * second))
        ingest.put("c", "customer", None, level(-1000 * second))
    answer = http.get("/v1/calls/c/audio?from=1.5&seconds=2")
    samples = heard(answer)
    assert seconds(answer, "From", "Until", "Oldest", "Newest") == [1.5, 3.5, 0.0, 5.0]
    assert len(samples) == 2 * RATE
    for at, second in ((0, 2), (RATE // 2 - 1, 2), (RATE // 2, 3), (RATE * 3 // 2, 4)):
        left, right = samples[at]
        assert left == pytest.approx(1000 * second, rel=0.03)
        assert right == pytest.approx(-1000 * second, rel=0.03)


def test_pieces_asked_for_one_after_the_other_join_without_a_sample_lost_or_twice(
    http: FlaskClient, ingest: Ingest
) -> None:
    noise = np.random.default_rng(1).integers(-20000, 20000, 4 * RATE + 123).astype("<i2")
    for start in range(0, len(noise), 1234):
        ingest.put("c", "customer", None, Chunk(noise[start : start + 1234].tobytes(), "s16le", RATE))
    at, pieces = 0.0, []
    while (answer := http.get(f"/v1/calls/c/audio?from={at:.6f}&seconds=0.7")).status_code == 200:
        pieces.append(heard(answer))
        [at] = seconds(answer, "Until")
    assert answer.status_code == 204
    joined = np.concatenate(pieces)
    assert np.array_equal(joined[:, 0], noise) and np.array_equal(joined[:, 1], noise)


def test_who_begins_to_listen_hears_the_newest_second(http: FlaskClient, ingest: Ingest) -> None:
    for _ in range(8):
        ingest.put("c", "customer", None, level(5000))
    answer = http.get("/v1/calls/c/audio")
    assert seconds(answer, "From", "Until") == [7.3, 8.0]


def test_only_the_newest_seconds_are_kept_and_earlier_ones_begin_with_the_oldest(
    http: FlaskClient, ingest: Ingest, store: redis.Redis
) -> None:
    for second in range(40):
        ingest.put("c", "customer", None, level(100 * second))
    answer = http.get("/v1/calls/c/audio?from=0&seconds=1")
    assert seconds(answer, "Oldest", "Newest", "From") == [30.0, 40.0, 30.0]
    assert 0 < store.ttl(keys.listen("c", "customer")) <= 70
    assert store.memory_usage(keys.listen("c", "customer")) < 10 * RATE * 1.5


def test_a_track_whose_sender_hangs_is_not_waited_for(http: FlaskClient, ingest: Ingest) -> None:
    ingest.put("c", "agent", None, level(1000))
    ingest.put("c", "customer", None, level(2000))
    ingest.put("c", "customer", None, level(2000))
    assert seconds(http.get("/v1/calls/c/audio?from=0"), "Newest") == [1.0]
    for _ in range(3):
        ingest.put("c", "customer", None, level(2000))
    samples = heard(http.get("/v1/calls/c/audio?from=3&seconds=1"))
    assert samples[:, 0].any() == np.False_ and samples[:, 1].all()


def test_who_listens_gets_over_a_gap_longer_than_a_piece(http: FlaskClient, ingest: Ingest) -> None:
    for seq in (1, 2, 8, 9):
        ingest.put("c", "customer", seq, level(1000 * seq), skip_gap=True)
    before = http.get("/v1/calls/c/audio?from=1.5&seconds=0.5")
    assert seconds(before, "Until") == [2.0]
    after = http.get("/v1/calls/c/audio?from=2&seconds=4")
    assert seconds(after, "From", "Until", "Newest") == [7.0, 9.0, 9.0]
    assert heard(after).all()
    assert http.get("/v1/calls/c/audio?from=9&seconds=4").status_code == 204


def test_decoding_trims_its_journal_and_what_may_be_heard_stays(ingest: Ingest, store: redis.Redis) -> None:
    ingest.put("c", "customer", None, level(1000))
    ingest.put("c", "customer", 1, level(1000))  # sent again, and kept once
    fleet = FleetMember(shards_of(store)[0], "w1", Settings())
    fleet.join()
    token = fleet.next_token(0)
    assert token and fleet.open(token, "", 0)
    store.delete(keys.audio("c", "customer"))  # as a track's last commit does
    assert store.xlen(keys.listen("c", "customer")) == 1


def test_with_listening_switched_off_nothing_is_kept(http: FlaskClient, store: redis.Redis, ingest: Ingest) -> None:
    ingest.put("c", "customer", None, level(1000))
    Ingest(store, Settings(listen_seconds=0)).put("c", "customer", None, level(1000))
    assert not store.exists(keys.listen("c", "customer"))
    answer = http.get("/v1/calls/c/audio")
    assert (answer.status_code, answer.get_json(force=True)["reason"]) == (404, "not_kept")
    answer = http.get("/v1/calls/nobody/audio")
    assert (answer.status_code, answer.get_json(force=True)["reason"]) == (404, "unknown_call")


def test_when_memory_is_short_calls_are_taken_and_no_longer_kept_for_listening(
    store: redis.Redis, ingest: Ingest, valkey: Server
) -> None:
    ingest.put("c", "customer", None, level(1000))
    assert store.exists(keys.listen("c", "customer"))
    used = int(store.info("memory")["used_memory"])
    store.config_set("maxmemory", int(used * 1.5))
    try:
        assert Ingest(store, Settings()).put("c", "customer", None, level(1000)).outcome == "OK"
        assert not store.exists(keys.listen("c", "customer"))
    finally:
        store.config_set("maxmemory", 0)


@pytest.mark.parametrize(
    "query", ["from=-1", "from=x", "from=1e3", "seconds=0", "seconds=11", "until=3", "from=1&from=2"]
)
def test_what_cannot_be_meant_is_refused(http: FlaskClient, ingest: Ingest, query: str) -> None:
    ingest.put("c", "customer", None, level(1000))
    assert http.get(f"/v1/calls/c/audio?{query}").status_code == 400


def test_every_listen_is_written_down_once_and_before_a_sound_is_sent(
    http: FlaskClient, ingest: Ingest, store: redis.Redis
) -> None:
    for call in ("c1", "c2"):
        ingest.put(call, "customer", None, level(1000))
    assert http.get("/v1/calls/c1/audio?from=5").status_code == 204
    assert listens(store) == []
    for call in ("c1", "c1", "c2", "c1"):
        assert http.get(f"/v1/calls/{call}/audio?from=0").status_code == 200
    assert listens(store) == ["c2", "c1"]
    for key in store.scan_iter(keys.PREFIX + "listening:*"):
        store.delete(key)  # as after some minutes without listening
    http.get("/v1/calls/c1/audio?from=0")
    assert sorted(listens(store)) == ["c1", "c1", "c2"]
    written = keys.audit_entries("reads")
    store.delete(written, *store.scan_iter(keys.PREFIX + "listening:*"))
    store.set(written, "of another type, so nothing can be written down")
    assert http.get("/v1/calls/c1/audio?from=0").status_code == 503


def test_a_key_cannot_listen(valkey: Server, store: redis.Redis, ingest: Ingest) -> None:
    ingest.put("c", "customer", None, level(1000))
    http = create_app(Settings(redis_url=valkey.url, api_keys="crm:ingest+read:0123456789abcdef")).test_client()
    answer = http.get("/v1/calls/c/audio", headers={"Authorization": "Bearer 0123456789abcdef"})
    assert answer.status_code == 403


def test_tracks_of_different_rates_are_heard_together(ingest: Ingest, http: FlaskClient) -> None:
    tone = (8000 * np.sin(2 * np.pi * 500 * np.arange(16000) / 16000)).astype("<i2")
    ingest.put("c", "agent", None, Chunk(tone.tobytes(), "s16le", 16000))
    ingest.put("c", "customer", None, Chunk(tone[::2].tobytes(), "s16le", 8000))
    answer = http.get("/v1/calls/c/audio?from=0")
    with wave.open(io.BytesIO(answer.data)) as file:
        assert file.getframerate() == 16000
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).astype(float)
    assert np.abs(samples[:-2, 0] - samples[:-2, 1]).max() < 8000 * 0.06  # a wave is 16 points with lines between


def test_a_wav_of_nothing_is_a_wav() -> None:
    with wave.open(io.BytesIO(sound.wav(np.zeros((0, 2), "<i2"), RATE))) as file:
        assert file.getnframes() == 0


def test_what_is_kept_for_listening_never_costs_a_chunk(ingest: Ingest, store: redis.Redis) -> None:
    journal, kept = keys.audio("c", "customer"), keys.listen("c", "customer")
    store.xadd(kept, {"a": "from a time that the server has forgotten"}, id="999999-1")
    assert ingest.put("c", "customer", None, level(1000)).outcome == "OK"
    assert (store.xlen(journal), store.exists(kept)) == (1, 0)
    store.set(kept, "no stream at all")
    assert ingest.put("c", "customer", None, level(1000)).outcome == "OK"
    assert ingest.put("c", "customer", None, level(1000)).outcome == "OK"
    assert (store.xlen(journal), store.xlen(kept)) == (3, 1)
