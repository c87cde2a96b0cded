"""What open utterances take: processes and memory of one decode loop with many tracks in mid-utterance."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.benchmarks.fleet import fleet
from scripts.benchmarks.korean import speak_korean
from scripts.simulator.recording import PARTIES, read_tracks
from state.calls.ingest import Chunk

SPOKEN_SECONDS = 3
"""Seconds of speech that each track brings in one chunk. No utterance of these calls has ended by then."""

AT_ONCE = 20
"""Tracks between two looks at the processes."""

DECODE_SECONDS = 600.0
"""Most seconds to wait for the fleet."""


def bench_utterances(options: argparse.Namespace) -> dict[str, Any]:
    """--open tracks each bring some seconds of Korean speech, and then nothing more."""
    if options.engine != "vosk":
        return {"skipped": "other engines have no process for an utterance; give --engine vosk"}
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
        calls = sorted(speak_korean(Path(folder)).glob("call-*"))
        spoken = [read_tracks(call / f"{party}.wav", [party])[0] for call in calls for party in PARTIES]
    environ = {"EARSHOT_ENGINE": options.engine, "VOSK_MODEL": options.vosk_model}
    most_processes = most_bytes = 0
    with fleet(loops=1, **environ) as running:
        at_rest = running.decoder_bytes()
        before = running.decoder_cpu_seconds()
        for number in range(options.open):
            track = spoken[number % len(spoken)]
            audio = track.chunks(1000 * SPOKEN_SECONDS)[0]
            running.ingest.put(f"call-{number}", "customer", None, Chunk(audio, track.encoding, track.rate))
            if number % AT_ONCE == AT_ONCE - 1 or number == options.open - 1:
                running.wait(lambda: running.chunks_waiting() == 0, DECODE_SECONDS)
                most_processes = max(most_processes, running.utterances_open())
                most_bytes = max(most_bytes, running.decoder_bytes())
                sys.stderr.write(f"bench: {number + 1} of {options.open} tracks, {most_processes} processes at most\n")
        spent = running.decoder_cpu_seconds() - before
    return {
        "tracks": options.open,
        "most_open_utterances": most_processes,
        "decoder_megabytes_at_rest": round(at_rest / 1e6),
        "decoder_megabytes_most": round(most_bytes / 1e6),
        "cpu_per_second": round(spent / (SPOKEN_SECONDS * options.open), 4),
    }
