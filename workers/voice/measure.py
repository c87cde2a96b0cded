"""How an utterance was spoken: vocal effort, pitch, level, pace and pauses, from its samples.

A pure function of the samples: any worker that holds an utterance's audio gets the same figures. All figures are
rounded to steps, far wider than the arithmetic's error and far narrower than what a listener hears.

Vocal effort is the balance of energy above and below 1 kHz. People who speak up open the mouth and close the vocal
folds faster, which feeds the upper partials. The balance stays when a line changes the level. It only needs the
telephone band. Before, the quiet frames' noise is taken off. `scripts/evaluate --voice` measures how well it tells
angry from neutral speech."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import soxr

from state.types import Voice

RATE = 8000
"""Samples per second of the analysis: the telephone band, whatever the track's rate."""

FRAME_SAMPLES = 400
"""Samples of a frame, 50 ms: four periods of a low voice (80 Hz)."""

HOP_SAMPLES = 240
"""Samples between the beginnings of two frames, 30 ms."""

FFT_SAMPLES = 540
"""Samples to which a frame is padded, so that its autocorrelation does not wrap around at the lags used
(133 samples, 60 Hz); a product of small primes, which the transform likes."""

BAND_HZ = (300.0, 3400.0)
"""The telephone band: outside it lines differ."""

SPLIT_HZ = 1000.0
"""Border between low and high: first formants lie below, second ones above."""

ACTIVE_DB = 20.0
"""Decibels below the loud frames (95th percentile) within which a frame counts as voice; the others are pauses."""

NOISE_QUANTILE = 0.1
"""Share of an utterance's frames, the quietest ones, that show its noise."""

FLOOR_SHARE = 0.05
"""Least share of a bin's energy that is left when the noise is taken off."""

PITCH_HZ = (60.0, 400.0)
"""Pitch of the lowest and the highest speaking voice."""

VOICED = 0.5
"""Normalised autocorrelation from which a frame counts as voiced."""

OCTAVE_SHARE = 0.9
"""The shortest period with so large a share of the best correlation wins: multiples of a period correlate as well."""

LEAST_SECONDS = 0.5
"""Least seconds of audio that tell something."""

LEAST_FRAMES = 8
"""Least voiced frames (0.16 s) for a pitch."""

EFFORT_STEP_DB = 0.5
LEVEL_STEP_DB = 1.0
PITCH_STEP_SEMITONES = 0.5
PACE_STEP = 0.1
PAUSE_STEP = 0.05

_WINDOW = np.hanning(FRAME_SAMPLES)
_HZ = np.fft.rfftfreq(FFT_SAMPLES, 1 / RATE)
_LOWEST_HZ, _HIGHEST_HZ = BAND_HZ
_BAND = (_HZ >= _LOWEST_HZ) & (_HZ <= _HIGHEST_HZ)
_LOW = _HZ[_BAND] < SPLIT_HZ
_SHORTEST, _LONGEST = int(RATE / PITCH_HZ[1]), int(RATE / PITCH_HZ[0]) + 1

Floats = npt.NDArray[np.float64]


def measure(samples: npt.NDArray[np.int16], rate: int, words: int) -> Voice | None:
    """How an utterance was spoken.

    samples: shape (n,), signed 16 bit, at `rate` Hz, from its first word to its last.  words: how many were recognised.
    Returns None for less than LEAST_SECONDS of audio, or for silence.
    """
    audio = samples.astype(np.float64) / 32768
    if rate != RATE:
        audio = soxr.resample(audio, rate, RATE)
    if len(audio) < LEAST_SECONDS * RATE:
        return None
    spectrum = np.abs(np.fft.rfft(_frames(audio) * _WINDOW, FFT_SAMPLES))
    energy = spectrum[:, _BAND] ** 2
    loudness = energy.sum(axis=1)
    loud, quiet = np.quantile(loudness, [0.95, NOISE_QUANTILE])
    if loud <= 0:
        return None
    active = loudness > loud * 10 ** (-ACTIVE_DB / 10)
    noise = energy[loudness <= quiet].mean(axis=0)
    clean = np.maximum(energy[active] - noise, FLOOR_SHARE * energy[active]).sum(axis=0)
    level = np.sqrt(np.mean(audio**2) / max(active.mean(), PAUSE_STEP))
    pitch = _pitch(spectrum[active])
    return Voice(
        effort_db=_step(10 * np.log10(clean[~_LOW].sum() / clean[_LOW].sum()), EFFORT_STEP_DB),
        pitch_semitones=_step(np.median(pitch), PITCH_STEP_SEMITONES) if len(pitch) >= LEAST_FRAMES else None,
        pitch_range_semitones=_step(np.subtract(*np.quantile(pitch, [0.9, 0.1])), PITCH_STEP_SEMITONES)
        if len(pitch) >= LEAST_FRAMES
        else None,
        level_db=_step(20 * np.log10(level), LEVEL_STEP_DB),
        words_per_second=_step(words * RATE / len(audio), PACE_STEP),
        pause_share=_step(1 - active.mean(), PAUSE_STEP),
    )


def _frames(audio: Floats) -> Floats:
    """Shape (frames, FRAME_SAMPLES), a view."""
    return np.lib.stride_tricks.sliding_window_view(audio, FRAME_SAMPLES)[::HOP_SAMPLES]


def _correlation(spectrum: Floats) -> Floats:
    """Autocorrelation at the lags of speaking voices, of magnitudes instead of energies: the fundamental is missing in
    this band, and the square would let the strongest partial speak for all. Normalised; shape (frames, lags)."""
    whole = np.fft.irfft(spectrum, FFT_SAMPLES, axis=-1)
    return whole[..., _SHORTEST - 1 : _LONGEST + 1] / whole[..., :1]


_WINDOW_CORRELATION = np.maximum(_correlation(np.abs(np.fft.rfft(_WINDOW, FFT_SAMPLES))), 0.1)
"""What the window alone does to it, taken out again; the floor keeps long lags from being blown up."""


def _pitch(spectrum: Floats) -> Floats:
    """Pitch of the voiced frames, in semitones over 100 Hz. spectrum: magnitudes, shape (frames, bins)."""
    if len(spectrum) == 0:
        return np.zeros(0)
    correlation = _correlation(spectrum) / _WINDOW_CORRELATION
    here = correlation[:, 1:-1]
    best = here.max(axis=1, keepdims=True)
    peak = (here > correlation[:, :-2]) & (here >= correlation[:, 2:]) & (here >= OCTAVE_SHARE * best)
    voiced = (best[:, 0] > VOICED) & peak.any(axis=1)
    lag = _SHORTEST + peak[voiced].argmax(axis=1)
    return cast(Floats, 12 * np.log2(RATE / lag / 100))


def _step(value: float, step: float) -> float:
    """`value` rounded to a multiple of `step`, without a tail of binary digits and without a negative zero."""
    return round(round(float(value) / step) * step, 2) + 0.0
