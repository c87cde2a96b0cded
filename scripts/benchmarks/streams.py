"""What telephony's sockets cost: live streams in real time, into one streams process on a core of its own.

The benchmark counts and times from outside. The senders and the server share another core. Nobody decodes: another
benchmark measures decoders. Calls begin one after the other, as real ones do: a process that got every chunk of all
calls in the same instant would look worse than it is.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts.machine.programs import cpu_seconds, resident_bytes
from scripts.machine.server import EmbeddedServer
from state import keys
from state.server.connection import connect
from state.settings import Settings
from tests.harness.web import Web

FRAME_SECONDS = 0.02
"""Seconds of a frame, as telephony sends them: fifty a second."""

CORES = sorted(os.sched_getaffinity(0))
MULAW_FRAME = bytes(range(160))
SPREAD = 25
"""Rounds of frames over which the calls begin: as many as a chunk has frames."""

LATE_SECONDS = 1.0
"""Most seconds from a frame until its audio is in the journal, to be in time. A chunk takes half a second of them."""

Message = Callable[[int], tuple[int, bytes]]
"""Takes a frame's number. Returns the websocket's opcode and payload."""


def bench_streams(options: argparse.Namespace) -> dict[str, Any]:
    """Measure Twilio's text frames of one track, then of two tracks, then FreeSWITCH's binary stereo."""
    report: dict[str, Any] = {"seconds": options.seconds}
    kinds: dict[str, tuple[str, Callable[[str], dict[str, Any]], list[Message], int]] = {
        "twilio_one_track": ("/v1/streams/twilio", _twilio_start, [_twilio("inbound")], 1),
        "twilio_both_tracks": ("/v1/streams/twilio", _twilio_start, [_twilio("inbound"), _twilio("outbound")], 2),
        "binary_stereo": ("/v1/streams/audio?tracks=customer,agent", _binary_start, [_binary], 2),
    }
    for streams in options.streams:
        report[f"{streams}_streams"] = {
            name: _one(streams, options.seconds, name, path, start, messages, tracks)
            for name, (path, start, messages, tracks) in kinds.items()
        }
    return report


def _one(
    streams: int,
    seconds: float,
    name: str,
    path: str,
    start: Callable[[str], dict[str, Any]],
    messages: list[Message],
    tracks: int,
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as server:
        client = connect(Settings(redis_url=server.url), "web")
        environ = {"BACKLOG_LIMIT_SECONDS": "1000000", "AUTH": "off"}
        web = Web(server.url, Path(folder) / "streams.log", environ, streams=True)
        try:
            with _on_core(0):
                web.start()
            pid, port = web.worker_pid, web.port
            calls = [f"{name}-{n}" for n in range(streams)]
            sockets = [_connect(port, path, start(call)) for call in calls]
            time.sleep(1.0)
            cpu, server_cpu = cpu_seconds(pid), cpu_seconds(server.pid)
            began = time.monotonic()
            frames = int(seconds / FRAME_SECONDS)
            try:
                worst = _send(sockets, messages, frames, began)
            except OSError as error:
                raise SystemExit(f"bench: {error}: {web.output.read_text()[-500:]}") from None
            spent = time.monotonic() - began
            cpu, server_cpu = cpu_seconds(pid) - cpu, cpu_seconds(server.pid) - server_cpu
            wanted = frames * len(MULAW_FRAME) * tracks * streams
            time.sleep(LATE_SECONDS)
            taken = _taken(client, calls)
            threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
            resident = resident_bytes(pid)
            for one in sockets:
                one.close()
        finally:
            web.kill()
    return {
        "frames_per_second": round(frames * len(messages) * streams / spent),
        "cpu_cores": round(cpu / spent, 3),
        "cpu_ms_per_stream_second": round(1000 * cpu / spent / streams, 2),
        "server_cpu_ms_per_stream_second": round(1000 * server_cpu / spent / streams, 2),
        "sender_behind_seconds_worst": round(worst, 3),
        "audio_taken_in_time": round(taken / wanted, 4),
        "threads": threads,
        "resident_megabytes": round(resident / 1e6, 1),
    }


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[EmbeddedServer]:
    with _on_core(-1):
        server = EmbeddedServer(folder / "server")
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def _on_core(which: int) -> Iterator[None]:
    """Keep this process, and what it starts meanwhile, on the first or last core (0, -1) that it may use."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORES[which]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _send(sockets: list[socket.socket], messages: list[Message], frames: int, began: float) -> float:
    """Send every stream a frame every 20 ms. Returns by how many seconds the slowest round was late."""
    worst = 0.0
    groups = [sockets[n::SPREAD] for n in range(SPREAD)]
    data = [b"".join(_frame(*message(n)) for message in messages) for n in range(frames)]
    for n in range(frames + SPREAD - 1):
        late = time.monotonic() - (began + n * FRAME_SECONDS)
        worst = max(worst, late)
        time.sleep(max(0.0, -late))
        for behind, group in enumerate(groups):
            if 0 <= n - behind < frames:
                for one in group:
                    one.sendall(data[n - behind])
    return worst


def _frame(opcode: int, payload: bytes) -> bytes:
    """A client's websocket frame. Its mask changes nothing: any mask is allowed."""
    size = len(payload)
    head = bytes([0x80 | opcode, 0x80 | size]) if size < 126 else struct.pack(">BBH", 0x80 | opcode, 0xFE, size)
    return head + bytes(4) + payload


def _connect(port: int, path: str, start: dict[str, Any]) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port), 10)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    one.sendall(head.encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += one.recv(4096)
    if not answer.startswith(b"HTTP/1.1 101"):
        raise SystemExit(f"bench: {answer[:200]!r}")
    one.sendall(_frame(1, json.dumps(start).encode()))
    return one


def _twilio_start(call: str) -> dict[str, Any]:
    return {"event": "start", "streamSid": f"MZ{call}", "start": {"callSid": call, "tracks": ["inbound", "outbound"]}}


def _twilio(track: str) -> Message:
    payload = base64.b64encode(MULAW_FRAME).decode()

    def message(n: int) -> tuple[int, bytes]:
        media = {"track": track, "chunk": str(n + 1), "timestamp": str(20 * n), "payload": payload}
        told = {"event": "media", "sequenceNumber": str(n + 2), "media": media, "streamSid": "MZ"}
        return 1, json.dumps(told).encode()

    return message


def _binary_start(call: str) -> dict[str, Any]:
    return {"uuid": call, "encoding": "l16", "rate": 8000}


def _binary(n: int) -> tuple[int, bytes]:
    return 2, n.to_bytes(4, "big") + bytes(4 * len(MULAW_FRAME) - 4)


def _taken(client: Any, calls: list[str]) -> int:
    pipe = client.pipeline(transaction=False)
    for call in calls:
        for track in ("customer", "agent"):
            pipe.hget(keys.track(call, track), "samples")
    return sum(int(samples or 0) for samples in pipe.execute())
