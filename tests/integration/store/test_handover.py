"""A call handed to a cold worker after every chunk reads as if one worker had written it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import pytest

from state.calls.fleet import FleetMember
from state.calls.ingest import Chunk, Ingest
from state.calls.sight import ALL
from state.server.opening import open_shards
from state.server.shards import Shards
from state.settings import Settings
from state.settings import load as load_settings
from state.types import Utterance
from tests.harness.calls.engines import ENGINES, MOONSHINE, VOSK, Engine
from tests.harness.cluster import Cluster
from tests.harness.places import PLACES
from tests.harness.servers import Server
from workers.decoder.loop import DecodeLoop
from workers.engines.base import Model
from workers.engines.choose import Wanted, choose
from workers.engines.stub import StubModel


@pytest.fixture(scope="module", params=ENGINES, ids=str)
def engine(request: pytest.FixtureRequest) -> Engine:
    chosen: Engine = request.param
    return chosen


@pytest.fixture(scope="module")
def model(engine: Engine) -> Model:
    return choose(Wanted.by(load_settings(engine.environ))).load()


@pytest.fixture(params=PLACES[:1])
def shards(request: pytest.FixtureRequest, valkey: Server) -> Iterator[Shards]:
    """An empty store at one of PLACES: on one server, unless a test says otherwise."""
    settings = Settings(redis_url=valkey.url)
    if request.param == "cluster":
        cluster: Cluster = request.getfixturevalue("cluster")
        cluster.client().flushall()
        settings = Settings(redis_url=cluster.url, jobs_redis_url=valkey.url)
    with valkey.client() as client:
        client.flushall()
    shards = open_shards(settings, "worker")
    yield shards
    shards.close()


class Turns:
    """Decodes a call chunk by chunk; the workers take turns. partials: the open text after each chunk."""

    def __init__(self, shards: Shards, model: Model, workers: int, warm_megabytes: int) -> None:
        settings = Settings(warm_megabytes=warm_megabytes)
        self.shards = shards
        self.ingest = Ingest(shards, settings)
        self.loops = [DecodeLoop(shards, model, f"worker-{n}", settings, lambda: False) for n in range(workers)]
        self.turn = 0
        self.partials: list[tuple[str, int, bytes]] = []

    def decode(self, call_id: str, call: dict[str, list[Chunk]]) -> dict[bytes, bytes]:
        for n in range(max(map(len, call.values()))):
            for track, chunks in call.items():
                if n < len(chunks):
                    assert self.ingest.put(call_id, track, n + 1, chunks[n]).outcome == "OK"
                    self._one(call_id, track)
        self.ingest.end(call_id)
        for track in call:
            self._one(call_id, track)
        shard = self.shards.of(call_id)
        assert shard.redis.hget(shard.keys.call(call_id), "open_tracks") == b"0"
        stored: dict[bytes, bytes] = shard.redis.hgetall(shard.keys.utterances(call_id))
        return dict(sorted(stored.items()))

    def _one(self, call_id: str, track: str) -> None:
        loop = self.loops[self.turn % len(self.loops)]
        self.turn += 1
        shard = self.shards.of(call_id)
        post = loop._post(shard.number, resident=True)
        post._seen, post._next_sight = frozenset({ALL}), math.inf  # the call is in sight,
        post._bench.busy._now = lambda: 0.0  # and the loop is idle, so it makes partials
        post._fleet.join()
        token = post._fleet.next_token(0)
        assert token is not None
        post._work(token)
        if len(self.loops) > 1:
            post._fleet.leave()  # so that its next token goes to whoever comes
        done, partial = shard.redis.hmget(shard.keys.track(call_id, track), "done_seq", "partial")
        self.partials.append((track, int(done), partial))


class Warm(NamedTuple):
    """A call, and what one worker that keeps its recognisers writes of it."""

    call: dict[str, list[Chunk]]
    transcript: dict[bytes, bytes]
    partials: list[tuple[str, int, bytes]]


@pytest.fixture(scope="module")
def warm(engine: Engine, model: Model, valkey: Server) -> Warm:
    """A call as one worker decodes it on one server. All other ways must give the same."""
    call = engine.call()
    if engine is VOSK:
        call = {"customer": call["customer"]}  # a large model is slow, and one track is enough
    with valkey.client() as client:
        client.flushall()  # or this worker would get what other files left
    shards = open_shards(Settings(redis_url=valkey.url), "worker")
    turns = Turns(shards, model, workers=1, warm_megabytes=1000)
    transcript = turns.decode("warm", call)
    shards.close()
    assert len(turns.loops[0]._bench.warm) == 0, "a finished track keeps no recogniser"
    return Warm(call, transcript, turns.partials)


@pytest.mark.parametrize(
    ("engine", "shards"),
    [(engine, place) for engine in ENGINES for place in PLACES if engine is not VOSK or place == "one server"],
    ids=str,
    indirect=True,
)
def test_a_hand_over_to_a_cold_worker_after_every_chunk_changes_no_byte(
    model: Model, shards: Shards, warm: Warm
) -> None:
    cold = Turns(shards, model, workers=2, warm_megabytes=0)
    assert cold.decode("cold", warm.call) == warm.transcript
    assert cold.partials == warm.partials
    said = [msgspec.msgpack.decode(packed, type=Utterance) for packed in warm.transcript.values()]
    assert len(said) >= 4
    assert all(0 <= u.start < u.end <= max(map(len, warm.call.values())) + 1 for u in said)
    assert any(partial for _, _, partial in warm.partials)
    assert any(u.voice for u in said if u.track == "customer"), "the comparison includes how it was spoken"
    assert not any(u.voice for u in said if u.track == "agent")


@pytest.mark.parametrize("engine", [MOONSHINE], ids=str, indirect=True, scope="module")  # no engine matters here
def test_chunks_put_again_and_answers_lost_change_no_byte(model: Model, shards: Shards, warm: Warm) -> None:
    turns = Turns(shards, model, workers=1, warm_megabytes=1000)
    put = turns.ingest.put

    def twice(*args: object, **named: object) -> object:
        first = put(*args, **named)  # type: ignore[arg-type]
        assert put(*args, **named).outcome == "DUP"  # type: ignore[arg-type]
        return first

    turns.ingest.put = twice  # type: ignore[method-assign, assignment]
    assert turns.decode("twice", warm.call) == warm.transcript


def test_a_state_of_another_model_is_decoded_afresh_and_never_misread(
    engine: Engine, model: Model, shards: Shards
) -> None:
    """A new model comes in mid-utterance: all audio is covered once, and earlier finals stay."""
    call = engine.call()
    settings = Settings()
    first = Turns(shards, model, workers=1, warm_megabytes=1000)
    shard = shards.of("deploy")
    client, keys = shard.redis, shard.keys
    track, chunks = max(call.items(), key=lambda item: len(item[1]))
    half = len(chunks) // 2
    for n, chunk in enumerate(chunks[:half]):
        first.ingest.put("deploy", track, n + 1, chunk)
        first._one("deploy", track)
    finals_before = client.hgetall(keys.utterances("deploy"))
    open_seq = int(client.hget(keys.track("deploy", track), "open_seq") or 0)
    FleetMember(shard, "worker-0", settings).leave()
    second = DecodeLoop(shards, StubModel(), "worker-new", settings, lambda: False)._post(0, resident=True)
    second._fleet.join()
    for n, chunk in enumerate(chunks[half:]):
        first.ingest.put("deploy", track, n + half + 1, chunk)
    first.ingest.end("deploy")
    while (token := second._fleet.next_token(0)) is not None:
        second._work(token)
    after = client.hgetall(keys.utterances("deploy"))
    assert finals_before.items() <= after.items()
    new = [msgspec.msgpack.decode(p, type=Utterance) for i, p in after.items() if i not in finals_before]
    assert min(u.start for u in new) >= open_seq - 1, "nothing that had a final is decoded again"
    assert max(u.end for u in new) == pytest.approx(sum(chunk.samples for chunk in chunks) / chunks[0].rate, abs=0.001)
    assert client.hget(keys.call("deploy"), "open_tracks") == b"0"
