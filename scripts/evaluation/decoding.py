"""One party of a recorded call, and its way through an engine: no fleet, no Redis."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scripts.evaluation.lines import RATE, Samples
from scripts.simulator.recording import read_tracks
from state.g711 import to_pcm
from workers.engines.base import Final, Model


def read_pcm(call: Path, party: str) -> tuple[bytes, int]:
    """(signed 16 bit samples, samples per second) of one party of a recorded call."""
    track = read_tracks(call / f"{party}.wav", [party])[0]
    return to_pcm(track.encoding, track.audio), track.rate


def read_samples(call: Path, party: str) -> Samples:
    """The same samples as floats. Raises ValueError if their rate is not RATE."""
    sound, rate = read_pcm(call, party)
    if rate != RATE:
        raise ValueError(f"{call.name}: {RATE} samples a second are wanted, here are {rate}")
    return np.frombuffer(sound, "<i2").astype(np.float64) / 32768


def hear(model: Model, samples: npt.NDArray[np.int16]) -> tuple[list[Final], float]:
    """The same as `decode`, for samples at RATE that come a second at a time, finals only."""
    return decode(model, samples.tobytes(), RATE, chunk_seconds=1.0, partials=False)


def decode(model: Model, pcm: bytes, rate: int, chunk_seconds: float, partials: bool) -> tuple[list[Final], float]:
    """Send one track through the engine, warm, chunk by chunk. Returns its finals and the processor seconds."""
    started = cpu_seconds()
    recogniser = model.recogniser(rate, None)
    chunk_bytes = 2 * int(rate * chunk_seconds)
    finals: list[Final] = []
    for offset in range(0, len(pcm), chunk_bytes):
        finals += recogniser.accept(pcm[offset : offset + chunk_bytes], offset // 2)
        recogniser.snapshot(want_partial=partials)
    finals += recogniser.flush()
    return finals, cpu_seconds() - started


def cpu_seconds() -> float:
    """Processor seconds of this process and its ended children so far: an engine may decode in children."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
