"""Genesys AudioHook and Asterisk's AudioSocket, spoken byte by byte."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from scripts.machine.programs import free_port
from state import g711
from tests.harness.calls.wires import WebSocket, interleaved
from tests.harness.fleet import ROOT
from tests.harness.servers import start_server
from tests.harness.web import Process, streams_process, wait_until, web_process
from tests.integration.streams.conftest import House

PATH = "/v1/streams/audiohook"


class AudioHook:
    """A client: numbers its messages, names the last number it heard, keeps the position of its audio."""

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
        """200 ms a message."""
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
        first.audio(data[:100_002], 16_000)  # in mid-word
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


# -- AudioSocket -------------------------------------------------------------------------------------------


def packet(kind: int, payload: bytes = b"") -> bytes:
    return bytes([kind, len(payload) >> 8, len(payload) & 0xFF]) + payload


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


@pytest.fixture
def audiosocket(house: House, tmp_path: Path) -> Any:
    with audiosocket_process(house.fleet._environ, tmp_path) as (port, process):
        yield port, process


@contextlib.contextmanager
def audiosocket_process(
    environ: Mapping[str, str], tmp_path: Path, setting: str = "AUDIOSOCKET_PORT"
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    environ = {**environ, setting: str(port)}
    with (tmp_path / "audiosocket.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "webapp.audiosocket"], cwd=ROOT, env=environ, stderr=log)
    try:
        wait_until(lambda: listens(port), "it listens")
        yield port, process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("how", ["hang-up", "close"])
def test_an_audiosocket_call_reads_as_over_http(house: House, audiosocket: Any, how: str) -> None:
    port, process = audiosocket
    call_id = uuid.uuid4()
    pcm = g711.decode_mulaw(house.parties["customer"])
    frames = [pcm[at : at + 320] for at in range(0, len(pcm), 320)]
    connection = socket.create_connection(("127.0.0.1", port), 10)
    stream = packet(0x01, call_id.bytes) + packet(0x03, b"5") + b"".join(packet(0x10, frame) for frame in frames)
    answered = b""
    for at in range(0, len(stream), 10_007):  # pieces that have nothing to do with packets
        connection.sendall(stream[at : at + 10_007])
        if select.select([connection], [], [], 0)[0]:
            answered += connection.recv(1 << 20)
    while len(answered) < len(frames) * 323:
        answered += connection.recv(1 << 20)
    assert answered == packet(0x10, bytes(320)) * len(frames)
    if how == "hang-up":
        connection.sendall(packet(0x00))
        assert connection.recv(1) == b""
    connection.close()
    customer = {name: said for name, said in house.transcript.items() if name.startswith(b"customer")}
    assert house.finished(str(call_id)) == customer
    process.terminate()
    assert process.wait(10) == 0


def open_at(port: int) -> list[Any]:
    """Connections to a port that its process has not closed, also those that it has not accepted yet."""
    half_open = ("ESTABLISHED", "CLOSE_WAIT")
    return [
        one for one in psutil.net_connections("tcp") if one.laddr and one.laddr.port == port and one.status in half_open
    ]


def test_more_connections_than_there_are_file_descriptors_cost_nobody_a_call(audiosocket: Any) -> None:
    port, process = audiosocket
    _, most = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (psutil.Process(process.pid).num_fds() + 8, most))

    def call() -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", port), 10)
        connection.sendall(packet(0x01, uuid.uuid4().bytes))
        return connection

    with contextlib.ExitStack() as crowd:
        for connection in [call() for _ in range(30)]:
            crowd.callback(connection.close)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
    wait_until(lambda: not open_at(port), "the crowd has gone, those who waited to be accepted too")
    with call() as connection:
        connection.sendall(packet(0x10, bytes(range(160)) * 2))
        assert connection.recv(323, socket.MSG_WAITALL) == packet(0x10, bytes(320))


def test_it_stops_in_time_with_calls_that_the_store_does_not_take(house: House, tmp_path: Path) -> None:
    server = start_server("valkey9", dir=tmp_path)
    try:
        environ = {**house.fleet._environ, "REDIS_URL": server.url}
        with audiosocket_process(environ, tmp_path) as (port, process), contextlib.ExitStack() as calls:
            for _ in range(3):
                connection = calls.enter_context(socket.create_connection(("127.0.0.1", port), 10))
                connection.sendall(packet(0x01, uuid.uuid4().bytes) + packet(0x10, bytes(320)))
                assert connection.recv(323, socket.MSG_WAITALL) == packet(0x10, bytes(320))
            os.kill(server.pid, signal.SIGSTOP)
            process.terminate()
            assert process.wait(10) == 0
    finally:
        server.kill()


def test_it_does_nothing_without_a_port_and_stops_when_told(house: House) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp.audiosocket"], cwd=ROOT, env=house.fleet._environ, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert b"nothing to do" in process.stdout.readline()
    process.terminate()
    assert process.wait(10) == 0
