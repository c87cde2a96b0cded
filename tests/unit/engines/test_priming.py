"""The speech that a recogniser hears before it is copied: the same everywhere, with a licence that lets us ship it."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.evaluation.decoding import read_pcm
from scripts.simulator.recording import DEMO
from state.g711 import decode_mulaw, encode_mulaw
from workers.engines.vosk.priming import RATE, SECONDS, SPEECH, prime

PIECES = [
    ("address-change", "agent", 8.62),
    ("card-fraud", "customer", 4.17),
    ("on-hold", "agent", 44.35),
    ("tech-support", "customer", 27.21),
]
"""Call, party, and the second at which a piece of five seconds begins."""


class Listener:
    """Stands in for the library's recogniser and writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str | int] = []
        self.heard = b""

    def AcceptWaveform(self, samples: bytes) -> bool:  # noqa: N802 (the library's names)
        self.asked.append(len(samples))
        self.heard += samples
        return len(self.asked) == 3

    def Result(self) -> None:  # noqa: N802
        self.asked.append("result")

    def FinalResult(self) -> None:  # noqa: N802
        self.asked.append("final result")


def test_the_speech_is_cut_from_the_demo_calls() -> None:
    cut = b""
    for call, party, second in PIECES:
        pcm, rate = read_pcm(DEMO / f"call-{call}", party)
        begin = int(second * rate)
        cut += encode_mulaw(pcm[2 * begin : 2 * (begin + 5 * rate)])
    assert cut == SPEECH.read_bytes()
    assert len(cut) == SECONDS * RATE


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 48000])
def test_it_is_heard_a_second_at_a_time_at_every_rate_and_ended(rate: int) -> None:
    listener = Listener()
    assert sum(1 for _ in prime(listener, rate)) == SECONDS
    assert listener.asked == [*[2 * rate] * 3, "result", *[2 * rate] * (SECONDS - 3), "final result", 0]
    speech = np.frombuffer(decode_mulaw(SPEECH.read_bytes()), "<i2")
    assert np.frombuffer(listener.heard, "<i2")[::rate][:SECONDS].tolist() == speech[::RATE].tolist()
