"""A call handed to a cold worker after every chunk reads as if one worker had written it."""

from __future__ import annotations

import msgspec
import pytest
import redis

from state import keys
from state.calls.fleet import FleetMember
from state.calls.ingest import Chunk, Ingest
from state.server.connection import connect
from state.server.shards import shards_of
from state.settings import Settings
from state.settings import load as load_settings
from state.types import Utterance
from tests.harness.calls.engines import ENGINES, MOONSHINE, VOSK, Engine
from tests.harness.servers import Server
from workers.decoder.loop import DecodeLoop
from workers.engines.base import Model
from workers.engines.choose import Wanted, choose


@pytest.fixture(scope="module", params=ENGINES, ids=str)
def engine(request: pytest.FixtureRequest) -> Engine:
    chosen: Engine = request.param
    return chosen


@pytest.fixture(scope="module")
def model(engine: Engine) -> Model:
    return choose(Wanted.by(load_settings(engine.environ))).load()


class Turns:
    """Decodes a call chunk by chunk, each chunk by the worker whose turn it is; partials as they were shown."""

    def __init__(self, server: Server, model: Model, workers: int, warm_megabytes: int) -> None:
        self.settings = Settings(redis_url=server.url, warm_megabytes=warm_megabytes)
        self.client = connect(self.settings, "worker")
        self.ingest = Ingest(self.client, self.settings)
        self.loops = [
            DecodeLoop(self.client, model, f"worker-{n}", self.settings, lambda: False) for n in range(workers)
        ]
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
        assert self.client.hget(keys.call(call_id), "open_tracks") == b"0"
        stored: dict[bytes, bytes] = self.client.hgetall(keys.utterances(call_id))
        return dict(sorted(stored.items()))

    def _one(self, call_id: str, track: str) -> None:
        loop = self.loops[self.turn % len(self.loops)]
        self.turn += 1
        post = loop._post(0, resident=True)
        post._fleet.join()
        token = post._fleet.next_token(0)
        assert token is not None
        post._work(token)
        if len(self.loops) > 1:
            post._fleet.leave()  # so that its next token goes to whoever comes
        done, partial = self.client.hmget(keys.track(call_id, track), "done_seq", "partial")
        self.partials.append((track, int(done), partial))


def test_a_hand_over_to_a_cold_worker_after_every_chunk_changes_no_byte(
    engine: Engine, model: Model, valkey: Server, store: redis.Redis
) -> None:
    call = engine.call()
    if engine is VOSK:
        call = {"customer": call["customer"]}  # a large model is slow, and two tracks are none of its business
    warm = Turns(valkey, model, workers=1, warm_megabytes=1000)
    once = warm.decode("warm", call)
    assert len(warm.loops[0]._bench.warm) == 0, "a finished track keeps no recogniser"
    cold = Turns(valkey, model, workers=2, warm_megabytes=0)
    again = cold.decode("cold", call)
    assert again == once
    assert cold.partials == warm.partials
    said = [msgspec.msgpack.decode(packed, type=Utterance) for packed in once.values()]
    assert len(said) >= 4
    assert all(0 <= u.start < u.end <= max(map(len, call.values())) + 1 for u in said)
    assert any(partial for _, _, partial in warm.partials)
    assert any(u.voice for u in said if u.track == "customer"), "how it was spoken is part of what is compared"
    assert not any(u.voice for u in said if u.track == "agent")


@pytest.mark.parametrize("engine", [MOONSHINE], ids=str, indirect=True, scope="module")  # no engine's business
def test_chunks_put_again_and_answers_lost_change_no_byte(
    engine: Engine, model: Model, valkey: Server, store: redis.Redis
) -> None:
    call = engine.call()
    once = Turns(valkey, model, workers=1, warm_megabytes=1000).decode("once", call)
    turns = Turns(valkey, model, workers=1, warm_megabytes=1000)
    put = turns.ingest.put

    def twice(*args: object, **named: object) -> object:
        first = put(*args, **named)  # type: ignore[arg-type]
        assert put(*args, **named).outcome == "DUP"  # type: ignore[arg-type]
        return first

    turns.ingest.put = twice  # type: ignore[method-assign, assignment]
    assert turns.decode("twice", call) == once


def test_a_state_of_another_model_is_decoded_afresh_and_never_misread(
    engine: Engine, model: Model, valkey: Server, store: redis.Redis
) -> None:
    """A deploy with a new model in mid-utterance: everything is covered once, earlier finals stay."""
    from workers.engines.stub import StubModel

    call = engine.call()
    settings = Settings(redis_url=valkey.url)
    first = Turns(valkey, model, workers=1, warm_megabytes=1000)
    track, chunks = max(call.items(), key=lambda item: len(item[1]))
    half = len(chunks) // 2
    for n, chunk in enumerate(chunks[:half]):
        first.ingest.put("deploy", track, n + 1, chunk)
        first._one("deploy", track)
    finals_before = first.client.hgetall(keys.utterances("deploy"))
    open_seq = int(first.client.hget(keys.track("deploy", track), "open_seq") or 0)
    FleetMember(shards_of(first.client)[0], "worker-0", settings).leave()
    second = DecodeLoop(first.client, StubModel(), "worker-new", settings, lambda: False)._post(0, resident=True)
    second._fleet.join()
    for n, chunk in enumerate(chunks[half:]):
        first.ingest.put("deploy", track, n + half + 1, chunk)
    first.ingest.end("deploy")
    while (token := second._fleet.next_token(0)) is not None:
        second._work(token)
    after = first.client.hgetall(keys.utterances("deploy"))
    assert finals_before.items() <= after.items()
    new = [msgspec.msgpack.decode(p, type=Utterance) for i, p in after.items() if i not in finals_before]
    assert min(u.start for u in new) >= open_seq - 1, "nothing that had a final is decoded again"
    assert max(u.end for u in new) == pytest.approx(sum(chunk.samples for chunk in chunks) / chunks[0].rate, abs=0.001)
    assert first.client.hget(keys.call("deploy"), "open_tracks") == b"0"
