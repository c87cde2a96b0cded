"""scripts/evaluate sends speech through lines and noises. Each does what its name says."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.evaluation import lines, noises
from scripts.evaluation.accuracy import CONDITIONS

SECONDS = 2
AT = np.arange(SECONDS * lines.RATE) / lines.RATE
SPEECH = (
    lines.band(np.asarray(sum(np.sin(2 * np.pi * 150 * n * AT) / n for n in range(1, 20)))) * np.hanning(len(AT)) / 8
)
"""A hum like a voice. It grows and fades."""


def level_db(samples: lines.Samples) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


@pytest.mark.parametrize("name", [name for name in CONDITIONS if "faster" not in name])
def test_every_line_keeps_time_and_fits_the_scale(name: str) -> None:
    through = CONDITIONS[name](SPEECH)
    assert len(through) == len(SPEECH)
    assert np.all(np.isfinite(through)) and np.corrcoef(through, SPEECH)[0, 1] > 0.3


@pytest.mark.parametrize("add", [lines.noise, noises.others_talking])
def test_noise_lies_as_far_under_the_speech_as_it_says(add: object) -> None:
    assert callable(add)
    noise = add(10)(SPEECH) - SPEECH
    assert level_db(SPEECH) - level_db(noise) == pytest.approx(10, abs=0.1)


def test_lost_packets_are_silent_and_as_many_as_it_says() -> None:
    speech = np.ones(60 * lines.RATE)
    through = lines.loss(0.1)(speech)
    lost = through.reshape(-1, 160).max(axis=1) == 0
    assert np.mean(lost) == pytest.approx(0.1, abs=0.02)
    assert np.mean(through == 0) == np.mean(lost)


def test_clipping_cuts_the_peaks_alone() -> None:
    through = lines.clipped(12)(SPEECH)
    assert np.max(np.abs(through)) == pytest.approx(np.max(np.abs(SPEECH)) * 10 ** (-12 / 20))
    small = np.abs(SPEECH) < np.max(np.abs(through))
    assert np.array_equal(through[small], SPEECH[small])


@pytest.mark.parametrize("name", noises.SOUNDS)
def test_sounds_without_speech_last_as_long_as_asked_and_are_the_same_each_time(name: str) -> None:
    sound = noises.SOUNDS[name]
    assert len(sound(3)) == 3 * lines.RATE and np.max(np.abs(sound(3))) <= 1
    assert np.array_equal(sound(3), sound(3))
