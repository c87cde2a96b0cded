"""A chunk that kills the engine costs some restarts and one mark; its call and everybody else's go on."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from scripts.machine.programs import ROOT
from state import keys
from state.calls.dead import DeadLetters
from state.calls.ingest import Chunk
from state.calls.rescue import FORGIVEN_LOSSES
from state.types import Utterance
from tests.harness.broken.poisoned_decoder import POISON
from tests.harness.calls.engines import VOSK
from tests.harness.fleet import Fleet, stub_fleet
from tests.harness.servers import start_server
from workers.decoder.track import DEAD_AFTER_TRIES

POISONED = 6
"""Number of the poisonous chunk."""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with stub_fleet(tmp_path) as fleet:
        yield fleet


def healthy(count: int = 12) -> list[Chunk]:
    return [Chunk(bytes([n]) * 1600, "mulaw", 8000) for n in range(count)]


def said(fleet: Fleet, call_id: str) -> list[Utterance]:
    found = [msgspec.msgpack.decode(packed, type=Utterance) for packed in fleet.transcript(call_id).values()]
    return sorted(found, key=lambda utterance: utterance.index)


@pytest.mark.parametrize(
    ("how", "bound"),
    [
        pytest.param("abort", DEAD_AFTER_TRIES, id="aborts"),
        pytest.param("kill", DEAD_AFTER_TRIES + FORGIVEN_LOSSES, id="is killed from outside"),
        pytest.param("raise", DEAD_AFTER_TRIES, id="raises"),
    ],
)
def test_a_chunk_at_which_the_engine(how: str, bound: int, fleet: Fleet, tmp_path: Path) -> None:
    """A chunk at which the engine fails is given up after some tries, and every other chunk is decoded once."""
    begun = tmp_path / "begun"
    begun.mkdir()
    program = ["tests/harness/broken/poisoned_decoder.py", how, "workers.decoder", str(begun)]
    # On a busy machine, a dead loop's heartbeat may run out before its parent tells why. Then the death costs no try.
    fleet.start("decoder", program, DECODER_LOOPS="2", HEARTBEAT_SECONDS="30")
    fleet.start("sentiment")
    chunks = healthy()
    chunks[POISONED - 1] = Chunk(POISON, "mulaw", 8000)
    fleet.feed("poisoned", {"customer": chunks})
    for n in range(6):
        fleet.feed(f"other-{n}", {"customer": healthy()}, pause_seconds=0.02)
    fleet.wait_ended(["poisoned", *(f"other-{n}" for n in range(6))])

    # once among other chunks, then alone until it is given up
    assert bound - 1 <= len(list(begun.iterdir())) <= bound, "it is given up after this number of tries"
    (letter,) = DeadLetters(fleet.redis).all()
    assert (letter.call_id, letter.track, letter.seq, letter.rate) == ("poisoned", "customer", POISONED, 8000)
    assert letter.audio == POISON and letter.reason
    view = fleet.reads.call("poisoned")
    assert view is not None and view.tracks["customer"].gaps == [(POISONED, POISONED)]
    spoken = said(fleet, "poisoned")
    assert [u.mark for u in spoken] == [None, None, "dead", None, None]
    assert (spoken[2].start, spoken[2].end) == (1.0, 1.2)
    assert sum(len(u.words) for u in spoken) == len(chunks) - 1, "every other chunk is decoded once"
    for n in range(6):
        assert fleet.transcript(f"other-{n}") == fleet.transcript("other-0")
        assert sum(len(u.words) for u in said(fleet, f"other-{n}")) == len(chunks)
    assert fleet.stop() == [0, 0]
    fleet.assert_at_rest()


@pytest.mark.parametrize(
    ("how", "bound"),
    [
        pytest.param("abort", DEAD_AFTER_TRIES, id="aborts"),
        pytest.param("kill", DEAD_AFTER_TRIES + FORGIVEN_LOSSES, id="is killed from outside", marks=pytest.mark.soak),
    ],
)
def test_a_chunk_at_which_libvosk(how: str, bound: int, tmp_path: Path) -> None:
    """Only its utterance's process dies. The decode loop and all else that it keeps warm live on."""
    server = start_server("valkey9", dir=tmp_path)
    fleet = Fleet(server, tmp_path, **VOSK.environ)
    try:
        begun = tmp_path / "begun"
        begun.mkdir()
        decoder = fleet.start(
            "decoder",
            ["tests/harness/broken/poisoned_decoder.py", how, "workers.decoder", str(begun)],
            DECODER_LOOPS="1",
        )
        fleet.wait(lambda: fleet.registered() == 1, seconds=200)
        loops = fleet.loops(decoder)
        speech = VOSK.call()["customer"][:6]
        fleet.feed("calm", {"customer": speech})
        fleet.feed("poisoned", {"customer": [speech[0], Chunk(POISON, "mulaw", 8000), *speech]})
        fleet.wait_finished(["calm", "poisoned"])

        assert bound - 1 <= len(list(begun.iterdir())) <= bound
        assert fleet.loops(decoder) == loops, "no loop died"
        (letter,) = DeadLetters(fleet.redis).all()
        assert (letter.call_id, letter.track, letter.seq) == ("poisoned", "customer", 2)
        healthy = [u.text for u in said(fleet, "calm")]
        assert healthy and [u.text for u in said(fleet, "poisoned") if u.start >= 1.2] == healthy
        assert [u.mark for u in said(fleet, "poisoned") if u.mark] == ["dead"]
        assert fleet.stop() == [0]
        fleet.assert_at_rest()
    finally:
        fleet.kill_all()
        server.kill()


def dead(fleet: Fleet, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.operating.dead", *arguments],
        cwd=ROOT,
        env=dict(os.environ, REDIS_URL=fleet.settings.redis_url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_dead_letters_are_listed_inspected_redriven_and_dropped(fleet: Fleet, tmp_path: Path) -> None:
    fleet.redis.xadd(
        keys.DEAD, {"c": "call-1", "t": "agent", "seq": 3, "r": 8000, "reason": "why", "e": "mulaw", "a": POISON}
    )
    (letter,) = DeadLetters(fleet.redis).all()
    assert f"{letter.id}  " in dead(fleet, "list").stdout and "call-1 agent chunk 3  why" in dead(fleet, "list").stdout

    audio = tmp_path / "dead.wav"
    assert "mulaw, 8000 Hz, 1600 bytes, 0.200 s" in dead(fleet, "inspect", letter.id, "--audio", str(audio)).stdout
    with wave.open(str(audio)) as written:
        assert (written.getframerate(), written.getnframes()) == (8000, 1600)

    begun = tmp_path / "begun"
    begun.mkdir()
    deadly = fleet.start("jobs", ["tests/harness/broken/poisoned_decoder.py", "kill", "workers.jobs", str(begun)])
    killed = dead(fleet, "redrive", letter.id)
    assert killed.returncode == 1 and "killed" in killed.stderr
    assert deadly.poll() is None, "only the job's own process dies"
    deadly.terminate()
    assert deadly.wait(20) == 0
    fleet.processes.remove(deadly)

    fleet.start("jobs")  # with an engine that works
    mended = dead(fleet, "redrive", letter.id)
    assert mended.returncode == 0 and mended.stdout.startswith("w"), mended
    assert f"redriven: {mended.stdout.strip()}" in dead(fleet, "list").stdout
    assert dead(fleet, "drop", letter.id).returncode == 0
    assert dead(fleet, "list").stdout == ""
    assert not fleet.redis.exists(keys.DEAD_TEXTS)
    for wrong in ("1-1", "nonsense"):
        refused = dead(fleet, "redrive", wrong)
        assert refused.returncode == 1 and refused.stderr.startswith("dead: ")
    assert fleet.stop() == [0]
