"""Asterisk's AudioSocket: three bytes of head (kind, length), then the payload, over plain TCP.

It takes over the channel: Asterisk plays the audio that we send back, and waits for it. So we answer every frame of
audio with as much silence. One party, one track.
"""

from __future__ import annotations

import uuid

from webapp.http.names import CUSTOMER, clean_call_id
from webapp.streams.events import Audio, Event, Form, Message, ProtocolError, Say, Start, Stop, Told

HANG_UP, IDENTITY, DTMF, ERROR = 0x00, 0x01, 0x03, 0xFF
RATES = {0x10: 8000, 0x11: 12000, 0x12: 16000, 0x13: 24000, 0x14: 32000, 0x15: 44100, 0x16: 48000}
"""Kinds of signed linear audio, 16 bit little-endian, and their rates in Hz. (0x17, 0x18: 96 and 192 kHz.)"""

HEAD_BYTES = 3


class AudioSocketParser:
    """One connection's bytes, in whatever pieces TCP brings them."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._named = False

    close_ends = True
    """Asterisk hangs up by closing the connection; the packet for it goes the other way."""

    def feed(self, message: Message) -> list[Event]:
        """See Parser.feed."""
        if isinstance(message, str):
            raise ProtocolError("AudioSocket knows no text")
        self._buffer += message
        events: list[Event] = []
        while len(self._buffer) >= HEAD_BYTES:
            size = int.from_bytes(self._buffer[1:HEAD_BYTES], "big")
            if len(self._buffer) < HEAD_BYTES + size:
                break
            kind, payload = self._buffer[0], bytes(self._buffer[HEAD_BYTES : HEAD_BYTES + size])
            del self._buffer[: HEAD_BYTES + size]
            events += self._packet(kind, payload)
        return events

    def farewell(self) -> list[Message]:
        """See Parser.farewell: a hang-up would end the phone call; a closed connection lets the dialplan go on."""
        return []

    def _packet(self, kind: int, payload: bytes) -> list[Event]:
        if kind == IDENTITY:
            if len(payload) != 16:
                raise ProtocolError("the identity has 16 bytes")
            if self._named:
                raise ProtocolError("a second identity")
            self._named = True
            return [Start(clean_call_id(uuid.UUID(bytes=payload)), [CUSTOMER], {})]
        if not self._named:
            raise ProtocolError("the first packet must be the identity")
        if kind in RATES:
            if not payload:
                return []
            silence = bytes([kind]) + len(payload).to_bytes(2, "big") + bytes(len(payload))
            return [Audio((CUSTOMER,), Form("s16le", RATES[kind]), payload), Say(silence)]
        if kind in (HANG_UP, ERROR):
            return [Stop()]
        if kind in (0x17, 0x18):
            raise ProtocolError("rates above 48000 Hz are not known")
        return [Told("dtmf", CUSTOMER)] if kind == DTMF else []  # and what will be invented
