"""A recorded call for tests: noise in which a piece cannot be taken for another, and its recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import redis
import soundfile

from state import g711, keys
from state.archive.opening import Archive
from state.calls.ingest import Chunk
from state.recording.sounds import Named, Sounds
from state.settings import Settings
from state.types import INSIDE
from tests.harness.line import Line
from workers.jobs import summary
from workers.jobs.archive import move
from workers.jobs.assembly import assemble
from workers.sentiment.assessor import Assessor

RATE = 8000


def settings(folder: Path | str, days: str = "*=30", **more: Any) -> Settings:
    """Settings that record calls into `folder`."""
    return Settings(sound_days=days, recordings=str(folder), database_url="sqlite:///anywhere", **more)


def noise(seed: int, seconds: float = 1.0) -> Chunk:
    """Mu-law noise without any silence."""
    codes = np.random.default_rng(seed).integers(0, 100, int(seconds * RATE), np.uint8)
    return Chunk(codes.tobytes(), "mulaw", RATE)


def pcm(chunk: Chunk) -> Any:
    """The chunk's samples."""
    return np.frombuffer(g711.to_pcm(chunk.encoding, chunk.audio), "<i2")


def finish(store: redis.Redis, archive: Archive, line: Line) -> None:
    """End the call, write its summary, bring it to the database."""
    line.end()
    summary.write(store, line.call_id, Settings(database_url="sqlite:///elsewhere"))
    assert move(store, archive, line.call_id, redact=True) == "OK"


def recorded(
    store: redis.Redis, archive: Archive, sounds: Sounds, assessor: Assessor, call_id: str = "c", **metadata: str
) -> Named:
    """A call of two parties, three seconds each, with its recording."""
    line = Line(store, assessor, ["agent", "customer"], call_id, INSIDE, settings("/x"), **metadata)
    for n in range(3):
        line.say("agent", n, "hello", chunk=noise(n))
        line.say("customer", n, "hi", chunk=noise(100 + n))
    finish(store, archive, line)
    started = int(store.hget("{earshot}:call:" + call_id, "started_at_ms"))
    assert assemble(store, archive, sounds, call_id) == "OK"
    return Named(call_id, started)


def samples(sounds: Sounds, call: Named, folder: Path) -> Any:
    """The recording's samples, shape (length, 2). It must be FLAC at RATE."""
    reader = sounds.open(call)
    assert reader is not None
    file = folder / "heard.flac"
    file.write_bytes(bytes(reader.read()))
    found, rate = soundfile.read(file, dtype="int16")
    assert rate == RATE and soundfile.info(file).format == "FLAC"
    return found


def named(store: redis.Redis, call_id: str = "c") -> Named:
    """The call by the name that its recording has."""
    return Named(call_id, int(store.hget(keys.call(call_id), "started_at_ms")))


def files(folder: Path) -> list[str]:
    """The names of all files in the folder's store of recordings."""
    return sorted(path.name for path in (folder / "recordings").rglob("*") if path.is_file())


def of(call: Named) -> list[str]:
    """The files of a call's recording."""
    return [Path(call.file).name, Path(call.about).name]
