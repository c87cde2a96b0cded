"""One party of a recorded call, and its way through an engine: no fleet, no Redis."""

from __future__ import annotations

import time
from pathlib import Path

from scripts.simulator.recording import read_tracks
from state.g711 import to_pcm
from workers.engines.base import Final, Model

PARTIES = ("agent", "customer")


def read_pcm(call: Path, party: str) -> tuple[bytes, int]:
    """(signed 16 bit samples, samples per second) of one party of a recorded call."""
    track = read_tracks(call / f"{party}.wav", [party])[0]
    return to_pcm(track.encoding, track.audio), track.rate


def decode(model: Model, pcm: bytes, rate: int, chunk_seconds: float, partials: bool) -> tuple[list[Final], float]:
    """One track warm through the engine, chunk by chunk: its finals and the processor seconds spent."""
    started = time.process_time()
    recogniser = model.recogniser(rate, None)
    chunk_bytes = 2 * int(rate * chunk_seconds)
    finals: list[Final] = []
    for offset in range(0, len(pcm), chunk_bytes):
        finals += recogniser.accept(pcm[offset : offset + chunk_bytes], offset // 2)
        recogniser.snapshot(want_partial=partials)
    finals += recogniser.flush()
    return finals, time.process_time() - started
