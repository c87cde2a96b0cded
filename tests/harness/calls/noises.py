"""Sounds of telephone lines without speech, made by arithmetic: 8 kHz, coded as mu-law as on a line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from state import g711

RATE = 8000
SECONDS = 20

Samples = npt.NDArray[np.float64]


def _time() -> Samples:
    return np.arange(SECONDS * RATE) / RATE


def _cadence(tone: Samples, on: float, off: float) -> Samples:
    return tone * ((_time() % (on + off)) < on)


def _sum(*frequencies: float) -> Samples:
    return np.sum([np.sin(2 * np.pi * f * _time()) for f in frequencies], axis=0) / len(frequencies)


def _pink(dice: np.random.Generator) -> Samples:
    spectrum = np.fft.rfft(dice.standard_normal(SECONDS * RATE))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    noise: Samples = np.fft.irfft(spectrum, SECONDS * RATE)
    return noise / np.abs(noise).max()


def ring_back() -> Samples:
    """The American one: 440 and 480 Hz, 2 s on, 4 s off."""
    return 0.3 * _cadence(_sum(440, 480), 2, 4)


def european_ring_back() -> Samples:
    return 0.3 * _cadence(_sum(425), 1, 4)


def busy() -> Samples:
    return 0.3 * _cadence(_sum(480, 620), 0.5, 0.5)


def dial_tone() -> Samples:
    return 0.3 * _sum(350, 440)


def dtmf() -> Samples:
    """Sixteen keys, 0.1 s each, over and over."""
    rows, columns = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
    key = (_time() / 0.2).astype(int) % 16
    low, high = np.array(rows)[key // 4], np.array(columns)[key % 4]
    return 0.4 * _cadence(np.sin(2 * np.pi * low * _time()) / 2 + np.sin(2 * np.pi * high * _time()) / 2, 0.1, 0.1)


def fax() -> Samples:
    """The calling tone (1100 Hz), then the answer (2100 Hz)."""
    return 0.4 * np.where(_time() % 4 < 2, _cadence(_sum(1100), 0.5, 1), _sum(2100))


def hold_music() -> Samples:
    """Chords of decaying notes with overtones, two a second, and a bass."""
    music = np.zeros(SECONDS * RATE)
    chords = [(262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294)]
    for beat in range(SECONDS * 2):
        start = beat * RATE // 2
        t = np.arange(min(RATE, len(music) - start)) / RATE
        for note in chords[beat // 4 % 4]:
            for overtone, loudness in ((1, 1.0), (2, 0.5), (3, 0.25), (4, 0.12)):
                music[start : start + len(t)] += loudness * np.sin(2 * np.pi * note * overtone * t) * np.exp(-3 * t)
    return 0.5 * music / np.abs(music).max()


def hold_strings() -> Samples:
    """Long notes that swell and tremble, as a synthesiser's strings. They resemble a voice more than a piano does."""
    vibrato = 1 + 0.006 * np.sin(2 * np.pi * 5.5 * _time())
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 0.25 * _time())
    phase = 2 * np.pi * np.cumsum(vibrato) / RATE
    voices = sum(np.sin(f * k * phase) / k for f in (196, 294, 392) for k in (1, 2, 3, 4, 5))
    return 0.4 * np.asarray(voices) / np.abs(voices).max() * swell


def digital_silence() -> Samples:
    return np.zeros(SECONDS * RATE)


def line_hiss() -> Samples:
    return 0.01 * np.random.default_rng(1).standard_normal(SECONDS * RATE)


def loud_white_noise() -> Samples:
    return 0.3 * np.random.default_rng(2).standard_normal(SECONDS * RATE).clip(-3, 3) / 3


def pink_noise() -> Samples:
    return 0.5 * _pink(np.random.default_rng(3))


def office_rumble() -> Samples:
    """Pink noise that comes and goes as a room does, with mains hum."""
    return 0.2 * _pink(np.random.default_rng(4)) * (1 + np.sin(2 * np.pi * 0.7 * _time())) + 0.02 * _sum(50, 100, 150)


def clicks() -> Samples:
    dice = np.random.default_rng(5)
    line = 0.003 * dice.standard_normal(SECONDS * RATE)
    for at in dice.integers(0, SECONDS * RATE - 80, 60):
        line[at : at + 40] += 0.8 * dice.standard_normal(40).clip(-1, 1)
    return line


NOISES: list[Callable[[], Samples]] = [
    ring_back, european_ring_back, busy, dial_tone, dtmf, fax, hold_music, hold_strings, digital_silence, line_hiss,
    loud_white_noise, pink_noise, office_rumble, clicks,
]  # fmt: skip


def encode(samples: Samples) -> bytes:
    """The samples as signed 16 bit PCM, after mu-law."""
    pcm = (samples.clip(-1, 1) * 32000).astype("<i2").tobytes()
    return g711.decode_mulaw(g711.encode_mulaw(pcm))
