"""What decoding costs and how well it reads: the fleet, the recogniser alone, and the bare library.

Times are processor seconds for each second of audio of one track, so 0.05 means 20 tracks a core.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from scripts.bench_fleet import fleet
from scripts.recording import read_tracks
from scripts.wer import errors
from state.ingest import Chunk
from workers.engines.base import Final, Model
from workers.engines.choose import choose
from workers.g711 import decode_alaw, decode_mulaw

PARTIES = ("agent", "customer")
FLEET_SECONDS = 600.0
"""Patience with the fleet."""


def bench_decode(options: argparse.Namespace) -> dict[str, Any]:
    """The same calls through a fleet of one decode loop and through the bare library."""
    environ = {"EARSHOT_ENGINE": options.engine, "VOSK_MODEL": options.vosk_model}
    folders = sorted(options.folder.glob("call-*"))
    with fleet(loops=1, **environ) as running:
        before = running.decoder_cpu_seconds()
        seconds = 0.0
        for folder in folders:
            tracks = [read_tracks(folder / f"{party}.wav", [party])[0] for party in PARTIES]
            seconds += sum(track.seconds for track in tracks)
            for track in tracks:
                for audio in track.chunks(1000):
                    running.ingest.put(folder.name, track.name, None, Chunk(audio, track.encoding, track.rate))
            running.ingest.end(folder.name)
        running.wait_decoded([folder.name for folder in folders], FLEET_SECONDS)
        spent = (running.decoder_cpu_seconds() - before) / seconds
        server = running.server_cpu_seconds() / seconds
    model = choose(options.engine, options.vosk_model).load()
    bare = bare_cost(model, options.folder)
    return {
        "model": model.identity,
        "audio_seconds": round(seconds, 1),
        "fleet_cpu_per_second": round(spent, 4),
        "server_cpu_per_second": round(server, 5),
        "bare_library_cpu_per_second": round(bare, 4),
        "ratio": round(spent / bare, 3),
    }


def bench_engine(options: argparse.Namespace) -> dict[str, Any]:
    """The recogniser by itself, warm: word errors per call, and its cost with and without partials."""
    return measure(choose(options.engine, options.vosk_model).load(), options.folder)


def measure(model: Model, folder: Path, chunk_seconds: float = 1.0) -> dict[str, Any]:
    """Decode every track of every call twice, with and without partials. Returns the figures, per call and over all."""
    calls = {}
    total = {"errors": 0, "errors_with_fillers": 0, "words": 0, "seconds": 0.0}
    cpu = {"finals_only": 0.0, "with_partials": 0.0}
    for call in sorted(folder.glob("call-*")):
        turns = json.loads((call / "truth.json").read_text())["turns"]
        wrong = wrong_with_fillers = words = 0
        for track in ("agent", "customer"):
            pcm, rate = read_wav(call / f"{track}.wav")
            said = " ".join(turn["text"] for turn in turns if turn["track"] == track)
            finals, seconds = decode(model, pcm, rate, chunk_seconds, partials=False)
            cpu["finals_only"] += seconds
            cpu["with_partials"] += decode(model, pcm, rate, chunk_seconds, partials=True)[1]
            heard = " ".join(final.text for final in finals)
            track_errors, track_words = errors(said, heard)
            wrong += track_errors
            words += track_words
            wrong_with_fillers += errors(said, heard, keep_fillers=True)[0]
            total["seconds"] += len(pcm) / 2 / rate
        calls[call.name] = round(wrong / words, 4)
        total["errors"] += wrong
        total["errors_with_fillers"] += wrong_with_fillers
        total["words"] += words
        print(f"{call.name}: {wrong} of {words} words wrong", file=sys.stderr)
    return {
        "bench": "decode",
        "model": model.identity,
        "wer": round(total["errors"] / total["words"], 4),
        "wer_with_fillers": round(total["errors_with_fillers"] / total["words"], 4),
        "wer_by_call": calls,
        "words": total["words"],
        "audio_seconds": round(total["seconds"], 1),
        **{f"cpu_per_second_{name}": round(spent / total["seconds"], 4) for name, spent in cpu.items()},
        **bare_cost(model, folder, total["seconds"]),
    }


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


def bare_cost(model: Model, folder: Path, audio_seconds: float) -> dict[str, float]:
    """What the library alone spends on the utterances our endpoint rules cut; empty for other engines."""
    from workers.engines.moonshine import MoonshineModel

    if not isinstance(model, MoonshineModel):
        return {}
    pieces: list[Any] = []
    transcribe = model.transcribe

    def remember(samples: Any) -> str:
        pieces.append(samples)
        return transcribe(samples)

    model.transcribe = remember  # type: ignore[method-assign]
    for wav in sorted(folder.glob("call-*/*.wav")):
        decode(model, *read_wav(wav), chunk_seconds=1.0, partials=False)
    del model.transcribe  # type: ignore[attr-defined]
    started = time.process_time()
    for piece in pieces:
        transcribe(piece)
    return {"cpu_per_second_bare_library": round((time.process_time() - started) / audio_seconds, 4)}


def read_wav(path: Path) -> tuple[bytes, int]:
    """(signed 16 bit samples, samples per second) of a mono WAVE file, 16 bit PCM or mu-law."""
    data = path.read_bytes()
    form = rate = 0
    position = 12
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        position += 8
        if name == b"fmt ":
            form, _, rate = struct.unpack_from("<HHI", data, position)
        elif name == b"data":
            samples = data[position : position + size]
            return (decode_mulaw(samples) if form == MULAW_FORMAT else samples), rate
        position += size + size % 2
    raise ValueError(f"{path} has no audio")


if __name__ == "__main__":
    main()
