"""A small telephony switch: posts tracks as a live call, as fast as people spoke or faster.

It does what a good sender does (docs/GUARANTEES.md). It numbers its chunks and keeps them. After a 409 it goes back to
the chunk that the server names. After a 429 or 503 it waits. At the end it says how many chunks there are. It looks
once more when the server's disk must have everything.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from scripts.simulator.recording import Track

TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 120.0
"""Most seconds to try one chunk. Then it gives the call up."""

FIRST_PATIENCE_SECONDS = 5.0
"""Seconds that a person at a terminal waits for the first answer. A wrong address never answers."""

CONFIRM_SECONDS = 2.0
"""Seconds after which a server that syncs its disk once a second forgets nothing, even if its machine dies. A master of
a cluster needs longer: see docs/GUARANTEES.md."""

Answer = tuple[int, dict[str, Any], dict[str, str]]


class CallFailed(RuntimeError):
    """The server refused for good. One line."""


class Api:
    """The HTTP API over one kept connection. It reconnects by itself. One thread at a time may use it."""

    def __init__(self, url: str, key: str = "") -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise CallFailed(f"{url!r} is not an http:// address")
        self._connect: Callable[[], http.client.HTTPConnection] = lambda: (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )(parts.hostname or "", port, timeout=TIMEOUT_SECONDS)
        self._path = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json") -> Answer:
        """(status, JSON body, headers). Raises OSError or http.client.HTTPException if nobody answers."""
        if self._connection is None:
            self._connection = self._connect()
        try:
            headers = self._headers | ({"Content-Type": content_type} if body is not None else {})
            self._connection.request(method, self._path + path, body, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            raise
        try:
            value = json.loads(text) if text else {}
        except ValueError:
            value = {"detail": text[:200].decode(errors="replace")}
        return answer.status, value, dict(answer.headers)


def post_call(
    url: str,
    key: str,
    call_id: str,
    tracks: list[Track],
    metadata: dict[str, str],
    chunk_ms: int,
    speed: float,
    stopping: Callable[[], bool] = lambda: False,
    connect: Callable[[str, str], Api] = Api,
    confirm_seconds: float = CONFIRM_SECONDS,
    first_patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Declare the call, post every track beside the others at `speed` times real time, end it, and look once more.

    first_patience_seconds: most seconds to wait for the very first answer. Raises CallFailed.
    """
    sender = _Sender(call_id, tracks, metadata, chunk_ms, speed, stopping, lambda: connect(url, key))
    sender.declare(api := sender.connect(), first_patience_seconds)
    begin = dict.fromkeys(sender.chunks, 1)
    while not stopping():
        sender.post(begin)
        sender.declare(api)  # the server may have forgotten the call with its last second
        last_seq = {"last_seq": {name: len(chunks) for name, chunks in sender.chunks.items()}}
        status, _ = sender.insist(api, "POST", f"/v1/calls/{call_id}/end", last_seq, (202, 404, 409))
        if status == 202 and not stopping():
            time.sleep(confirm_seconds)
            sender.declare(api)
        _, call = sender.insist(api, "GET", f"/v1/calls/{call_id}", None, (200, 404))
        if status == 202 and call.get("state") in ("ending", "ended"):
            return
        begin = {name: call.get("tracks", {}).get(name, {}).get("next_seq", 1) for name in sender.chunks}


class _Sender:
    """One call's audio on its way."""

    def __init__(
        self,
        call_id: str,
        tracks: list[Track],
        metadata: dict[str, str],
        chunk_ms: int,
        speed: float,
        stopping: Callable[[], bool],
        connect: Callable[[], Api],
    ) -> None:
        self._call_id = call_id
        self._declared = {"call_id": call_id, "tracks": [track.name for track in tracks], "metadata": metadata}
        self._forms = {track.name: track.content_type for track in tracks}
        self._chunk_seconds = chunk_ms / 1000 / speed
        self._stopping = stopping
        self.chunks = {track.name: track.chunks(chunk_ms) for track in tracks}
        self.connect = connect

    def declare(self, api: Api, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Declare the call. Doing it again changes nothing."""
        self.insist(api, "POST", "/v1/calls", self._declared, (200, 201), patience_seconds)

    def post(self, begin: dict[str, int]) -> None:
        """Post every track, each from its chunk in `begin` on."""
        failures: list[Exception] = []

        def run(track: str) -> None:
            try:
                self._post_track(track, begin[track])
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=run, args=(track,)) for track in self.chunks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _post_track(self, track: str, seq: int) -> None:
        api = self.connect()
        chunks = self.chunks[track]
        began = time.monotonic() - (seq - 1) * self._chunk_seconds
        while seq <= len(chunks) and not self._stopping():
            due = began + seq * self._chunk_seconds  # nobody can send a chunk before it is spoken
            time.sleep(max(0.0, due - time.monotonic()))
            path = f"/v1/calls/{self._call_id}/tracks/{track}/chunks/{seq}"
            chunk = chunks[seq - 1]

            def put(path: str = path, chunk: bytes = chunk) -> Answer:
                return api.ask("PUT", path, chunk, self._forms[track])

            status, body = _insist(put, (200, 202, 409), self._stopping)
            if status == 409:
                if "expected_seq" not in body:
                    raise CallFailed(f"chunk {seq} of {track}: {body.get('detail', 'refused')}")
                seq = int(body["expected_seq"])  # the server lost its last second: send that again
                self.declare(api)
            elif status:
                seq += 1

    def insist(
        self,
        api: Api,
        method: str,
        path: str,
        body: object,
        good: tuple[int, ...],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> tuple[int, dict[str, Any]]:
        """Ask until the answer is one of `good`."""
        encoded = None if body is None else json.dumps(body).encode()
        return _insist(lambda: api.ask(method, path, encoded), good, self._stopping, patience_seconds)


def _insist(
    ask: Callable[[], Answer],
    good: tuple[int, ...],
    stopping: Callable[[], bool],
    patience_seconds: float = PATIENCE_SECONDS,
) -> tuple[int, dict[str, Any]]:
    """Ask until the answer is one of `good`. Wait while the server is busy, restarting or away."""
    deadline = time.monotonic() + patience_seconds
    while not stopping():
        try:
            status, body, headers = ask()
        except (OSError, http.client.HTTPException) as error:
            status, body, headers = 0, {"detail": str(error) or type(error).__name__}, {}
        if status in good:
            return status, body
        if status not in (0, 429, 502, 503, 504):
            raise CallFailed(f"the server answers {status}: {body.get('detail') or body.get('title')}")
        if time.monotonic() > deadline:
            raise CallFailed(f"gave up after {patience_seconds:.0f} s: {body.get('detail')}")
        wait = headers.get("Retry-After", "")
        time.sleep(min(float(wait), 10.0) if wait.isdigit() else 0.3)
    return 0, {}
