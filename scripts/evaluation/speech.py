"""Written calls as a telephone line carries them: a synthesiser speaks the turns, and the line adds its hiss.

flite (Debian's package flite) speaks, with the two of its voices that the recogniser understands best. They do not act.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import soxr

from scripts.evaluation.lines import RATE, Samples, band, hiss, level, mulaw
from scripts.evaluation.pace import PAUSE_SECONDS
from workers.insight.words.spoken import Spoken

VOICES = ("rms", "slt")
LEVEL = 0.05
"""Level of speech, as a share of full scale: -26 dB, which a line's automatic gain aims at."""
TAIL_SECONDS = 1.0
"""Seconds for which a line stays open after the last word."""


class SpokenCall(NamedTuple):
    """said: the turns with their times. tracks: samples of each party, all equally long."""

    said: list[Spoken]
    tracks: dict[str, Samples]


def say(text: str, voice: str) -> Samples:
    """Speak a text, in the telephone band at LEVEL. Raises ValueError if flite is not installed."""
    if shutil.which("flite") is None:
        raise ValueError("flite is not installed; it speaks the written calls (on Debian: apt-get install flite)")
    with tempfile.TemporaryDirectory(prefix="earshot-") as folder:
        file = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(file)], check=True, capture_output=True)
        return read_speech(str(file))


def read_speech(file: str | IO[bytes]) -> Samples:
    """What a synthesiser wrote as WAV, in the telephone band at LEVEL."""
    with wave.open(file) as sound:
        rate = sound.getframerate()
        spoken = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float64) / 32768
    samples = band(soxr.resample(spoken, rate, RATE))
    return samples * (LEVEL / max(level(samples), 1e-9))


def speak(said: Sequence[Spoken], number: int) -> SpokenCall:
    """Speak a call's turns one after the other. number: of the call, from 0: parties change voices every second one."""
    parties = sorted({one.track for one in said})
    voice = {party: VOICES[(number + at) % len(VOICES)] for at, party in enumerate(parties)}
    spoken = [(one, say(one.text, voice[one.track])) for one in said]
    total = sum(len(samples) for _, samples in spoken) + round(RATE * (PAUSE_SECONDS * len(spoken) + TAIL_SECONDS))
    tracks = {party: np.zeros(total) for party in parties}
    timed, at = [], 0
    for one, samples in spoken:
        tracks[one.track][at : at + len(samples)] = samples
        timed.append(Spoken(one.id, one.track, round(at / RATE, 2), round((at + len(samples)) / RATE, 2), one.text))
        at += len(samples) + round(RATE * PAUSE_SECONDS)
    return SpokenCall(timed, tracks)


def on_the_line(call: SpokenCall, party: str, snr_db: float) -> Samples:
    """A party's track with hiss so many dB under its speech, through G.711."""
    track = call.tracks[party]
    turns = [track[round(one.start * RATE) : round(one.end * RATE)] for one in call.said if one.track == party]
    return mulaw(track + hiss(len(track), level(np.concatenate(turns)) * 10 ** (-snr_db / 20)))
