"""The cost and the word errors of decoding: the fleet, the recogniser alone, and the bare library.

Times are processor seconds for each second of audio of one track, so 0.05 means 20 tracks a core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scripts.benchmarks.fleet import fleet
from scripts.benchmarks.korean import character_errors, speak_korean, word_errors
from scripts.evaluation.decoding import decode, read_pcm
from scripts.evaluation.wer import errors
from scripts.simulator.recording import PARTIES, read_tracks
from state.calls.ingest import Chunk
from workers.engines.base import Model
from workers.engines.choose import Wanted, choose

CHUNK_SECONDS = 1.0
"""Seconds of a chunk, as telephony sends them."""

FLEET_SECONDS = 600.0
"""Most seconds to wait for the fleet."""

Count = Callable[[str, str], tuple[int, int]]
"""Takes what was said and what was heard. Returns errors, and units (words, characters) said."""

ENGLISH: Mapping[str, Count] = {"word": errors}
KOREAN: Mapping[str, Count] = {"word": word_errors, "character": character_errors}


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
    """The recogniser by itself, warm: word errors of each call, and its cost with and without partials."""
    model = choose(wanted(options)).load()
    if options.korean:
        with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
            return measure(model, speak_korean(Path(folder)), KOREAN)
    return measure(model, options.folder, ENGLISH)


def measure(model: Model, folder: Path, counts: Mapping[str, Count]) -> dict[str, Any]:
    """Decode every track of every call with and without partials. Returns error rates, also by call, and times."""
    heard: dict[str, list[tuple[str, str]]] = {}  # by call: for each track, what was said and what was heard
    audio_seconds = finals_only = with_partials = 0.0
    for call in sorted(folder.glob("call-*")):
        turns = json.loads((call / "truth.json").read_text(encoding="utf-8"))["turns"]
        tracks = heard[call.name.removeprefix("call-")] = []
        for party in PARTIES:
            pcm, rate = read_pcm(call, party)
            said = " ".join(turn["text"] for turn in turns if turn["track"] == party)
            finals, spent = decode(model, pcm, rate, CHUNK_SECONDS, partials=False)
            finals_only += spent
            with_partials += decode(model, pcm, rate, CHUNK_SECONDS, partials=True)[1]
            tracks.append((said, " ".join(final.text for final in finals)))
            audio_seconds += len(pcm) / 2 / rate
        sys.stderr.write(f"bench: {call.name} is decoded\n")
    rates: dict[str, Any] = {}
    for unit, count in counts.items():
        rates[f"{unit}_error_rate"] = _rate(count, list(itertools.chain(*heard.values())))
        rates[f"{unit}_error_rate_by_call"] = {call: _rate(count, tracks) for call, tracks in heard.items()}
    return {
        "model": model.identity,
        **rates,
        "audio_seconds": round(audio_seconds, 1),
        "cpu_per_second_finals_only": round(finals_only / audio_seconds, 4),
        "cpu_per_second_with_partials": round(with_partials / audio_seconds, 4),
    }


def _rate(count: Count, tracks: list[tuple[str, str]]) -> float:
    """Errors in all tracks, as a share of what was said."""
    wrong, said = zip(*itertools.starmap(count, tracks), strict=True)
    return round(sum(wrong) / sum(said), 4)


def bare_cost(model: Model, folder: Path) -> float:
    """Processor seconds per second of audio of the library alone, without our endpoint rules and partials.

    Vosk's own recogniser gets a second at a time. Moonshine knows no streams: it gets the utterances that our endpoint
    rules cut, so only the fleet bears the rules' cost.
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
