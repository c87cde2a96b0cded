"""A telephony switch in small: posts tracks as a live call, as fast as they were spoken or faster.

It does what the README asks of a sender: numbers its chunks, keeps them until they are accepted, goes back to
where the server says after a 409, and waits after a 429 or 503.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from scripts.recording import Track

TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 120.0
"""How long one chunk is tried before the call is given up."""


class CallFailed(RuntimeError):
    """The server refused for good; one line."""


class Api:
    """The HTTP API over one kept connection; reconnects by itself. One thread at a time."""

    def __init__(self, url: str, key: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CallFailed(f"{url!r} is no http:// address")
        self._connect: Callable[[], http.client.HTTPConnection] = lambda: (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        self._path = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json"
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
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
) -> None:
    """Declare the call, post every track beside the others at `speed` times real time, and end it.

    Raises CallFailed.
    """
    api = Api(url, key)
    declared = json.dumps({"call_id": call_id, "tracks": [t.name for t in tracks], "metadata": metadata}).encode()
    _insist(lambda: api.ask("POST", "/v1/calls", declared), (200, 201), stopping)
    failures: list[Exception] = []

    def run(track: Track) -> None:
        try:
            _post_track(Api(url, key), call_id, track, chunk_ms, speed, stopping)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(track,)) for track in tracks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    if not stopping():
        _insist(lambda: api.ask("POST", f"/v1/calls/{call_id}/end", b""), (202,), stopping)


def _post_track(
    api: Api, call_id: str, track: Track, chunk_ms: int, speed: float, stopping: Callable[[], bool]
) -> None:
    chunks = track.chunks(chunk_ms)
    began = time.monotonic()
    seq = 1
    while seq <= len(chunks) and not stopping():
        due = began + seq * chunk_ms / 1000 / speed  # a chunk can be sent when it has been spoken
        time.sleep(max(0.0, due - time.monotonic()))
        path = f"/v1/calls/{call_id}/tracks/{track.name}/chunks/{seq}"
        chunk = chunks[seq - 1]

        def put(path: str = path, chunk: bytes = chunk) -> tuple[int, dict[str, Any], dict[str, str]]:
            return api.ask("PUT", path, chunk, track.content_type)

        status, body = _insist(put, (200, 202, 409), stopping)
        if status == 409:
            if "expected_seq" not in body:
                raise CallFailed(f"chunk {seq} of {track.name}: {body.get('detail', 'refused')}")
            seq = int(body["expected_seq"])  # the server lost its last second: send that again
        elif status:
            seq += 1


def _insist(
    ask: Callable[[], tuple[int, dict[str, Any], dict[str, str]]], good: tuple[int, ...], stopping: Callable[[], bool]
) -> tuple[int, dict[str, Any]]:
    """Ask until the answer is one of `good`; waits where the server is busy, restarting or away."""
    deadline = time.monotonic() + PATIENCE_SECONDS
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
            raise CallFailed(f"gave up after {PATIENCE_SECONDS:.0f} s: {body.get('detail')}")
        wait = headers.get("Retry-After", "")
        time.sleep(min(float(wait), 10.0) if wait.isdigit() else 0.3)
    return 0, {}
