"""Calls under chaos: recordings to play, senders that misbehave as senders do, and the answers that they get."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from scripts.simulator.recording import Track, read_tracks
from scripts.simulator.telephony import Answer, Api, CallFailed, post_call

STUB_TEMPLATES, SPEECH_TEMPLATES = 12, 3
STUB_CHUNK_MS, SPEECH_CHUNK_MS = 200, 1000
SPEECH_SECONDS = 12

_CHUNK = re.compile(r"(/v1/calls/[^/]+/tracks/)([^/]+)(/chunks/)(\d+)")
_EXPECTED = (200, 201, 202, 404, 409, 429, 503)

Template = list[Track]
"""The tracks of one recording. Every call plays one."""


def templates(engine: str, demo: Path, dice: random.Random) -> list[Template]:
    """The recordings to play: noise for the stub engine (it hears checksums), else pieces of the demo calls."""
    if engine == "stub":
        return [
            [
                Track(name, dice.randbytes(1600 * dice.randint(4, 24) + dice.randint(0, 800)), "mulaw", 8000)
                for name in ("agent", "customer")
            ]
            for _ in range(STUB_TEMPLATES)
        ]
    folders = sorted(path for path in demo.glob("call-*") if path.is_dir())[:SPEECH_TEMPLATES]
    made = []
    for folder in folders:
        whole = [read_tracks(folder / f"{party}.wav", [party])[0] for party in ("agent", "customer")]
        made.append([Track(t.name, t.audio[: SPEECH_SECONDS * t.rate], t.encoding, t.rate) for t in whole])
    return made


class Said:
    """The answers that all senders get, and their complaints. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.answers: Counter[str] = Counter()
        self.complaints: list[str] = []

    def answer(self, status: int) -> None:
        with self._lock:
            self.answers[str(status) if status else "none"] += 1

    def complain(self, what: str) -> None:
        with self._lock:
            self.complaints.append(what)


class NoisyApi(Api):
    """An Api that now and then posts a chunk twice, an old one late, the next one early, or loses an answer."""

    def __init__(self, url: str, key: str, said: Said, dice: random.Random, chunks: dict[str, list[bytes]]) -> None:
        super().__init__(url, key)
        self._said, self._dice, self._chunks = said, dice, chunks

    def ask(self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json") -> Answer:
        """See Api.ask."""
        found = _CHUNK.fullmatch(path)
        roll = self._dice.random()
        if found and roll < 0.15:
            head, track, middle, seq = found[1], found[2], found[3], int(found[4])
            if roll < 0.05:
                other = self._dice.randint(1, seq)  # late, or twice
            else:
                other = seq + self._dice.randint(1, 3) if roll < 0.08 else seq  # early, or twice
            if other <= len(self._chunks[track]):
                self._ask("PUT", f"{head}{track}{middle}{other}", self._chunks[track][other - 1], content_type)
        answer = self._ask(method, path, body, content_type)
        if 0.15 <= roll < 0.17:
            raise OSError("an answer was lost on purpose")
        return answer

    def _ask(self, method: str, path: str, body: bytes | None, content_type: str) -> Answer:
        try:
            answer = super().ask(method, path, body, content_type)
        except Exception:
            self._said.answer(0)
            raise
        status, said, _ = answer
        self._said.answer(status)
        if status not in _EXPECTED or (status == 409 and said.get("reason") != "gap"):
            self._said.complain(f"{method} {path}: {status} {said.get('detail') or said}")
        return answer


class Callers:
    """Plays so many calls at a time, again and again. When told to stop, it lets the open ones come to an end."""

    def __init__(
        self, url: str, recordings: list[Template], chunk_ms: int, speed: float, confirm_seconds: float, said: Said
    ) -> None:
        self._url, self._recordings, self._chunk_ms, self._speed = url, recordings, chunk_ms, speed
        self._confirm_seconds, self._said = confirm_seconds, said
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.calls: dict[str, int] = {}
        """Call id -> number of its recording."""

    def start(self, how_many: int, seed: int) -> None:
        """Begin."""
        for n in range(how_many):
            name, dice = f"chaos-{seed}-{n}", random.Random(f"{seed}.{n}")
            thread = threading.Thread(
                target=self._run, args=(name, dice), daemon=True
            )  # daemon: it may try for minutes
            thread.start()
            self._threads.append(thread)

    def finish_soon(self) -> None:
        """Begin no new calls."""
        self._stopping.set()

    def busy(self) -> bool:
        """Whether calls are still under way."""
        return any(thread.is_alive() for thread in self._threads)

    def play_calmly(self) -> list[str]:
        """Play every recording once in peace. Returns the call ids."""
        ids = [f"calm-{n}" for n in range(len(self._recordings))]
        threads = [
            threading.Thread(target=self._post, args=(call_id, n, Api, self._speed * 2), daemon=True)
            for n, call_id in enumerate(ids)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ids

    def metadata(self, call_id: str) -> dict[str, str]:
        """The metadata with which a call is declared."""
        return {"agent": f"agent of {call_id}"}

    def _run(self, name: str, dice: random.Random) -> None:
        count = 0
        while not self._stopping.is_set():
            count += 1
            number = dice.randrange(len(self._recordings))
            call_id = f"{name}-{count}"
            chunks = {track.name: track.chunks(self._chunk_ms) for track in self._recordings[number]}
            self.calls[call_id] = number
            self._post(
                call_id,
                number,
                lambda url, key, chunks=chunks: NoisyApi(url, key, self._said, dice, chunks),
                self._speed,
            )
            time.sleep(dice.uniform(0.0, 0.5))

    def _post(self, call_id: str, number: int, connect: Callable[[str, str], Api], speed: float) -> None:
        tracks = self._recordings[number]
        try:
            post_call(
                self._url,
                "",
                call_id,
                tracks,
                self.metadata(call_id),
                self._chunk_ms,
                speed,
                connect=connect,
                confirm_seconds=self._confirm_seconds,
            )
        except CallFailed as error:
            self._said.complain(f"{call_id}: {error}")
