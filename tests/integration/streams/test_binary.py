"""Each sender of JSON with raw audio after it gets the transcript that HTTP gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from state import g711, keys
from tests.harness.calls.wires import Refused, WebSocket, interleaved
from tests.harness.web import wait_until
from tests.integration.streams.conftest import House, samples

PATH = "/v1/streams/audio"
Frames = list[bytes]


def pcm(house: House) -> dict[str, bytes]:
    return {party: g711.decode_mulaw(audio) for party, audio in house.parties.items()}


def cut(audio: bytes, size: int) -> Frames:
    return [audio[at : at + size] for at in range(0, len(audio), size)]


def both(house: House) -> bytes:
    sides = pcm(house)
    return interleaved(sides["customer"], sides["agent"], 2)


def one_socket(house: House, path: str, start: Any, frames: Frames, end: Any = None, subprotocol: str = "") -> None:
    ws = WebSocket(house.address(path), subprotocol=subprotocol)
    if start is not None:
        ws.text(start)
    for frame in frames:
        ws.binary(frame)
    if end is None:
        ws.close()
    else:
        ws.text(end)
        assert ws.close_code() == 1000


def freeswitch(house: House, call_id: str) -> None:
    """uuid_audio_stream <uuid> start <wss>?tracks=customer,agent stereo 8k <metadata>: 20 ms a frame, then a close."""
    one_socket(house, f"{PATH}?tracks=customer,agent", {"uuid": call_id, "agent": "Ann"}, cut(both(house), 640))


def freeswitch_without_metadata(house: House, call_id: str) -> None:
    """The same, with everything in the address."""
    one_socket(house, f"{PATH}?call_id={call_id}&tracks=customer,agent&rate=8000", None, cut(both(house), 640))


def jambonz(house: House, call_id: str) -> None:
    start = {
        "callSid": call_id,
        "callId": f"sip-{call_id}",
        "direction": "inbound",
        "from": "+15083084809",
        "to": "+15084711234",
        "sampleRate": 8000,
        "mixType": "stereo",
        "metadata": {"agent": "Ann"},
    }
    one_socket(house, PATH, start, cut(both(house), 1280), subprotocol="audio.jambonz.org")


def asterisk(house: House, call_id: str) -> None:
    """chan_websocket: mu-law, one snoop channel a party; one sends the JSON form, the other the plain one."""
    sockets = []
    for party in house.parties:
        start: Any = {
            "event": "MEDIA_START",
            "connection_id": "e226e283",
            "channel": "WebSocket/conn1",
            "channel_id": f"pbx1-{party}",
            "format": "ulaw",
            "optimal_frame_size": 160,
            "ptime": 20,
            "channel_variables": {},
        }
        if party == "agent":
            start = "MEDIA_START connection_id:e226e283 channel:WebSocket/conn1 format:ulaw optimal_frame_size:160"
        ws = WebSocket(house.address(f"{PATH}?call_id={call_id}&track={party}"), subprotocol="media")
        ws.text(start)
        sockets.append((ws, house.parties[party]))
    for ws, audio in sockets:
        for frame in cut(audio, 160):
            ws.binary(frame)
        ws.text({"event": "DTMF_END", "digit": "5"})
    for ws, _ in sockets:
        ws.close()


def live_call_analytics(house: House, call_id: str) -> None:
    start = {
        "callId": call_id,
        "fromNumber": "+1",
        "toNumber": "+2",
        "agentId": "Ann",
        "samplingRate": 8000,
        "callEvent": "START",
    }
    one_socket(house, PATH, start, cut(both(house), 3200), {"callId": call_id, "callEvent": "END"})


def big_frames_and_fragments(house: House, call_id: str) -> None:
    """Five seconds a message, cut anywhere into websocket fragments and samples."""
    ws = WebSocket(house.address(f"{PATH}?call_id={call_id}&tracks=customer,agent"))
    for frame in cut(both(house), 160_001):
        ws.fragments(frame, 9_999)
    ws.text({"eof": 1})
    assert ws.close_code() == 1000


SENDERS: list[Callable[[House, str], None]] = [
    freeswitch,
    freeswitch_without_metadata,
    jambonz,
    asterisk,
    live_call_analytics,
    big_frames_and_fragments,
]


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.__name__)
def test_a_sender_of_raw_audio_reads_as_over_http(house: House, sender: Callable[[House, str], None]) -> None:
    call_id = house.call_id()
    sender(house, call_id)
    assert house.finished(call_id) == house.transcript
    assert house.fleet.redis.hget(keys.call(call_id), "end_reason") == b"sender"
    if sender in (freeswitch, jambonz, live_call_analytics):
        assert house.metadata(call_id)["agent"] == "Ann"


def test_a_vonage_leg_reads_as_over_http(house: House) -> None:
    call_id = house.call_id()
    legs = {party: WebSocket(house.address(PATH)) for party in ("agent", "customer")}
    for party, ws in legs.items():
        start = {
            "event": "websocket:connected",
            "content-type": "audio/l16;rate=8000",
            "call_id": call_id,
            "track": party,
        }
        ws.text(start)
    for party, ws in legs.items():
        for frame in cut(pcm(house)[party], 320):
            ws.binary(frame)
        wait_until(lambda party=party: samples(house.fleet.redis, call_id, party) > 0, "the leg is there")
    for ws in legs.values():
        ws.close()
    assert house.finished(call_id) == house.transcript


def test_a_sender_without_a_clock_goes_on_where_it_was_cut_off(house: House) -> None:
    call_id = house.call_id()
    frames = cut(both(house), 640)
    for at_web, part in ((False, frames[:411]), (True, frames[411:])):
        ws = WebSocket(house.address(PATH, at_web))
        ws.text({"uuid": call_id, "tracks": ["customer", "agent"]})
        for frame in part:
            ws.binary(frame)
        if not at_web:
            ws.close(1001)
            wait_until(lambda: house.taken(call_id) == 411 * 160, "what the first socket sent is taken")
    ws.text({"event": "stop"})
    assert ws.close_code() == 1000
    assert house.finished(call_id) == house.transcript


@pytest.mark.parametrize("code", [1000, None])
def test_a_socket_closed_in_order_ends_its_call_at_once(house: House, code: int | None) -> None:
    call_id = house.call_id()
    ws = WebSocket(house.address(f"{PATH}?call_id={call_id}&encoding=ulaw"))
    for frame in cut(house.parties["customer"], 160):
        ws.binary(frame)
    ws.close(code)
    wait_until(lambda: house.fleet.redis.hget(keys.call(call_id), "end_reason"), "the call ends")
    assert house.fleet.redis.hget(keys.call(call_id), "end_reason") == b"sender"


def test_a_websocket_at_another_path_is_told_where_to_go(house: House) -> None:
    with pytest.raises(Refused) as refused:
        WebSocket(house.address("/"))
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("query", "start", "frame", "code"),
    [
        ("", {"uuid": "x", "encoding": "opus"}, b"", 1007),
        ("", {"uuid": "x", "rate": 4000}, b"", 1007),
        ("?rate=fast", None, b"\0\0", 1007),
        ("", {"uuid": "x", "tracks": "a,a"}, b"", 1007),
        ("", {"uuid": "x", "tracks": ["Ä"]}, b"", 1007),
        ("", None, b"\0" * (1 << 20) + b"\0", 1009),
    ],
)
def test_a_sender_that_cannot_be_understood_is_told_so(
    house: House, query: str, start: Any, frame: bytes, code: int
) -> None:
    ws = WebSocket(house.address(PATH + query))
    if start is not None:
        ws.text({**start, "uuid": house.call_id()})
    if frame:
        ws.binary(frame)
    assert ws.close_code() == code


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x82\x05hello", 1002),  # a client must mask
        (b"\x83\x80\0\0\0\0", 1002),  # no such opcode
        (b"\xf2\x80\0\0\0\0", 1002),  # bits of an extension that nobody asked for
        (b"\x89\xfe\x01\x00" + bytes(260), 1002),  # a ping of 256 bytes
        (b"\x80\x80\0\0\0\0", 1002),  # goes on with what never began
        (b"\x81\x82\0\0\0\0\xc3\x28", 1007),  # no UTF-8
        (b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1009),  # eight exabytes
    ],
)
def test_bytes_that_are_no_websocket_end_that_socket_only(house: House, frame: bytes, code: int) -> None:
    ws = WebSocket(house.address(PATH))
    ws.sock.sendall(frame)
    assert ws.close_code() == code
    WebSocket(house.address(PATH)).close()


@pytest.mark.parametrize("rate", [11025, 16000, 44100, 48000])
def test_every_rate_is_understood(house: House, rate: int) -> None:
    """The test resamples crudely, so most words must be the same, not all."""
    call_id = house.call_id()
    said = np.frombuffer(pcm(house)["agent"], "<i2").astype(float)
    at = np.arange(int(len(said) / 8000 * rate)) / rate * 8000
    audio = np.interp(at, np.arange(len(said)), said).astype("<i2").tobytes()
    one_socket(house, f"{PATH}?track=agent&rate={rate}&call_id={call_id}", None, cut(audio, rate // 50 * 2), {"eof": 1})
    house.finished(call_id)
    view, reference = house.fleet.reads.call(call_id), house.fleet.reads.call("http")
    assert view is not None and reference is not None
    heard = " ".join(said.text for said in view.utterances).lower().split()
    expected = " ".join(said.text for said in reference.utterances if said.track == "agent").lower().split()
    same = len(set(heard) & set(expected)) / len(set(expected))
    assert same > 0.7, (heard, expected)
    assert view.utterances[-1].end == pytest.approx(
        max(said.end for said in reference.utterances if said.track == "agent"), abs=0.5
    )
