"""A call's chunks in one FLAC file: agent left, customer right, silence where nothing is or may be heard.

The file is written in blocks, so a call of any length needs the memory of some minutes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
import soundfile

from state.calls.listening import Sound
from state.calls.mixing import Stereo, mix
from state.recording.catalogue import Recording
from state.recording.sounds import Piece
from workers.insight.redaction.silencing import joined

BLOCK_SECONDS = 30
LATE_SECONDS = 150.0
"""Chunks come in order but for parts that overlap and tracks that are spooled together: none comes so much later than
one that begins later. Above what waits in Redis at most (ingest.UNSPOOLED_SECONDS)."""

PEAKS = 1000
"""Most steps of a waveform: about the pixels of a page."""
LEAST_STEP_SECONDS = 0.1

MISSING_SECONDS = 0.05
"""Least seconds of a hole between chunks; shorter ones come from rounding."""

Span = tuple[float, float]


class Plan(msgspec.Struct, frozen=True):
    """The form of the file: samples a second, names of all tracks, the seconds that nobody may hear, and the seconds
    of pauses."""

    rate: int
    tracks: list[str]
    secret: list[Span]
    paused: list[Span] = []


def write(file: Path, plan: Plan, pieces: Iterable[Piece]) -> Recording | None:
    """Write the file; None if there is nothing to write."""
    waiting: list[Piece] = []
    heard: dict[str, list[Span]] = {track: [] for track in plan.tracks}
    done = 0  # samples
    block = BLOCK_SECONDS * plan.rate
    levels = _Levels(plan.rate)
    with soundfile.SoundFile(file, "w", plan.rate, 2, "PCM_16", format="FLAC") as out:

        def flush(until: int) -> None:
            nonlocal done, waiting
            tracks: dict[str, list[Sound]] = {track: [] for track in plan.tracks}
            for piece in waiting:
                tracks.setdefault(piece.track, []).append(piece.sound)
            while done < until:
                length = min(block, until - done)
                begin, stop = done / plan.rate, (done + length) / plan.rate
                within = {
                    track: [sound for sound in sounds if sound.end >= begin and sound.start <= stop]
                    for track, sounds in tracks.items()
                }
                samples = _silenced(mix(within, plan.rate, done, length), plan, done)
                out.write(samples)
                levels.add(samples)
                done += length
            waiting = [piece for piece in waiting if piece.sound.end * plan.rate > done]

        end = 0.0
        for piece in pieces:
            waiting.append(piece)
            spans = heard.setdefault(piece.track, [])
            spans.append((piece.sound.start, piece.sound.end))
            if len(spans) > 1000:
                spans[:] = joined(spans)
            end = max(end, piece.sound.end)
            if piece.sound.start * plan.rate - done > block + LATE_SECONDS * plan.rate:
                flush(done + block)
        flush(round(end * plan.rate))
    if not done:
        return None
    missing = [] if not heard else _holes(joined(span for spans in heard.values() for span in spans))
    silences = [(a, b, _why(plan, a, b)) for a, b in missing] + [
        (a, min(b, end), "secret") for a, b in plan.secret if a < end
    ]
    step, peaks = levels.told()
    rounded = [(round(a, 3), round(b, 3), why) for a, b, why in sorted(silences)]
    return Recording(round(done / plan.rate, 3), plan.rate, file.stat().st_size, rounded, step, peaks)


def _silenced(samples: Stereo, plan: Plan, first: int) -> Stereo:
    """Both sides: one party hears the other, and its microphone may, too."""
    for start, end in plan.secret:
        begin, stop = (round(second * plan.rate) - first for second in (start, end))
        samples[max(0, begin) : max(0, stop)] = 0
    return samples


def _why(plan: Plan, start: float, end: float) -> str:
    return "paused" if any(a < end and b > start for a, b in plan.paused) else "missing"


def _holes(heard: list[Span]) -> list[Span]:
    """Seconds of which no track has sound."""
    ends = [0.0, *(end for _, end in heard)]
    return [(end, start) for end, (start, _) in zip(ends, heard, strict=False) if start - end > MISSING_SECONDS]


class _Levels:
    """The loudest sample of each tenth of a second of either side; fewer and longer steps for a long call."""

    def __init__(self, rate: int) -> None:
        self._step = max(1, round(LEAST_STEP_SECONDS * rate))
        self._rate = rate
        self._rest = np.zeros((0, 2), np.int16)
        self._found: list[np.ndarray] = []

    def add(self, samples: Stereo) -> None:
        samples = np.concatenate((self._rest, samples))
        whole = len(samples) // self._step * self._step
        self._found.append(_loudest(samples[:whole], self._step))
        self._rest = samples[whole:]

    def told(self) -> tuple[float, tuple[list[int], list[int]]]:
        found = np.concatenate([*self._found, _loudest(self._rest, max(1, len(self._rest)))])
        together = max(1, -(-len(found) // PEAKS))
        found = np.pad(found, ((0, -len(found) % together), (0, 0)))
        found = found.reshape(-1, together, 2).max(axis=1)
        left, right = (np.ceil(found[:, side] * (100 / 32768)).astype(int).tolist() for side in (0, 1))
        return round(self._step * together / self._rate, 6), (left, right)


def _loudest(samples: Stereo, step: int) -> np.ndarray:
    return np.abs(samples.astype(np.int32)).reshape(-1, step, 2).max(axis=1) if len(samples) else np.zeros((0, 2), int)
