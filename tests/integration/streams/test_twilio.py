"""Twilio's protocol and its dialects end in the transcript that the same audio gives over HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest
import redis

from state import keys
from state.people.access import Access
from tests.harness.calls.wires import FRAME, Refused, Twilio, WebSocket
from tests.harness.servers import Server
from tests.harness.web import Process, streams_process, wait_until, web_process
from tests.integration.streams.conftest import House, samples

PATH = "/v1/streams/twilio"


def parties(house: House) -> dict[str, bytes]:
    return {"inbound": house.parties["customer"], "outbound": house.parties["agent"]}


def test_both_tracks_of_a_twilio_call_read_as_over_http(house: House) -> None:
    call = Twilio(house.call_id(), parties(house), agent="Ann", queue="claims\n")
    ws = WebSocket(house.address(PATH))
    for message in [*call.start(), *call.media()]:
        ws.text(message)
        if message["event"] == "media" and message["sequenceNumber"] == "101":
            ws.text({"event": "dtmf", "streamSid": call.stream, "sequenceNumber": "0", "dtmf": {"digit": "1"}})
            ws.text({"event": "mark", "streamSid": call.stream, "mark": {"name": "x"}})
    ws.text(call.stop())
    assert ws.close_code() == 1000
    assert house.finished(call.call) == house.transcript
    assert house.metadata(call.call) == {"agent": "Ann", "queue": "claims"}


@pytest.mark.parametrize("reconnects", [False, True])
def test_a_sender_whose_clock_counts_half_of_its_audio_reads_as_over_http(house: House, reconnects: bool) -> None:
    """Talkdesk sends 40 ms a message, and its time stamps grow by 20. reconnects: the second half comes over another
    socket."""
    call = Twilio(house.call_id(), parties(house))
    messages = []
    for track, audio in parties(house).items():
        for n, at in enumerate(range(0, len(audio), 2 * FRAME)):
            payload = base64.b64encode(audio[at : at + 2 * FRAME]).decode()
            media = {"track": track, "chunk": str(n + 1), "timestamp": str(20 * n), "payload": payload}
            messages.append((n, track, {"event": "media", "streamSid": call.stream, "media": media}))
    messages.sort(key=lambda one: one[:2])
    begin, ws = list(call.start()), WebSocket(house.address(PATH))
    for message in begin:
        ws.text(message)
    half = len(messages) // 2
    for n, (_, _, media_message) in enumerate(messages):
        if n == half and reconnects:
            ws.close(1001)
            wait_until(lambda: seconds_taken(house, call.call) >= 0.02 * half - 0.1, "the first half is taken")
            ws = WebSocket(house.address(PATH, at_web=True))
            for message in begin:
                ws.text(message)
        ws.text(media_message)
    ws.text(call.stop())
    assert ws.close_code() == 1000
    assert house.finished(call.call) == house.transcript


def test_a_leg_may_say_that_its_inbound_party_is_the_agent_and_two_streams_may_share_a_call(house: House) -> None:
    call_id = house.call_id()
    legs = {"customer": "inbound", "agent": "inbound"}
    sockets: dict[str, tuple[Twilio, WebSocket]] = {}
    for party, track in legs.items():
        sent = Twilio("CA" + party, {track: house.parties[party]}, f"MZ{party}", call_id=call_id, inbound=party)
        sockets[party] = (sent, WebSocket(house.address(PATH, at_web=bool(sockets))))
        for message in sent.start():
            sockets[party][1].text(message)
    for party, (sent, ws) in sockets.items():
        for message in sent.media():
            ws.text(message)
        ws.text(sent.stop())
        assert ws.close_code() == 1000, party
    assert house.finished(call_id) == house.transcript


def test_a_call_is_ended_after_the_grace_time_if_its_socket_drops_without_a_stop(house: House) -> None:
    call = Twilio(house.call_id(), parties(house))
    ws = WebSocket(house.address(PATH))
    for message in [*call.start(), *call.media()]:
        ws.text(message)
    wait_until(lambda: seconds_taken(house, call.call) >= 17, "most of the audio is taken")  # a reset loses the rest
    ws.abort()
    assert house.finished(call.call) == house.transcript


def test_a_socket_dropped_in_mid_word_goes_on_in_another_process_without_loss_or_repetition(house: House) -> None:
    call = Twilio(house.call_id(), parties(house))
    first = WebSocket(house.address(PATH))
    for message in [*call.start(), *call.media(0, 333)]:
        first.text(message)
    wait_until(lambda: seconds_taken(house, call.call) >= 6.5, "the first socket's audio is taken")
    first.abort()
    second = WebSocket(house.address(PATH, at_web=True))
    for message in [*call.start(), *call.media(333 - 40), call.stop()]:  # 800 ms are sent again
        second.text(message)
    assert second.close_code() == 1000
    assert house.finished(call.call) == house.transcript


@pytest.mark.parametrize("process", [streams_process, web_process])
def test_a_process_killed_in_mid_word_costs_nothing_if_the_sender_repeats_its_last_second(
    house: House, process: Process, tmp_path: Path
) -> None:
    call = Twilio(house.call_id(), parties(house))
    with process(house.web.redis_url, tmp_path / "killed.log") as doomed:
        first = WebSocket(f"ws://127.0.0.1:{doomed.port}{PATH}")
        for message in [*call.start(), *call.media(0, 333)]:
            first.text(message)
        wait_until(lambda: seconds_taken(house, call.call) >= 6, "the first socket's audio is taken")
        doomed.kill()
    second = WebSocket(house.address(PATH))
    for message in [*call.start(), *call.media(333 - 50), call.stop()]:
        second.text(message)
    assert second.close_code() == 1000
    assert house.finished(call.call) == house.transcript


def seconds_taken(house: House, call_id: str) -> float:
    """Seconds of the track that has fewer of them in the journal."""
    return house.taken(call_id) / 8000


def test_a_newer_socket_takes_the_tracks_over_and_the_older_one_is_closed(house: House) -> None:
    call = Twilio(house.call_id(), parties(house))
    older, newer = WebSocket(house.address(PATH)), WebSocket(house.address(PATH, at_web=True))
    for message in [*call.start(), *call.media(0, 100)]:
        older.text(message)
    wait_until(lambda: seconds_taken(house, call.call) >= 2, "the older one's audio is taken")
    for message in [*call.start(), *call.media(100)]:
        newer.text(message)
    assert older.close_code() == 1008
    newer.text(call.stop())
    assert newer.close_code() == 1000
    assert house.finished(call.call) == house.transcript


def test_an_ended_call_takes_no_more(house: House) -> None:
    call = Twilio(house.call_id(), parties(house))
    ws = WebSocket(house.address(PATH))
    for message in [*call.start(), *call.media(0, 50), call.stop()]:
        ws.text(message)
    assert ws.close_code() == 1000
    late = WebSocket(house.address(PATH))
    for message in call.start():
        late.text(message)
    assert late.close_code() == 1000


def test_frames_that_never_come_are_silence_if_few_and_a_recorded_gap_if_many(house: House) -> None:
    call = Twilio(house.call_id(), {"inbound": house.parties["customer"]})
    ws = WebSocket(house.address(PATH))
    for message in [*call.start(), *call.media(0, 200), *call.media(205, 400), *call.media(500), call.stop()]:
        ws.text(message)
    assert ws.close_code() == 1000
    house.fleet.wait_finished([call.call])
    view = house.fleet.reads.call(call.call)
    assert view is not None
    assert len(view.tracks["customer"].gaps) == 1
    [gap] = [said for said in view.utterances if said.mark == "gap"]
    assert (gap.start, gap.end) == pytest.approx((8.0, 10.0), abs=0.01)
    sent = len(house.parties["customer"]) // FRAME * FRAME
    taken = samples(house.fleet.redis, call.call)
    assert taken == pytest.approx(sent, abs=100), "the clock counts what is missing"


@pytest.mark.parametrize("process", [streams_process, web_process])
def test_a_stream_is_opened_with_a_key_however_the_sender_can_show_it(
    valkey: Server, store: redis.Redis, process: Process, tmp_path: Path
) -> None:
    key = Access(store).api_keys.add("pbx", ("ingest",))
    reader = Access(store).api_keys.add("crm", ("read",))
    basic = base64.b64encode(f"any:{key}".encode()).decode()
    with process(valkey.url, tmp_path / "web.log", AUTH="on") as web:
        for path in (PATH, "/v1/streams/audio", "/v1/streams/vosk", "/v1/streams/audiohook"):
            url = f"ws://127.0.0.1:{web.port}{path}"
            for headers, status in (({}, 401), ({"X-API-KEY": "esk_x"}, 401), ({"X-API-KEY": reader}, 403)):
                with pytest.raises(Refused) as refused:
                    WebSocket(url, headers)
                assert refused.value.status == status
            WebSocket(url, {"Authorization": f"Bearer {key}"}).close()
            WebSocket(url, {"Authorization": f"Basic {basic}"}).close()
            WebSocket(url, {"X-API-KEY": key}).close()
            WebSocket(f"{url}?access_token={key}").close()
            WebSocket(f"{url}?authorization=Bearer%20{key}").close()
            with pytest.raises(Refused):
                WebSocket(f"{url}?authorization=Bearer%20esk_x")
        call_id = "with-a-key"
        ws = WebSocket(
            f"ws://127.0.0.1:{web.port}/v1/streams/audio?authorization=Bearer%20{key}&call_id={call_id}&agent=Ann"
        )
        ws.binary(bytes(16000))
        wait_until(lambda: store.exists(keys.audio(call_id, "customer")), "audio is taken")
        assert json.loads(store.hget(keys.call(call_id), "metadata") or b"") == {"agent": "Ann"}
        ws.close()
        assert key not in web.output.read_text()


def test_only_signed_requests_are_let_in_where_a_token_is_set(valkey: Server, tmp_path: Path) -> None:
    token = "12345"
    with web_process(
        valkey.url, tmp_path / "web.log", AUTH="on", TWILIO_AUTH_TOKEN=token, PUBLIC_URL="https://earshot.example"
    ) as web:
        url = f"ws://127.0.0.1:{web.port}{PATH}"

        def sign(address: str, key: str = token) -> dict[str, str]:
            digest = hmac.new(key.encode(), address.encode(), hashlib.sha1).digest()
            return {"X-Twilio-Signature": base64.b64encode(digest).decode()}

        public = f"wss://earshot.example{PATH}"
        for headers in ({}, sign(public, "other"), sign("wss://evil.example" + PATH), {"X-Twilio-Signature": "é"}):
            with pytest.raises(Refused) as refused:
                WebSocket(url, headers)
            assert refused.value.status == 401
        WebSocket(url, sign(public)).close()
        assert token not in web.output.read_text()
