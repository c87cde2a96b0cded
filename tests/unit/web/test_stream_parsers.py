"""From any bytes a parser makes events or a ProtocolError. Its events fit the store."""

from __future__ import annotations

import itertools
import json
import pickle
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.types import CALL_ID, TRACK
from webapp.http.names import clean_call_id, clean_metadata
from webapp.schemas.values import MAX_METADATA_CHARACTERS
from webapp.streams.audiohook import AudioHookParser
from webapp.streams.audiosocket import AudioSocketParser
from webapp.streams.binary import BinaryParser
from webapp.streams.events import Audio, Event, Lost, Message, Parser, ProtocolError, Start, Told
from webapp.streams.twilio import TwilioParser, is_signed, signature
from webapp.streams.vosk_server import VoskParser

PRESSED: list[tuple[Parser, list[Message]]] = [
    (
        TwilioParser(),
        [
            '{"event":"start","start":{"callSid":"CA1"}}',
            '{"event":"dtmf","streamSid":"MZ","dtmf":{"track":"inbound_track","digit":"7"}}',
        ],
    ),
    (BinaryParser({"call_id": "c"}), [b"\0\0", '{"event":"websocket:dtmf","digit":"7","duration":260}']),
    (BinaryParser({"call_id": "c"}), [b"\0\0", "DTMF_END digit:7"]),
    (AudioSocketParser(), [b"\x01\0\x10" + bytes(16), b"\x03\0\x017"]),
    (AudioHookParser(), ['{"version":"2","type":"dtmf","seq":1,"parameters":{"digit":"7","position":"PT1S"}}']),
]


@pytest.mark.parametrize(("parser", "messages"), PRESSED)
def test_a_key_that_was_pressed_is_told_and_which_one_is_not(parser: Parser, messages: list[Message]) -> None:
    told = [event for message in messages for event in parser.feed(message)]
    assert [event for event in told if isinstance(event, Told)] == [Told("dtmf", "customer")]


def test_a_sender_made_for_earshot_tells_of_holds_and_transfers() -> None:
    parser = BinaryParser({"call_id": "c"})
    parser.feed(b"\0\0")
    told = [*parser.feed('{"event":"hold"}'), *parser.feed('{"event":"transfer","to":"billing","digit":"7"}')]
    assert told == [Told("hold"), Told("transfer", "", "billing")]
    assert parser.feed('{"event":"mute","track":"agent"}') == [Told("mute", "agent")]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["inbound", "outbound", "8000", "audio/x-mulaw", "PCMU", "L16", "external", "audio", "////", "-1"]),
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
)


def objects(fields: dict[str, Any]) -> st.SearchStrategy[str]:
    """JSON objects with some of these members. Each has the right kind of value, or any."""
    members = {name: st.one_of(good, JSON) for name, good in fields.items()}
    return st.fixed_dictionaries({}, optional=members).map(json.dumps)


def some(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: st.one_of(good, SCALARS) for name, good in fields.items()})


NAMES = st.text(max_size=200)
FORMS = some(
    encoding=st.sampled_from(["audio/x-mulaw", "PCMU", "audio/x-l16"]), sampleRate=st.just(8000), sample_rate=NAMES
)
TWILIO = objects(
    {
        "event": st.sampled_from(["connected", "start", "media", "stop", "dtmf"]),
        "streamSid": NAMES,
        "start": some(
            callSid=NAMES,
            tracks=st.lists(SCALARS, max_size=20),
            mediaFormat=FORMS,
            customParameters=st.dictionaries(NAMES, JSON, max_size=3) | st.just({"inbound": "agent"}),
        ),
        "media": some(
            track=st.just("outbound"),
            chunk=st.integers() | st.just("7"),
            timestamp=st.just("20"),
            payload=st.sampled_from(["", "/w==", "fn5+", "f"]),
        ),
    }
)
BINARY_TEXT = objects(
    {
        "event": st.sampled_from(["MEDIA_START", "websocket:connected", "stop"]),
        "format": st.sampled_from(["ulaw", "slin16", "opus"]),
        "content-type": st.sampled_from(["audio/l16;rate=16000", "audio/l16;rate=99999"]),
        "sampleRate": st.integers(0, 50000),
        "tracks": st.lists(st.sampled_from(["agent", "customer", "x y"]), max_size=3) | NAMES,
        "callSid": NAMES,
        "metadata": st.dictionaries(NAMES, JSON, max_size=3),
        "mixType": st.just("stereo"),
    }
)
AUDIOHOOK = objects(
    {
        "version": st.just("2"),
        "id": NAMES,
        "type": st.sampled_from(["open", "ping", "close", "discarded", "resumed", "paused"]),
        "seq": st.integers(),
        "parameters": some(
            conversationId=NAMES | st.just("00000000-0000-0000-0000-000000000000"),
            reason=st.sampled_from(["end", "reconnect"]),
            discarded=st.sampled_from(["PT1.5S", "PT", "PT999999999S"]),
            participant=some(ani=NAMES),
            media=st.lists(
                some(
                    type=st.just("audio"),
                    format=st.sampled_from(["PCMU", "L16"]),
                    channels=st.lists(st.sampled_from(["external", "internal"]), max_size=3),
                    rate=st.sampled_from([8000, 0]),
                ),
                max_size=3,
            ),
        ),
    }
)
VOSK = objects(
    {
        "config": some(
            sample_rate=st.sampled_from([8000, 16000.0, 1]),
            words=st.booleans(),
            call_id=NAMES,
            track=st.just("agent"),
            max_alternatives=st.integers(),
        ),
        "eof": st.just(1),
        "reset": st.just(1),
    }
)
PLAIN = st.text(max_size=60) | st.from_regex(r"MEDIA_[A-Z]{2,9}( [a-z_]{1,8}:[a-z0-9:]{0,8}){0,4}", fullmatch=True)
PACKETS = st.tuples(
    st.sampled_from([0x00, 0x01, 0x03, 0x10, 0x12, 0x18, 0xFF]),
    st.binary(max_size=20) | st.binary(min_size=16, max_size=16),
).map(lambda packet: bytes([packet[0]]) + len(packet[1]).to_bytes(2, "big") + packet[1])

OPENED = st.binary(min_size=16, max_size=16).map(lambda call: b"\x01\x00\x10" + call)
_ANY_PACKETS: st.SearchStrategy[list[Message]] = st.lists(st.one_of(PACKETS, st.binary(max_size=30)), max_size=8)


STARTS = {
    "twilio": {"event": "start", "start": {"callSid": "CA1"}},
    "binary": {"uuid": "c"},
    "audiohook": {
        "version": "2",
        "type": "open",
        "id": "s",
        "parameters": {
            "conversationId": "c",
            "media": [{"type": "audio", "format": "L16", "channels": ["external"], "rate": 8000}],
        },
    },
    "vosk": {"config": {"sample_rate": 8000}},
}
"""Valid first messages. Half of the examples begin with one, and the nonsense comes after it."""


def messages(name: str, text: st.SearchStrategy[str]) -> st.SearchStrategy[list[Message]]:
    nonsense = st.lists(st.one_of(text, text, PLAIN, st.binary(max_size=60)), max_size=8)
    begun = nonsense.map(lambda said: [json.dumps(STARTS[name]), *said])
    return st.one_of(nonsense, begun)


PARSERS: dict[str, tuple[Callable[[], Parser], st.SearchStrategy[list[Message]]]] = {
    "twilio": (TwilioParser, messages("twilio", TWILIO)),
    "binary": (lambda: BinaryParser({}), messages("binary", BINARY_TEXT)),
    "audiohook": (AudioHookParser, messages("audiohook", AUDIOHOOK)),
    "vosk": (lambda: VoskParser({}), messages("vosk", VOSK)),
    "audiosocket": (AudioSocketParser, _ANY_PACKETS | st.tuples(OPENED, _ANY_PACKETS).map(lambda t: [t[0], *t[1]])),
}


def check(event: Event) -> None:
    if isinstance(event, Start):
        assert re.fullmatch(CALL_ID, event.call_id)
        assert all(re.fullmatch(TRACK, track) for track in event.tracks) and len(event.tracks) <= 8
        assert len(event.metadata) <= 32
        for name, value in event.metadata.items():
            assert 0 < len(name) <= 64 and len(value) <= 512 and (name + value).isprintable()
    if isinstance(event, Audio):
        assert 8000 <= event.form.rate <= 48000 and all(re.fullmatch(TRACK, track) for track in event.tracks)
        assert event.number is None or 0 <= event.number <= 2**53
        assert event.at_ms is None or 0 <= event.at_ms <= 2**53
    if isinstance(event, Lost):
        assert 0 < event.seconds < 1e9


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_brings_anything_but_events_or_a_protocol_error(name: str) -> None:
    make, stream = PARSERS[name]
    started = []

    @settings(max_examples=200, deadline=None)
    @given(stream)
    def run(said: list[Message]) -> None:
        parser = make()
        try:
            for message in said:
                for event in parser.feed(message):
                    check(event)
                    started.append(isinstance(event, Start))
            parser.farewell()
        except ProtocolError as error:
            assert str(error)

    run()
    assert any(started), "some examples get beyond the start"


@given(st.dictionaries(st.sampled_from(["call_id", "rate", "tracks", "track", "encoding", "x"]), st.text(max_size=40)))
def test_no_address_brings_anything_but_events_or_a_protocol_error(query: dict[str, str]) -> None:
    for make in (BinaryParser, VoskParser):
        try:
            events = make(query).feed(b"\0\0")
        except ProtocolError:
            continue
        for event in events:
            check(event)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=10))
def test_audiosocket_packets_do_not_depend_on_how_tcp_cut_them(stream: bytes, cuts: list[int]) -> None:
    stream = b"\x01\x00\x10" + uuid.UUID(int=7).bytes + b"\x10\x00\x04abcd" + stream

    def events(pieces: list[bytes]) -> tuple[list[Event], str]:
        parser, found = AudioSocketParser(), []
        try:
            for piece in pieces:
                found += parser.feed(piece)
        except ProtocolError as error:
            # The events before the fault in the same piece are lost. The socket closes anyway.
            return [], str(error)
        return found, ""

    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    assert events([stream[a:b] for a, b in itertools.pairwise(edges)]) == events([stream])


@given(st.text(max_size=400))
def test_any_name_becomes_a_call_id_and_different_long_ones_different_ids(name: str) -> None:
    assert re.fullmatch(CALL_ID, clean_call_id(name))
    assert clean_call_id("x" * 200 + name + "a") != clean_call_id("x" * 200 + name + "b")


def test_a_reset_of_voskserver_never_leads_into_the_call_of_another() -> None:
    def calls(*names: str) -> list[str]:
        """The call of one socket after each config, with a reset after each, and at the end."""
        parser, found = VoskParser({}), []
        for name in names:
            parser.feed(json.dumps({"config": {"call_id": name}}))
            found.append(parser.call_id)
            parser.begin_again()
        return [*found, parser.call_id]

    assert calls("a", "a", "a") == ["a", "a.2", "a.3", "a.4"]
    assert calls("a.b", "c") == ["a.b", "c", "c.2"]
    long = {call for end in "xy" for call in calls("x" * 140 + end, "")}
    assert len(long) == 6


def test_a_signature_is_twilios() -> None:
    # printf %s ADDRESS | openssl dgst -sha1 -hmac 12345 -binary | base64
    assert signature("12345", "wss://example.com/v1/streams/twilio") == "DOQKcfgNAyfCyy99MQabDhtBE4o="
    assert is_signed("12345", "https://example.com/a", signature("12345", "wss://example.com/a/"))
    assert not is_signed("12345", "https://example.com/a", signature("12345", "wss://example.com/b"))
    assert not is_signed("12345", "https://example.com/a", "")


def test_what_a_vosk_client_says_beforehand_is_not_kept_without_end() -> None:
    parser = VoskParser({})
    for n in range(300):
        parser.feed(json.dumps({"config": {f"word-{n}": "x" * 1000, "sample_rate": 16000}}))
    assert len(pickle.dumps(parser)) < 10_000
    started = [event for event in parser.feed(bytes(320)) if isinstance(event, Audio)]
    assert [event.form.rate for event in started] == [16000]


def test_metadata_of_a_stream_is_cut_to_what_a_call_may_have() -> None:
    kept = clean_metadata({f"word-{n}": "x" * 512 for n in range(32)} | {"agent": "Ann"})
    assert sum(map(len, (*kept, *kept.values()))) <= MAX_METADATA_CHARACTERS
    assert kept["word-0"] == "x" * 512
    assert kept["agent"] == "Ann", "a short value still fits"
