"""Sounds that a line carries beside its caller: other people's talk, and sounds while nobody speaks.

This module makes them all from a fixed seed. Samples are floats in -1..1 at 8 kHz.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from scripts.evaluation.decoding import read_samples
from scripts.evaluation.lines import RATE, SEED, Samples, band, hiss, level
from scripts.simulator.recording import DEMO, PARTIES

TALKERS = 6
"""Voices in the room: so many that nobody makes out one's words."""


def others_talking(snr_db: float) -> Callable[[Samples], Samples]:
    """Add a room of people who talk, so many dB under the speech."""

    def add(samples: Samples) -> Samples:
        room = np.resize(_room(), len(samples))
        ratio = level(samples) / level(room) * 10 ** (-snr_db / 20)
        return np.asarray(samples + ratio * room)

    return add


@cache
def _room() -> Samples:
    """The demo's voices on top of each other, backwards: they sound like speech and have no words."""
    voices = []
    for folder in sorted(DEMO.glob("call-*")):
        for party in PARTIES:
            samples = read_samples(folder, party)
            loud = np.abs(samples) > 0.01
            spoken = samples[np.convolve(loud, np.ones(RATE // 4), "same") > 0][::-1]
            voices.append(spoken / level(spoken))
    length = min(len(voice) for voice in voices)
    return np.asarray(sum(voice[:length] for voice in voices[:TALKERS]))


def silence(seconds: int) -> Samples:
    """Digital silence."""
    return np.zeros(seconds * RATE)


def line_noise(db: float) -> Callable[[int], Samples]:
    """Hiss, so many dB under full scale."""
    return lambda seconds: hiss(seconds * RATE, 10 ** (db / 20))


def hum(seconds: int) -> Samples:
    """The hum of the mains: 50 Hz and its harmonics, as far as the band lets them through."""
    at = np.arange(seconds * RATE) / RATE
    return band(np.asarray(sum(0.05 / n * np.sin(2 * np.pi * 50 * n * at) for n in range(1, 12))))


def ringing(seconds: int) -> Samples:
    """A ring-back tone: 425 Hz, one second in five."""
    at = np.arange(seconds * RATE) / RATE
    return np.asarray(0.2 * np.sin(2 * np.pi * 425 * at) * (at % 5 < 1))


def music(seconds: int) -> Samples:
    """Hold music: a bass, chords, a melody and a drum, two notes a second."""
    random = np.random.default_rng(SEED)
    chords = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16))
    out = np.zeros(seconds * RATE)
    note = RATE // 2
    at = np.arange(note) / RATE
    fall = np.exp(-3 * at)
    drum = np.exp(-40 * at) * random.standard_normal(note)
    for beat in range(2 * seconds):
        chord = chords[beat // 8 % len(chords)]
        pitches = [chord[0] - 24, *chord, chord[int(random.integers(3))] + 12]
        tones = (_tone(220 * 2 ** (pitch / 12), at) for pitch in pitches)
        out[beat * note : (beat + 1) * note] = fall * sum(tones) + 0.5 * drum
    return band(0.06 * out)


def _tone(hz: float, at: Samples) -> Samples:
    return np.asarray(sum(np.sin(2 * np.pi * n * hz * at) / n for n in range(1, 5)))


def room(seconds: int) -> Samples:
    """Other people's talk alone, as an open telephone beside them hears it."""
    talk = np.resize(_room(), seconds * RATE)
    return np.asarray(talk / level(talk) * 10 ** (-35 / 20))


SOUNDS: dict[str, Callable[[int], Samples]] = {
    "digital silence": silence,
    "line noise at -60 dB": line_noise(-60),
    "loud noise at -30 dB": line_noise(-30),
    "mains hum": hum,
    "ringing": ringing,
    "hold music": music,
    "people talking in the room": room,
}
