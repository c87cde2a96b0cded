"""A voice's figures, and when it counts as raised. The voices are made of harmonics, so we know the true figures."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from scripts.evaluation import voices
from state.types import Voice
from workers.decoder.whose_voice import is_measured
from workers.voice.calm import LEAST_UTTERANCES, LOUDEST_CALM_DB, Calm, compare, hear, judge
from workers.voice.heard import Heard
from workers.voice.measure import measure

RATE = 8000


def spoken(
    pitch_hz: float, tilt_db: float, *, level: float = 0.1, seconds: float = 2.0, rate: int = RATE
) -> npt.NDArray[np.int16]:
    """A buzz at `pitch_hz` in the telephone band, with a pause in its middle. Its partials fall by `tilt_db` an
    octave."""
    at = np.arange(int(seconds * rate)) / rate
    wave = np.zeros(len(at))
    for n in range(1, int(3400 / pitch_hz) + 1):
        if n * pitch_hz > 300:
            wave += 10 ** (-tilt_db * np.log2(n) / 20) * np.sin(2 * np.pi * n * pitch_hz * at + n * n)
    wave[int(0.9 * rate) : int(1.3 * rate)] = 0
    hiss = np.random.default_rng(1).standard_normal(len(at)) * 1e-4
    return np.round(32768 * (level * wave / np.abs(wave).max() + hiss)).astype(np.int16)


def figures(pitch_hz: float = 120, tilt_db: float = 9, **how: float) -> Voice:
    found = measure(spoken(pitch_hz, tilt_db, **how), RATE, words=5)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("pitch_hz", [80, 120, 200, 330])
def test_pitch_is_found_without_its_fundamental(pitch_hz: float) -> None:
    found = figures(pitch_hz).pitch_semitones
    assert found == pytest.approx(12 * np.log2(pitch_hz / 100), abs=0.5)


def test_effort_tells_the_tilt_and_not_the_level() -> None:
    calm, loud = figures(tilt_db=12), figures(tilt_db=5)
    assert loud.effort_db > calm.effort_db + 6
    assert figures(tilt_db=12, level=0.02).effort_db == pytest.approx(calm.effort_db, abs=0.5)
    assert figures(tilt_db=12, level=0.02).level_db < calm.level_db - 12


def test_pace_and_pauses() -> None:
    found = figures()
    assert found.words_per_second == 2.5
    assert found.pause_share == pytest.approx(0.2, abs=0.05)


def test_the_rate_of_the_track_changes_little() -> None:
    wide = measure(spoken(120, 9, rate=16000), 16000, words=5)
    assert wide is not None
    assert wide.pitch_semitones == figures().pitch_semitones
    assert wide.effort_db == pytest.approx(figures().effort_db, abs=1)


@pytest.mark.parametrize(
    "samples", [np.zeros(0, np.int16), np.zeros(16000, np.int16), np.full(16000, -32768, np.int16)]
)
def test_silence_and_nonsense_say_nothing_of_a_pitch(samples: npt.NDArray[np.int16]) -> None:
    found = measure(samples, RATE, words=0)
    assert found is None or found.pitch_semitones is None


def test_noise_is_no_voice() -> None:
    hiss = (np.random.default_rng(2).standard_normal(16000) * 3000).astype(np.int16)
    found = measure(hiss, RATE, words=0)
    assert found is not None
    assert found.pitch_semitones is None


def test_the_figures_are_the_same_however_the_audio_came() -> None:
    samples = spoken(150, 8)
    whole = measure(samples[1000:15000], RATE, words=4)
    heard = Heard()
    for at in range(0, len(samples), 777):
        heard.add(samples[at : at + 777].tobytes(), at)
    assert measure(heard.between(1000, 15000), RATE, words=4) == whole
    cold = Heard()
    cold.add(samples[900:].tobytes(), 900)
    assert measure(cold.between(1000, 15000), RATE, words=4) == whole


def test_finished_audio_is_forgotten_and_a_hole_begins_again() -> None:
    heard = Heard()
    heard.add(b"\0\0" * 100, 0)
    heard.add(b"\1\0" * 100, 100)
    heard.forget(before=100)
    assert heard.memory_bytes == 200
    assert list(heard.between(0, 110)) == [1] * 10
    heard.add(b"\2\0" * 10, 500)
    assert list(heard.between(0, 600)) == [2] * 10


# -- against calm speech --------------------------------------------------------------------------------------


def voice(effort_db: float, pitch: float | None) -> Voice:
    return Voice(effort_db, pitch, 4.0, -20.0, 2.5, 0.2)


def calm(*voices: Voice, seconds: float = 3.0) -> Calm:
    told = Calm()
    for one in voices:
        told = hear(told, one, seconds)
    return told


CALM = voice(-8, 3)
ANGRY = voice(0, 10)


def test_nothing_is_said_until_there_is_a_baseline() -> None:
    assert judge(calm(), ANGRY) is None
    assert judge(calm(*[CALM] * (LEAST_UTTERANCES - 1)), ANGRY) is None
    assert judge(calm(*[CALM] * LEAST_UTTERANCES, seconds=0.6), ANGRY) is None
    found = judge(calm(*[CALM] * LEAST_UTTERANCES), ANGRY)
    assert found is not None
    assert found.raised


@pytest.mark.parametrize(
    ("sign", "other"),
    [("another line", voice(0, 3)), ("a noise that hides the pitch", voice(0, None)), ("a high voice", voice(-8, 12))],
)
def test_one_sign_alone_is_not_a_raised_voice(sign: str, other: Voice) -> None:
    found = judge(calm(*[CALM] * 6), other)
    assert found is not None, sign
    assert not found.raised, sign


def test_a_new_line_becomes_the_normal_one() -> None:
    moved = voice(-3, 3)
    before = calm(*[CALM] * 8)
    after = before
    for _ in range(30):
        after = hear(after, moved, 3.0)
    first, last = judge(before, moved), judge(after, moved)
    assert first is not None
    assert last is not None
    assert last.degree < first.degree / 3


def test_who_is_loud_from_the_first_word_is_not_taken_for_calm() -> None:
    shouting = voice(LOUDEST_CALM_DB + 5, 10)
    found = judge(calm(*[shouting] * 5), shouting)
    assert found is not None
    assert found.raised


def test_being_loud_most_of_the_time_does_not_hide_it() -> None:
    found = judge(calm(*[CALM] * 4, *[ANGRY] * 8), ANGRY)
    assert found is not None
    assert found.raised


def test_without_a_pitch_the_effort_gives_the_degree() -> None:
    assert compare(voice(-4, None), -8.2, 3.0).degree == 2.0


def test_whose_voice_is_measured() -> None:
    assert is_measured("customers", "customer")
    assert is_measured("customers", "leg-a")
    assert not is_measured("customers", "Agent")
    assert is_measured("everyone", "agent")
    assert not is_measured("off", "customer")


def test_the_evaluation_reads_acted_speech_and_tells_what_the_contract_names(tmp_path: Path) -> None:
    for mood, pitch_hz, tilt_db in [("neutral", 110, 11), ("angry", 180, 5), ("happy", 170, 8)]:
        for take in range(3):
            save(tmp_path / f"{mood}-03a0{take}.wav", spoken(pitch_hz + 3 * take, tilt_db + 0.3 * take))
    told = voices.figures(voices.load(tmp_path))
    assert told["angry_neutral_auc"] == 1.0
    assert told.keys() == {"angry_neutral_auc", "happy_neutral_auc", "angry_happy_auc"}
    assert "speaker 03" in voices.report(voices.load(tmp_path))


def test_a_folder_without_acted_speech_is_told_in_one_line(tmp_path: Path) -> None:
    save(tmp_path / "somebody.wav", spoken(110, 9))
    with pytest.raises(ValueError, match="CLASS-SPEAKER"):
        voices.load(tmp_path)
    (tmp_path / "angry-03.wav").write_bytes(b"RIFF")
    with pytest.raises(ValueError, match=r"angry-03\.wav"):
        voices.load(tmp_path)


def save(path: Path, samples: npt.NDArray[np.int16]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
