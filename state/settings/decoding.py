"""Which engine decodes, how much at once, and when Earshot refuses more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from state.settings.values import about


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The speech engine."""

    earshot_engine: Annotated[
        str,
        about(
            "Speech engine: auto, vosk, sherpa, moonshine, or stub (no speech, for load tests)",
            pattern="^(auto|vosk|sherpa|moonshine|stub)$",
        ),
    ] = "auto"
    vosk_model: Annotated[
        str, about("Folder or official name of a Vosk model. Empty: an English one if found, else Moonshine")
    ] = ""
    vosk_model_url: Annotated[str, about("Address to download official Vosk models from")] = (
        "https://alphacephei.com/vosk/models"
    )
    sherpa_model: Annotated[
        str,
        about(
            "Folder or official name of an offline model that sherpa-onnx runs: transducer, NeMo, Whisper and others"
        ),
    ] = ""
    sherpa_model_url: Annotated[str, about("Address to download those models from")] = (
        "https://github.com/k2-fsa/sherpa-onnx/releases/download/asr-models"
    )
    decoder_loops: Annotated[
        int, about("Decode loops (child processes) of a decoder process. 0: one a core", ge=0, le=256)
    ] = 0
    warm_megabytes: Annotated[
        int,
        about(
            "Megabytes that one decode loop may use for warm recognisers. Beyond it the oldest go cold. With Vosk "
            "an open utterance takes 50 to 90, and is a process",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 1000
    heartbeat_seconds: Annotated[
        float,
        about("Seconds a decoder may be silent before others take it for dead and hand on its tracks", ge=1, le=60),
    ] = 6.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When Earshot refuses audio or ends a call."""

    backlog_limit_seconds: Annotated[
        int,
        about(
            "Seconds of undecoded audio, in all tracks together, beyond which chunks get 429", ge=1, le=1_000_000_000
        ),
    ] = 20_000
    backlog_limit_megabytes: Annotated[
        int,
        about(
            "The same in megabytes. Wide-band audio takes twelve times as many a second as telephony's",
            ge=1,
            le=1_000_000_000,
        ),
    ] = 400
    track_backlog_seconds: Annotated[
        int, about("Seconds of undecoded audio of one track beyond which its chunks get 429", ge=1, le=1_000_000_000)
    ] = 300
    live_calls_limit: Annotated[
        int,
        about(
            "Live calls beyond which new ones get 429: every page shows every live call",
            ge=1,
            le=1_000_000,
        ),
    ] = 10_000
    memory_limit_percent: Annotated[
        int,
        about("Percent of Redis' maxmemory beyond which chunks get 503 (new calls 10 earlier)", ge=20, le=95),
    ] = 75
    call_idle_seconds: Annotated[
        int, about("Seconds without a chunk until a live call ends", ge=1, le=1_000_000_000)
    ] = 300
