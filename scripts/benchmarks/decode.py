"""The cost and the word errors of decoding: the fleet, the recogniser alone, and the bare library.

Times are processor seconds for each second of audio of one track, so 0.05 means 20 tracks a core.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scripts.benchmarks.fleet import fleet
from scripts.benchmarks.korean import speak_korean
from scripts.evaluation.decoding import PARTIES, decode, read_pcm
from scripts.evaluation.wer import errors
from scripts.simulator.recording import read_tracks
from state.calls.ingest import Chunk
from workers.engines.base import Model
from workers.engines.choose import Wanted, choose

FLEET_SECONDS = 600.0
"""Seconds of patience with the fleet."""


def bench_decode(options: argparse.Namespace) -> dict[str, Any]:
    """The same calls through a fleet of one decode loop and through the bare library."""
    if options.korean:
        with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
            return _decoded(options, speak_korean(Path(folder)))
    return _decoded(options, options.folder)


def _decoded(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    environ = {
        "EARSHOT_ENGINE": options.engine,
        "VOSK_MODEL": options.vosk_model,
        "SHERPA_MODEL": options.sherpa_model,
    }
    folders = sorted(folder.glob("call-*"))
    with fleet(loops=1, **environ) as running:
        before = running.decoder_cpu_seconds()
        seconds = 0.0
        for call in folders:
            tracks = [read_tracks(call / f"{party}.wav", [party])[0] for party in PARTIES]
            seconds += sum(track.seconds for track in tracks)
            for track in tracks:
                for audio in track.chunks(1000):
                    running.ingest.put(call.name, track.name, None, Chunk(audio, track.encoding, track.rate))
            running.ingest.end(call.name)
        running.wait_finished([call.name for call in folders], FLEET_SECONDS)
        spent = (running.decoder_cpu_seconds() - before) / seconds
        server = running.server_cpu_seconds() / seconds
    model = choose(wanted(options)).load()
    bare = bare_cost(model, folder)
    return {
        "model": model.identity,
        "audio_seconds": round(seconds, 1),
        "fleet_cpu_per_second": round(spent, 4),
        "server_cpu_per_second": round(server, 5),
        "bare_library_cpu_per_second": round(bare, 4),
        "ratio": round(spent / bare, 3),
    }


def wanted(options: argparse.Namespace) -> Wanted:
    """The engine that the command line names."""
    return Wanted(engine=options.engine, vosk_model=options.vosk_model, sherpa_model=options.sherpa_model)


def bench_engine(options: argparse.Namespace) -> dict[str, Any]:
    """The recogniser by itself, warm: word errors per call, and its cost with and without partials."""
    return measure(choose(wanted(options)).load(), options.folder)


def measure(model: Model, folder: Path, chunk_seconds: float = 1.0) -> dict[str, Any]:
    """Decode every track of every call twice, with and without partials: word errors by call, and times."""
    by_call = {}
    wrong = words = 0
    audio_seconds = finals_only = with_partials = 0.0
    for call in sorted(folder.glob("call-*")):
        turns = json.loads((call / "truth.json").read_text())["turns"]
        call_wrong = call_words = 0
        for party in PARTIES:
            pcm, rate = read_pcm(call, party)
            said = " ".join(turn["text"] for turn in turns if turn["track"] == party)
            finals, spent = decode(model, pcm, rate, chunk_seconds, partials=False)
            finals_only += spent
            with_partials += decode(model, pcm, rate, chunk_seconds, partials=True)[1]
            track_wrong, track_words = errors(said, " ".join(final.text for final in finals))
            call_wrong += track_wrong
            call_words += track_words
            audio_seconds += len(pcm) / 2 / rate
        by_call[call.name.removeprefix("call-")] = round(call_wrong / call_words, 4)
        wrong += call_wrong
        words += call_words
        sys.stderr.write(f"bench: {call.name}: {call_wrong} of {call_words} words wrong\n")
    return {
        "model": model.identity,
        "word_error_rate": round(wrong / words, 4),
        "word_error_rate_by_call": by_call,
        "words": words,
        "audio_seconds": round(audio_seconds, 1),
        "cpu_per_second_finals_only": round(finals_only / audio_seconds, 4),
        "cpu_per_second_with_partials": round(with_partials / audio_seconds, 4),
    }


def bare_cost(model: Model, folder: Path) -> float:
    """Processor seconds per second of audio of the library alone, without endpoint rules or partials of ours.

    Vosk: its own recogniser, fed a second at a time. Moonshine knows no streams: it is handed the utterances that
    our endpoint rules cut, so the rules' own cost is the fleet's.
    """
    from workers.engines.moonshine import MoonshineModel
    from workers.engines.vosk.model import VoskModel

    tracks = [read_pcm(call, party) for call in sorted(folder.glob("call-*")) for party in PARTIES]
    audio_seconds = sum(len(pcm) / 2 / rate for pcm, rate in tracks)
    if isinstance(model, VoskModel):
        started = time.process_time()
        for pcm, rate in tracks:
            library = model.library_recogniser(rate)
            for at in range(0, len(pcm), 2 * rate):
                if library.AcceptWaveform(pcm[at : at + 2 * rate]):
                    library.Result()
            library.FinalResult()
        return (time.process_time() - started) / audio_seconds
    if isinstance(model, MoonshineModel):
        pieces: list[Any] = []
        transcribe = model.transcribe

        def remember(samples: Any) -> Any:
            pieces.append(samples)
            return transcribe(samples)

        model.transcribe = remember  # type: ignore[method-assign]
        for pcm, rate in tracks:
            decode(model, pcm, rate, 1.0, partials=False)
        started = time.process_time()
        for piece in pieces:
            transcribe(piece)
        return (time.process_time() - started) / audio_seconds
    raise SystemExit(f"bench: {model.display_name} has no library to compare with")
