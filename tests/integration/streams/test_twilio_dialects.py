"""The dialects of Twilio's protocol: other names, other order, other encodings."""

from __future__ import annotations

import base64
import random
from typing import Any

import pytest

from state import g711
from tests.harness.calls.wires import Twilio, WebSocket
from tests.integration.streams.conftest import House
from tests.integration.streams.test_twilio import PATH, parties


def telnyx(call_id: str, sent: Twilio) -> list[dict[str, Any]]:
    """Telnyx: other names, and frames that overtake each other by up to 100 ms."""
    messages: list[dict[str, Any]] = [
        {"event": "connected", "version": "1.0.0"},
        {
            "event": "start",
            "sequence_number": "1",
            "stream_id": "32de0dea",
            "start": {
                "user_id": "3e6f995f",
                "call_control_id": f"v3:{call_id}",
                "call_session_id": call_id,
                "from": "+13122010094",
                "to": "+13122123456",
                "client_state": "aGF2ZSBhIG5pY2UgZGF5ID1d",
                "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
            },
        },
    ]
    media = [m["media"] for m in sent.media()]
    ready = sorted(range(len(media)), key=lambda n: n + random.Random(n).uniform(0, 9))
    messages += [
        {"event": "media", "sequence_number": str(n), "stream_id": "32de0dea", "media": media[i]}
        for n, i in enumerate(ready)
    ]
    return [*messages, {"event": "stop", "sequence_number": "9", "stream_id": "32de0dea", "stop": {}}]


def plivo(call_id: str, sent: Twilio) -> list[dict[str, Any]]:
    """Plivo: numbers are numbers, 16 bit audio, the clock counts from 1970, and no stop."""
    messages: list[dict[str, Any]] = [
        {
            "sequenceNumber": 0,
            "event": "start",
            "start": {
                "callId": call_id,
                "streamId": "b77e037d",
                "accountId": "77",
                "tracks": ["inbound", "outbound"],
                "mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 8000},
            },
            "extra_headers": "{}",
        }
    ]
    for n, message in enumerate(sent.media()):
        media = message["media"]
        payload = base64.b64encode(g711.decode_mulaw(base64.b64decode(media["payload"]))).decode()
        media = {
            "track": media["track"],
            "timestamp": str(1700000000000 + int(media["timestamp"])),
            "chunk": int(media["chunk"]),
            "payload": payload,
        }
        messages.append({"sequenceNumber": n, "streamId": "b77e037d", "event": "media", "media": media})
    return messages


def exotel(call_id: str, sent: Twilio) -> list[dict[str, Any]]:
    """Exotel: snake_case, 16 bit audio in frames of 100 ms, one track without a name."""
    pcm = g711.decode_mulaw(sent.parties["inbound"])
    messages: list[dict[str, Any]] = [
        {"event": "connected"},
        {
            "event": "start",
            "sequence_number": 1,
            "stream_sid": "e1",
            "start": {
                "stream_sid": "e1",
                "call_sid": call_id,
                "account_sid": "acc",
                "from": "0912",
                "to": "080",
                "custom_parameters": {"agent": "Ann"},
                "media_format": {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "128kbps"},
            },
        },
    ]
    for n, at in enumerate(range(0, len(pcm), 1600)):
        media = {"chunk": n + 1, "timestamp": str(100 * n), "payload": base64.b64encode(pcm[at : at + 1600]).decode()}
        messages.append({"event": "media", "sequence_number": n + 2, "stream_sid": "e1", "media": media})
    stop = {"call_sid": call_id, "account_sid": "acc", "reason": "callended"}
    return [*messages, {"event": "stop", "sequence_number": 99, "stream_sid": "e1", "stop": stop}]


@pytest.mark.parametrize("dialect", [telnyx, plivo, exotel], ids=lambda dialect: dialect.__name__)
def test_a_dialect_reads_as_over_http(house: House, dialect: Any) -> None:
    call_id = house.call_id()
    ws = WebSocket(house.address(PATH))
    for message in dialect(call_id, Twilio(call_id, parties(house))):
        ws.text(message)
    if dialect is plivo:
        ws.close()
    else:
        assert ws.close_code() == 1000
    expected = house.transcript
    if dialect is exotel:
        expected = {name: said for name, said in expected.items() if name.startswith(b"customer")}
    assert house.finished(call_id) == expected
