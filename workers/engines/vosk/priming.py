"""The speech that a recogniser hears before it is copied.

libvosk builds its graph while it decodes, and each recogniser builds its own. Copies of this one need not build again
what it has built. The numbers of the graph's states depend on the order in which they were built and have an effect on
the last digits of confidences. So the speech is part of a model's identity, and every worker hears the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from state.g711 import decode_mulaw

SPEECH = Path(__file__).with_name("priming.ulaw")
"""Four of the demo calls' synthetic voices on a telephone line: mu-law without header. Any speech will do, the model's
language or not: English saved a Korean model as much as Korean did, noise half as much."""

RATE = 8000
"""Samples a second of SPEECH."""

SECONDS = 20
"""Seconds of SPEECH."""

HOW = 1
"""Another number for another `prime`."""


def prime(recogniser: Any, rate: int) -> Iterator[None]:
    """Let a new recogniser of the library hear the speech and make it ready for an utterance.

    It hears a second at a time and yields after each; when no more comes, it is ready. At rates that are no multiple of
    RATE it repeats samples as they fit; the speech need not sound well.
    """
    speech = np.frombuffer(decode_mulaw(SPEECH.read_bytes()), "<i2")
    heard = speech[np.arange(SECONDS * rate) * RATE // rate]
    for second in heard.reshape(SECONDS, rate):
        if recogniser.AcceptWaveform(second.tobytes()):
            recogniser.Result()
        yield
    recogniser.FinalResult()
    recogniser.AcceptWaveform(b"")  # frees its memory of the speech now; otherwise each copy would do so


def identity() -> str:
    """Names the speech and how it is heard."""
    return hashlib.sha256(f"{HOW} {RATE} {SECONDS} ".encode() + SPEECH.read_bytes()).hexdigest()[:8]
