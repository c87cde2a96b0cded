"""Every engine takes every rate that telephony sends, and gives the same utterances at the same times."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

import numpy as np
import pytest
import soxr

from state import g711
from state.settings import load as load_settings
from tests.harness.calls.engines import ENGINES, Engine
from workers.engines.base import Final, Model
from workers.engines.choose import Wanted, choose
from workers.engines.vosk import priming, recogniser


@pytest.fixture(scope="module", params=ENGINES, ids=str)
def spoken(request: pytest.FixtureRequest) -> Iterator[tuple[Model, Engine]]:
    engine: Engine = request.param
    with pytest.MonkeyPatch.context() as patch:
        for module in (priming, recogniser):  # Vosk is primed at each rate; two seconds are enough here
            patch.setattr(module, "SECONDS", 2)
        yield choose(Wanted.by(load_settings(engine.environ))).load(), engine


def decode(model: Model, engine: Engine, rate: int) -> list[Final]:
    chunks = engine.call()["customer"][: 5 if engine.name == "vosk" else 12]
    stored = b"".join(chunk.audio for chunk in chunks)
    pcm = g711.decode_mulaw(stored) if chunks[0].encoding == "mulaw" else stored
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    resampled = soxr.resample(samples, chunks[0].rate, rate).clip(-32768, 32767).astype("<i2").tobytes()
    track = model.recogniser(rate, None)
    finals = []
    for at in range(0, len(resampled), 2 * rate):
        finals += track.accept(resampled[at : at + 2 * rate], at // 2)
    return finals + track.flush()


def test_every_rate_gives_the_same_utterances(spoken: tuple[Model, Engine]) -> None:
    reference = decode(*spoken, 16000)
    assert reference
    for rate in (11025, 48000):  # below 16000 the models hear less, so words differ but times do not
        finals = decode(*spoken, rate)
        assert [final.start for final in finals] == pytest.approx([final.start for final in reference], abs=0.2), rate
        assert [final.end for final in finals] == pytest.approx([final.end for final in reference], abs=0.2), rate
        said, wanted = ("".join(final.text for final in one) for one in (finals, reference))
        alike = SequenceMatcher(None, said, wanted).ratio()
        assert rate < 16000 or alike > 0.6, (rate, said, wanted)
