"""Lines that play recorded calls in real time over HTTP. Each second a line sends a second of both tracks."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from scripts.simulator.recording import PARTIES, Track, read_tracks
from state.types import SAMPLE_BYTES

CHUNK_MS = 1000
STEP_SECONDS = 13
"""Seconds by which a line begins later in a call than the one before it, so that no two say the same at once."""

BUSY = (429, 503)
RETRY_SECONDS = 0.3


class LineFailed(RuntimeError):
    """The server refused for good. One line."""


class Turn(NamedTuple):
    """What somebody says, in seconds of the line."""

    track: str
    start: float
    end: float


@dataclass
class Recording:
    """A call of the demo: its audio by party, and its turns."""

    tracks: dict[str, Track]
    turns: list[Turn]

    @property
    def seconds(self) -> int:
        """Whole seconds of the longer party."""
        return int(max(track.seconds for track in self.tracks.values()))

    def second(self, party: str, number: int) -> bytes:
        """One second of a party's audio, with silence (of mu-law) after its end."""
        track = self.tracks[party]
        size = track.rate * SAMPLE_BYTES[track.encoding]
        return track.audio[number * size : (number + 1) * size].ljust(size, b"\xff")


def read_recordings(folder: Path) -> list[Recording]:
    """The call-*/ folders of `folder`."""
    found = []
    for call in sorted(folder.glob("call-*")):
        told = json.loads((call / "truth.json").read_text())
        turns = [Turn(turn["track"], turn["start_s"], turn["end_s"]) for turn in told["turns"]]
        found.append(Recording({p: read_tracks(call / f"{p}.wav", [p])[0] for p in PARTIES}, turns))
    if not found:
        raise SystemExit(f"bench: no call-*/ in {folder}")
    return found


@dataclass
class Line:
    """One line of two parties, which plays one recording after another for `seconds`.

    began: when somebody spoke its first sample (monotonic seconds).
    refused: how often the server was too busy to take a chunk.
    late_s: most seconds by which a chunk was sent late, because the server or this program was slow.
    """

    number: int
    recordings: list[Recording]
    seconds: int
    began: float = 0.0
    refused: int = 0
    late_s: float = 0.0
    turns: list[Turn] = field(default_factory=list)
    _plan: list[tuple[Recording, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        which, laps = self.number % len(self.recordings), self.number // len(self.recordings)
        at = laps * STEP_SECONDS % self.recordings[which].seconds
        while len(self._plan) < self.seconds:
            recording = self.recordings[which % len(self.recordings)]
            shift = len(self._plan) - at
            self.turns += [Turn(t.track, t.start + shift, t.end + shift) for t in recording.turns if t.start >= at]
            self._plan += [(recording, n) for n in range(at, recording.seconds)]
            which, at = which + 1, 0

    @property
    def call_id(self) -> str:
        return f"line-{self.number:03d}"

    async def play(self, port: int) -> None:
        """Send each second of both tracks once it is spoken. Raises OSError, LineFailed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        about = {"call_id": self.call_id, "tracks": list(PARTIES), "metadata": {"agent": f"Agent {self.number}"}}
        await _ask(reader, writer, "POST", "/v1/calls", json.dumps(about).encode(), "application/json")
        for seq, (recording, second) in enumerate(self._plan[: self.seconds], start=1):
            due = self.began + seq
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            for party in PARTIES:
                path, chunk = f"/v1/calls/{self.call_id}/tracks/{party}/chunks/{seq}", recording.second(party, second)
                while (await _ask(reader, writer, "PUT", path, chunk, recording.tracks[party].content_type)) in BUSY:
                    self.refused += 1
                    await asyncio.sleep(RETRY_SECONDS)
            self.late_s = max(self.late_s, time.monotonic() - due)
        writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, path: str, body: bytes, form: str
) -> int:
    """One request over a kept connection. It does as little as it can: a client's own cost is not measured."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {form}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in answer.split(b"\r\n")[1:] if b": " in line)
    said = await reader.readexactly(int(fields.get(b"content-length", b"0")))
    status = int(answer.split(b" ", 2)[1])
    if status not in (200, 201, 202, *BUSY):
        raise LineFailed(f"{path} was answered {status}: {said[:200]!r}")
    return status
