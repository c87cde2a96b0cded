"""Kill any decoder at any instant: the transcript does not change by a byte. Real engines, real processes."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from state.calls.dead import DeadLetters
from state.calls.ingest import Chunk
from state.queues import OTHERS
from state.vocabularies import Vocabularies
from tests.harness.calls.engines import ENGINES, MOONSHINE, VOSK, Engine
from tests.harness.fleet import Fleet
from tests.harness.places import PLACES, Place, store_in

KILLS = {"moonshine": 20, "vosk": 8, "sherpa": 10}
"""A large Vosk model starts and decodes slowly: 20 kills of it with --soak."""

NAME = "Dryver"
"""Said in every queue, as the calls' admins say: it takes the place of "driver"."""

BRIEF_CHUNKS = 8
"""Of each track, seconds."""

ON_A_CLUSTER = "sherpa"
"""The quickest engine. What a cluster does to a lease does not depend on the engine; the others there with --soak."""


def quick_or_soak(quick: list[str]) -> list[Any]:
    """Every place with every engine. On one server, those not in `quick` only with --soak."""
    pairs = [(place, engine) for place in PLACES for engine in ENGINES]
    return [
        pytest.param(
            place,
            engine,
            id=f"{place}-{engine.name}",
            marks=[] if engine.name in (quick if place == PLACES[0] else [ON_A_CLUSTER]) else [pytest.mark.soak],
        )
        for place, engine in pairs
    ]


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Engine:
    chosen: Engine = request.param
    return chosen


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A store of its own for each engine: the calls of one would be another's."""
    with store_in(request.param, tmp_path_factory.mktemp("store")) as place:
        yield place


@pytest.fixture(scope="module")
def fleet(engine: Engine, place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    fleet = Fleet(place, tmp_path_factory.mktemp("fleet"), **engine.environ)
    Vocabularies(fleet.redis).say(OTHERS, [NAME])
    yield fleet
    fleet.kill_all()


@pytest.fixture(scope="module")
def call(engine: Engine) -> dict[str, list[Chunk]]:
    return engine.call()


@pytest.fixture(scope="module")
def brief(call: dict[str, list[Chunk]]) -> dict[str, list[Chunk]]:
    """Its beginning: enough to die in at two chunks of it."""
    return {track: chunks[:BRIEF_CHUNKS] for track, chunks in call.items()}


@pytest.fixture(scope="module")
def calm(
    fleet: Fleet, engine: Engine, call: dict[str, list[Chunk]], brief: dict[str, list[Chunk]]
) -> dict[bytes, bytes]:
    """The transcript as one undisturbed worker makes it; that of the beginning is kept as "calm-brief"."""
    fleet.start("decoder", DECODER_LOOPS="1")
    fleet.feed("calm", call, pause_seconds=0.05)
    fleet.feed("calm-brief", brief)
    fleet.wait_finished(["calm", "calm-brief"])
    assert fleet.stop() == [0]
    fleet.assert_at_rest()
    transcript = fleet.transcript("calm")
    assert len(transcript) >= 4, "the call must have utterances for this to mean anything"
    assert len(fleet.transcript("calm-brief")) >= 2
    if engine is MOONSHINE:
        assert NAME.encode() in b"".join(transcript.values()), "a name must be written for this to mean anything"
    return transcript


@pytest.mark.parametrize(("place", "engine"), quick_or_soak(["moonshine", "vosk", "sherpa"]), indirect=True)
def test_kills_at_random_instants_change_no_byte(
    fleet: Fleet,
    engine: Engine,
    call: dict[str, list[Chunk]],
    calm: dict[bytes, bytes],
    request: pytest.FixtureRequest,
) -> None:
    seed = int(os.environ.get("EARSHOT_SEED", random.randrange(10**6)))
    print(f"seed {seed}")
    dice = random.Random(seed)
    parent = fleet.start("decoder", DECODER_LOOPS="2")
    kills, enough = 0, 20 if request.config.getoption("--soak") else KILLS[engine.name]

    def maybe_kill() -> None:
        nonlocal kills
        time.sleep(dice.uniform(0.0, 0.3))
        loops = fleet.loops(parent)
        if loops and dice.random() < 0.6:
            os.kill(dice.choice(loops), signal.SIGKILL)
            kills += 1
        # No further than two chunks ahead, so that the kills meet decoders at work and not a backlog.
        fleet.wait(lambda: fleet.chunks_waiting() <= 2)

    rounds = 0
    while kills < enough:
        rounds += 1
        fleet.wait(lambda: fleet.registered() > 0 and fleet.loops(parent))  # the self-check has children of its own
        fleet.feed(f"killed-{rounds}", call, after_each=maybe_kill)
        fleet.wait_finished([f"killed-{rounds}"])
    assert fleet.stop() == [0]
    for n in range(rounds):
        assert fleet.readable(f"killed-{n + 1}") == fleet.readable("calm")
        assert fleet.transcript(f"killed-{n + 1}") == calm
    fleet.assert_at_rest()


@pytest.mark.parametrize(("place", "engine"), [pytest.param(PLACES[0], VOSK, id="vosk")], indirect=True)
def test_killed_open_utterances_are_decoded_again_to_the_same_bytes(
    fleet: Fleet, brief: dict[str, list[Chunk]]
) -> None:
    """The kernel kills an utterance's process when memory is out: its loop goes on, and no chunk loses a try."""
    parent = fleet.start("decoder", DECODER_LOOPS="1")
    fleet.feed("calm", brief)
    fleet.wait_finished(["calm"])
    calm = fleet.transcript("calm")
    assert len(calm) >= 2
    loops = fleet.loops(parent)
    kills = 0

    def kill_one_in_three() -> None:
        nonlocal kills
        fleet.wait(lambda: fleet.chunks_waiting() <= 2)
        for pid in fleet.utterances(parent)[::3]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                kills += 1

    fleet.feed("utterances-killed", brief, after_each=kill_one_in_three)
    fleet.wait_finished(["utterances-killed"])
    assert kills >= 5
    assert fleet.loops(parent) == loops
    fleet.wait(lambda: not fleet.utterances(parent), why="none outlives its utterance")
    assert fleet.stop() == [0]
    assert fleet.readable("utterances-killed") == fleet.readable("calm")
    assert fleet.transcript("utterances-killed") == calm
    assert DeadLetters(fleet.redis).all() == []
    fleet.assert_at_rest()


@pytest.mark.parametrize(("place", "engine"), quick_or_soak(["moonshine"]), indirect=True)
def test_a_whole_decoder_killed_at_once_changes_no_byte(
    fleet: Fleet, call: dict[str, list[Chunk]], calm: dict[bytes, bytes]
) -> None:
    """Nobody hands over, not even a parent: heartbeats must run out."""
    first = fleet.start("decoder", DECODER_LOOPS="2")
    middle = sum(len(chunks) for chunks in call.values()) // 2
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        if seen == middle:
            fleet.wait(lambda: fleet.decoded("machine-died", next(iter(call)), 2))
            os.killpg(first.pid, signal.SIGKILL)
            first.wait(10)
            fleet.processes.remove(first)
            fleet.start("decoder", DECODER_LOOPS="1")

    fleet.feed("machine-died", call, after_each=count)
    fleet.wait_finished(["machine-died"])
    fleet.wait(lambda: fleet.registered() <= 1, seconds=30, why="the dead loops are buried")
    assert fleet.stop() == [0]
    assert fleet.transcript("machine-died") == calm
    fleet.assert_at_rest()


@pytest.mark.parametrize(("place", "engine"), quick_or_soak(["moonshine"]), indirect=True)
def test_a_rolling_restart_changes_no_byte_and_charges_no_try(
    fleet: Fleet, call: dict[str, list[Chunk]], calm: dict[bytes, bytes]
) -> None:
    def start() -> subprocess.Popen[bytes]:
        before = fleet.health.fleet().decoders
        parent = fleet.start("decoder", DECODER_LOOPS="1")
        fleet.wait(lambda: fleet.health.fleet().decoders > before)
        return parent

    parents = [start()]
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        for track in call:  # a try is charged only while a chunk is at work, and never for a hand-over
            assert fleet.count("deployed", track, "tries") <= 1
        if seen % 12 == 0:
            old = parents[-1]
            parents.append(start())
            began = time.monotonic()
            old.terminate()
            assert old.wait(20) == 0
            assert time.monotonic() - began < 10
            fleet.processes.remove(old)

    fleet.feed("deployed", call, pause_seconds=0.05, after_each=count)
    fleet.wait_finished(["deployed"])
    assert fleet.stop() == [0]
    assert fleet.transcript("deployed") == calm
    fleet.assert_at_rest()


@pytest.mark.parametrize("point", ["after-delivery", "after-open", "mid-decode", "before-commit", "after-commit"])
@pytest.mark.parametrize(("place", "engine"), quick_or_soak(["moonshine"]), indirect=True)
def test_a_crash_at_this_point_changes_no_byte(
    point: str, fleet: Fleet, brief: dict[str, list[Chunk]], calm: dict[bytes, bytes], tmp_path: Path
) -> None:
    visits = ["3", "11"]
    fleet.start(
        "decoder", ["tests/harness/broken/crashing_decoder.py", point, str(tmp_path), *visits], DECODER_LOOPS="1"
    )
    put = dict.fromkeys(brief, 0)

    def in_step() -> None:
        """One lease a chunk, so that the point is passed often."""
        track = min((name for name in put if put[name] < len(brief[name])), key=lambda name: put[name])
        put[track] += 1
        fleet.wait(lambda: fleet.decoded(point, track, put[track]))

    fleet.feed(point, brief, after_each=in_step)
    fleet.wait_finished([point])
    assert fleet.stop() == [0]
    died = sorted(path.name for path in tmp_path.glob("died-*"))
    assert died == ["died-11", "died-3"], "the point was not reached as often as it should be"
    assert fleet.transcript(point) == fleet.transcript("calm-brief")
    fleet.assert_at_rest()
