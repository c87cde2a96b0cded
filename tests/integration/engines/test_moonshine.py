"""What only the Moonshine engine promises."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soxr

from scripts.evaluation.wer import errors
from tests.integration.engines.conftest import Speech
from workers.engines import moonshine as engine
from workers.engines.base import Final, ModelUnusable
from workers.engines.moonshine import MoonshineModel
from workers.engines.selfcheck import decode

SAID = (
    "yes i checked with both neighbors i've done everything you people asked twice ten days are you serious it's my "
    "daughter's birthday present her birthday is tomorrow that's ridiculous this is the worst service i've ever had"
)


def finals_of(model: MoonshineModel, speech: Speech, chunk_seconds: float = 1.0) -> list[Final]:
    return decode(model, speech.pcm, speech.rate, int(chunk_seconds * speech.rate), lambda _number: False).finals


def test_english_on_a_telephone_line_is_understood(moonshine: MoonshineModel, angry: Speech) -> None:
    wrong, words = errors(SAID, " ".join(final.text for final in finals_of(moonshine, angry)))
    assert wrong / words < 0.15


@pytest.mark.parametrize("chunk_seconds", [0.02, 0.2, 0.777, 3, 60])
def test_the_transcript_does_not_depend_on_chunk_sizes(
    moonshine: MoonshineModel, angry: Speech, chunk_seconds: float
) -> None:
    assert finals_of(moonshine, angry, chunk_seconds) == finals_of(moonshine, angry)


def test_asking_for_partials_does_not_change_the_finals(moonshine: MoonshineModel, angry: Speech) -> None:
    recogniser = moonshine.recogniser(angry.rate, None)
    finals = recogniser.accept(angry.pcm, 0) + recogniser.flush()
    assert finals == finals_of(moonshine, angry)


def test_hold_music_is_not_turned_into_words(moonshine: MoonshineModel, hold_music: Speech) -> None:
    finals = finals_of(moonshine, hold_music)
    assert finals
    assert [final for final in finals if 7 < final.start < 22] == []


NOISES = {
    "silence": np.zeros(240_000),
    "lowest value": np.full(240_000, -32768),
    "white noise": np.random.default_rng(0).normal(0, 1000, 240_000),
    "full-scale noise": np.random.default_rng(0).uniform(-32768, 32767, 240_000),
    "clipped tone": 40000 * np.sin(np.arange(240_000) * 0.3),
    "melody": 9000 * np.sin(np.arange(240_000) * np.repeat([0.21, 0.26, 0.31, 0.41] * 10, 6000)),
}


@pytest.mark.parametrize("noise", NOISES)
def test_noise_is_not_turned_into_words(moonshine: MoonshineModel, noise: str) -> None:
    pcm = np.clip(NOISES[noise], -32768, 32767).astype("<i2").tobytes()
    assert finals_of(moonshine, Speech(pcm, 8000)) == []


def test_silence_leaves_a_short_journal(moonshine: MoonshineModel) -> None:
    result = decode(moonshine, bytes(2 * 8000 * 60), 8000, 8000, lambda _number: False)
    spans = [number * 8000 - snapshot.open_from for number, snapshot in enumerate(result.snapshots, 1)]
    assert max(spans) <= 5 * 8000


def test_endless_speech_is_cut_without_losing_words(moonshine: MoonshineModel, angry: Speech) -> None:
    speech = np.frombuffer(angry.pcm, "<i2")
    gapless = np.concatenate(
        [speech[int(a * 8000) : int(b * 8000)] for a, b in ((0.7, 5.1), (10.7, 15.6), (18.2, 21.5))]
    )
    finals = finals_of(moonshine, Speech(gapless.tobytes(), 8000))
    wrong, words = errors(SAID, " ".join(final.text for final in finals))
    assert max(final.end - final.start for final in finals) <= 13.1
    assert wrong / words < 0.25


@pytest.mark.parametrize("rate", [11025, 16000, 44100, 48000])
def test_other_sample_rates_are_understood_and_move_as_well(
    moonshine: MoonshineModel, angry: Speech, rate: int
) -> None:
    samples = soxr.resample(np.frombuffer(angry.pcm, "<i2")[: 8000 * 10], 8000, rate).astype("<i2")
    warm = decode(moonshine, samples.tobytes(), rate, rate, lambda _number: False)
    assert "neighbors" in " ".join(final.text for final in warm.finals)
    assert decode(moonshine, samples.tobytes(), rate, rate, lambda _number: True) == warm


@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_damaged_weights_are_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: str
) -> None:
    folder = Path(shutil.copytree(engine._weights_folder(), tmp_path / "tiny-en"))
    file = folder / "encoder_model.ort"
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:1_000_000])
    monkeypatch.setattr(engine, "_weights_folder", lambda: folder)
    with pytest.raises(ModelUnusable, match=r"encoder_model\.ort") as refusal:
        MoonshineModel()
    assert "\n" not in str(refusal.value)
