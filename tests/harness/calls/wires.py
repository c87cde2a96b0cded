"""What telephony sends, byte by byte: a websocket client after RFC 6455, and senders after each provider's format.

This file uses nothing of webapp. Otherwise one fault on both sides would cancel itself out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refused(Exception):
    """The server did not upgrade."""

    def __init__(self, status: int, head: str) -> None:
        super().__init__(head)
        self.status = status


class WebSocket:
    """A client's end of a websocket."""

    def __init__(self, url: str, headers: dict[str, str] | None = None, subprotocol: str = "") -> None:
        parts = urlsplit(url)
        self.sock = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=60)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {parts.path}{'?' + parts.query if parts.query else ''} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Connection: keep-alive, Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        ]
        if subprotocol:
            lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.sock.recv(1)
            assert byte, head
            head += byte
        self.head = head.decode()
        status = int(self.head.split()[1])
        if status != 101:
            self.sock.close()
            raise Refused(status, self.head)
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        assert f"Sec-WebSocket-Accept: {accept}" in self.head
        if subprotocol:
            assert f"Sec-WebSocket-Protocol: {subprotocol}" in self.head

    def text(self, message: str | dict[str, Any]) -> None:
        self._send(TEXT, (message if isinstance(message, str) else json.dumps(message)).encode())

    def binary(self, message: bytes) -> None:
        self._send(BINARY, message)

    def fragments(self, message: bytes, size: int) -> None:
        """One binary message in several frames, with a ping in between."""
        pieces = [message[at : at + size] for at in range(0, len(message), size)]
        for n, piece in enumerate(pieces):
            self._send(BINARY if n == 0 else 0, piece, final=n == len(pieces) - 1)
            if n == 0:
                self._send(PING, b"still there?")

    def receive(self) -> tuple[int, bytes]:
        """(opcode, payload) of the next frame that is no ping or pong. After (CLOSE, payload) none comes."""
        while True:
            head = self._read(2)
            size = head[1] & 0x7F
            assert not head[1] & 0x80, "servers do not mask"
            if size == 126:
                (size,) = struct.unpack(">H", self._read(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", self._read(8))
            payload = self._read(size)
            opcode = head[0] & 0x0F
            if opcode == PING:
                self._send(PONG, payload)
            elif opcode != PONG:
                return opcode, payload

    def json(self) -> dict[str, Any]:
        """The next message. It must be a JSON text."""
        opcode, payload = self.receive()
        assert opcode == TEXT, (opcode, payload)
        value: dict[str, Any] = json.loads(payload)
        return value

    def close_code(self) -> int:
        """Read until the server closes. Returns its close code."""
        while True:
            opcode, payload = self.receive()
            if opcode == CLOSE:
                return int(struct.unpack(">H", payload[:2])[0])

    def close(self, code: int | None = 1000) -> None:
        """Close. code: None sends none, as browsers and Node do unless a program names one."""
        self._send(CLOSE, b"" if code is None else struct.pack(">H", code))
        self.sock.close()

    def abort(self) -> None:
        """Reset the connection without a close frame, as a router does when a cable is pulled."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _send(self, opcode: int, payload: bytes, final: bool = True) -> None:
        head = bytes([(0x80 if final else 0) | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        elif len(payload) < 1 << 16:
            head += bytes([0x80 | 126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", len(payload))
        mask = os.urandom(4)
        repeated = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
        masked = (int.from_bytes(payload, "big") ^ repeated).to_bytes(len(payload), "big")
        self.sock.sendall(head + mask + masked)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise ConnectionError("the server hung up without a close frame")
            data += piece
        return data


Parties = dict[str, bytes]
"""inbound and outbound audio, mu-law at 8000 Hz."""

FRAME = 160
"""Bytes of 20 ms of mu-law."""


class Twilio:
    """Messages of one Twilio media stream. Every number is a string, and the frames of both tracks take turns."""

    def __init__(self, call: str, parties: Parties, stream: str = "MZ0123", **parameters: str) -> None:
        self.call, self.stream, self.parties, self.parameters = call, stream, parties, parameters
        self.number = 0

    def start(self) -> Iterator[dict[str, Any]]:
        yield {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        yield self._numbered(
            event="start",
            start={
                "accountSid": "AC0123",
                "streamSid": self.stream,
                "callSid": self.call,
                "tracks": list(self.parties),
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": self.parameters,
            },
        )

    def media(self, first: int = 0, end: int | None = None) -> Iterator[dict[str, Any]]:
        frames = len(next(iter(self.parties.values()))) // FRAME
        for n in range(first, min(end or frames, frames)):
            for track, audio in self.parties.items():
                yield self._numbered(
                    event="media",
                    media={
                        "track": track,
                        "chunk": str(n + 1),
                        "timestamp": str(20 * n),
                        "payload": base64.b64encode(audio[n * FRAME : (n + 1) * FRAME]).decode(),
                    },
                )

    def stop(self) -> dict[str, Any]:
        return self._numbered(event="stop", stop={"accountSid": "AC0123", "callSid": self.call})

    def _numbered(self, **message: Any) -> dict[str, Any]:
        self.number += 1
        return {**message, "sequenceNumber": str(self.number), "streamSid": self.stream}


def interleaved(left: bytes, right: bytes, width: int) -> bytes:
    """Two channels, mixed sample by sample. width: bytes of a sample."""
    out = bytearray()
    for at in range(0, len(left), width):
        out += left[at : at + width] + right[at : at + width]
    return bytes(out)
