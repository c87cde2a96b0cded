"""Genesys AudioHook, spoken byte by byte."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from state import g711
from tests.harness.calls.wires import WebSocket, interleaved
from tests.harness.web import Process, streams_process, web_process
from tests.integration.streams.conftest import House

PATH = "/v1/streams/audiohook"


class AudioHook:
    """A client. It numbers its messages, names the last number that it heard, and keeps the position of its audio."""

    def __init__(self, address: str, conversation: str, media: list[dict[str, Any]]) -> None:
        self.id = str(uuid.uuid4())
        self.ws = WebSocket(
            address, {"audiohook-organization-id": "o", "audiohook-session-id": self.id, "x-api-key": "k"}
        )
        self.seq = self.heard = 0
        self.position = 0.0
        parameters = {
            "organizationId": str(uuid.uuid4()),
            "conversationId": conversation,
            "participant": {"id": str(uuid.uuid4()), "ani": "+1-555", "aniName": "Jo", "dnis": "+1-800"},
            "media": media,
        }
        self.say("open", parameters)

    def say(self, kind: str, parameters: dict[str, Any]) -> None:
        self.seq += 1
        self.ws.text(
            {
                "version": "2",
                "id": self.id,
                "type": kind,
                "seq": self.seq,
                "serverseq": self.heard,
                "position": f"PT{self.position:.3f}S",
                "parameters": parameters,
            }
        )

    def hear(self, kind: str) -> dict[str, Any]:
        message = self.ws.json()
        assert (message["version"], message["id"], message["type"]) == ("2", self.id, kind), message
        assert message["seq"] == self.heard + 1
        assert message["clientseq"] == self.seq
        self.heard = message["seq"]
        parameters: dict[str, Any] = message["parameters"]
        return parameters

    def audio(self, data: bytes, bytes_a_second: int) -> None:
        """Send audio, 200 ms a message."""
        size = bytes_a_second // 5
        for at in range(0, len(data), size):
            self.ws.binary(data[at : at + size])
            self.position += 0.2


def media(form: str, *channels: str) -> dict[str, Any]:
    return {"type": "audio", "format": form, "channels": list(channels), "rate": 8000}


OFFER = [media("PCMU", "external"), media("L16", "external", "internal"), media("PCMU", "external", "internal")]


def test_an_audiohook_call_reads_as_over_http(house: House) -> None:
    call_id = str(uuid.uuid4())
    hook = AudioHook(house.address(PATH), call_id, OFFER)
    assert hook.hear("opened")["media"] == [OFFER[2]]
    data = interleaved(house.parties["customer"], house.parties["agent"], 1)
    hook.audio(data[:40_000], 16_000)
    hook.say("ping", {"rtt": "PT0.025S"})
    hook.hear("pong")
    hook.say("paused", {})
    hook.say("resumed", {"start": "PT2.5S", "discarded": "PT0S"})
    hook.audio(data[40_000:], 16_000)
    hook.say("close", {"reason": "end"})
    hook.hear("closed")
    assert hook.ws.close_code() == 1000
    assert house.finished(call_id) == house.transcript
    assert house.metadata(call_id) == {"caller": "+1-555", "caller_name": "Jo", "called": "+1-800"}
    view = house.fleet.reads.call(call_id)
    assert view is not None
    told = [(event.kind, event.track, round(event.at, 2)) for event in view.events]
    assert told == [("hold", "customer", 2.5), ("resume", "", 2.5)]


@pytest.mark.parametrize("process", [streams_process, web_process])
def test_an_audiohook_session_is_asked_to_reconnect_before_a_deploy_and_goes_on(
    house: House, process: Process, tmp_path: Path
) -> None:
    call_id = str(uuid.uuid4())
    data = interleaved(house.parties["customer"], house.parties["agent"], 1)
    with process(house.web.redis_url, tmp_path / "web.log") as deployed:
        first = AudioHook(f"ws://127.0.0.1:{deployed.port}{PATH}", call_id, OFFER)
        first.hear("opened")
        first.audio(data[:100_002], 16_000)  # cut in mid-word
        first.say("ping", {})
        first.hear("pong")  # all that came before is taken
        assert deployed.process is not None
        deployed.process.terminate()
        first.hear("reconnect")
        assert first.ws.close_code() == 1012
        second = AudioHook(house.address(PATH), call_id, OFFER)
        second.hear("opened")
        assert deployed.process.wait(10) == 0
    second.audio(data[100_002:], 16_000)
    second.say("close", {"reason": "end"})
    second.hear("closed")
    assert house.finished(call_id) == house.transcript


def test_audio_that_genesys_discarded_is_a_recorded_gap(house: House) -> None:
    call_id = str(uuid.uuid4())
    hook = AudioHook(house.address(PATH), call_id, [media("L16", "external")])
    hook.hear("opened")
    pcm = g711.decode_mulaw(house.parties["customer"])
    hook.audio(pcm[: 4 * 16_000], 16_000)
    hook.say("discarded", {"start": "PT4S", "discarded": "PT3.5S"})
    hook.audio(pcm[int(7.5 * 16_000) :], 16_000)
    hook.say("close", {"reason": "end"})
    hook.hear("closed")
    house.finished(call_id)
    view = house.fleet.reads.call(call_id)
    assert view is not None
    [gap] = [said for said in view.utterances if said.mark == "gap"]
    assert (gap.start, gap.end) == pytest.approx((4.0, 7.5), abs=0.01)
    after = [said for said in view.utterances if said.start > 9]
    assert after and after[-1].text == list(house_texts(house, "customer"))[-1]


def house_texts(house: House, party: str) -> list[str]:
    view = house.fleet.reads.call("http")
    assert view is not None
    return [said.text for said in view.utterances if said.track == party]


def test_a_connection_probe_is_answered_and_is_no_call(house: House) -> None:
    probe = "00000000-0000-0000-0000-000000000000"
    before = house.fleet.health.counts()
    hook = AudioHook(house.address(PATH), probe, OFFER)
    hook.hear("opened")
    hook.ws.binary(b"")  # as Genesys' own client does
    hook.say("close", {"reason": "end"})
    hook.hear("closed")
    assert hook.ws.close_code() == 1000
    after = house.fleet.health.counts()
    assert before["calls_live"] + before["calls_ended"] == after["calls_live"] + after["calls_ended"]


def test_an_offer_without_a_known_form_is_declined(house: House) -> None:
    hook = AudioHook(house.address(PATH), str(uuid.uuid4()), [media("OPUS", "external")])
    assert hook.hear("disconnect")["reason"] == "error"
