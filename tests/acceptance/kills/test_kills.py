"""Kill any decoder at any instant: the transcript does not change by a byte. Real engines, real processes."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest

from state.calls.dead import DeadLetters
from state.calls.ingest import Chunk
from tests.acceptance.kills.cases import NAME, quick_or_soak
from tests.harness.calls.engines import MOONSHINE, VOSK, Engine
from tests.harness.fleet import Fleet
from tests.harness.places import PLACES

KILLS = {"moonshine": 20, "vosk": 8, "sherpa": 10}
"""Kills by engine; 20 of each with --soak. A large Vosk model starts and decodes slowly."""


@pytest.fixture(scope="module")
def calm(fleet: Fleet, engine: Engine, call: dict[str, list[Chunk]]) -> dict[bytes, bytes]:
    """The transcript as one undisturbed worker makes it."""
    fleet.start("decoder", DECODER_LOOPS="1")
    fleet.feed("calm", call, pause_seconds=0.05)
    fleet.wait_finished(["calm"])
    assert fleet.stop() == [0]
    fleet.assert_at_rest()
    transcript = fleet.transcript("calm")
    assert len(transcript) >= 4, "the call must have utterances for this to mean anything"
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
        fleet.wait(lambda: fleet.registered() > 0 and fleet.loops(parent))  # not only the self-check's children
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
    """If the kernel kills an utterance's process for want of memory, its loop goes on, and no chunk loses a try."""
    parent = fleet.start("decoder", DECODER_LOOPS="1")
    fleet.feed("undisturbed", brief)
    fleet.wait_finished(["undisturbed"])
    calm = fleet.transcript("undisturbed")
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
    assert fleet.readable("utterances-killed") == fleet.readable("undisturbed")
    assert fleet.transcript("utterances-killed") == calm
    assert DeadLetters(fleet.redis).all() == []
    fleet.assert_at_rest()


@pytest.mark.parametrize(("place", "engine"), quick_or_soak(["moonshine"]), indirect=True)
def test_a_whole_decoder_killed_at_once_changes_no_byte(
    fleet: Fleet, call: dict[str, list[Chunk]], calm: dict[bytes, bytes]
) -> None:
    """No parent is left to hand the tokens on, so heartbeats must run out."""
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
