"""Where nobody speaks there are no words; and a call whose sender went away ends and says why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from scripts.simulator.recording import DEMO
from state import g711
from tests.harness.calls import noises
from tests.harness.fleet import Fleet, demo_chunks
from tests.harness.servers import start_server
from tests.harness.web import web_process
from workers.engines.base import Final, Model
from workers.engines.choose import Wanted, choose

SLACK_SECONDS = 0.5
"""Seconds by which the detector and the ground truth may differ about where a sound begins or ends."""


@pytest.fixture(scope="module")
def model() -> Model:
    return choose(Wanted(engine="moonshine")).load()


def decode(model: Model, pcm: bytes) -> list[Final]:
    """Finals of 8 kHz PCM in chunks of a second."""
    recogniser = model.recogniser(noises.RATE, None)
    finals = []
    for at in range(0, len(pcm) // 2, noises.RATE):
        finals += recogniser.accept(pcm[2 * at : 2 * (at + noises.RATE)], at)
    return finals + recogniser.flush()


@pytest.mark.parametrize("noise", noises.NOISES, ids=lambda noise: noise.__name__)
def test_no_words_are_heard_in(noise: Callable[[], noises.Samples], model: Model) -> None:
    assert decode(model, noises.encode(noise())) == []


def test_the_words_of_a_call_with_hold_music_are_where_somebody_speaks(model: Model) -> None:
    truth = json.loads((DEMO / "call-on-hold" / "truth.json").read_text())
    assert any(event["kind"] == "hold_music" for event in truth["events"])
    for party in ("agent", "customer"):
        turns = [(turn["start_s"], turn["end_s"]) for turn in truth["turns"] if turn["track"] == party]
        audio = b"".join(
            bytes(chunk.audio) if chunk.encoding == "s16le" else g711.decode_mulaw(chunk.audio)
            for chunk in demo_chunks("on-hold", party)
        )
        finals = decode(model, audio)
        assert len(finals) >= 5
        for final in finals:
            spoken = any(
                final.start < end + SLACK_SECONDS and final.end > start - SLACK_SECONDS for start, end in turns
            )
            assert spoken, f"{party} at {final.start}: {final.text!r}, where nobody speaks"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    server = start_server("valkey9", dir=tmp_path)
    fleet = Fleet(server, tmp_path, EARSHOT_ENGINE="stub", CALL_IDLE_SECONDS="3")
    yield fleet
    fleet.kill_all()
    server.kill()


def test_a_call_whose_sender_went_away_is_ended_and_says_so(fleet: Fleet, tmp_path: Path) -> None:
    chunks = demo_chunks("late-parcel", "customer", 3)
    with web_process(fleet.settings.redis_url, tmp_path / "web.out") as web:
        calls = f"{web.url}/v1/calls"
        for call_id in ("left", "polite"):
            for seq, chunk in enumerate(chunks, 1):
                posted = requests.put(
                    f"{calls}/{call_id}/tracks/customer/chunks/{seq}",
                    data=chunk.audio,
                    headers={"Content-Type": "audio/PCMU;rate=8000"},
                    timeout=30,
                )
                assert posted.status_code == 202
        view = requests.get(f"{calls}/left", timeout=30).json()
        assert (view["state"], view["end_reason"]) == ("live", None)
        assert requests.post(f"{calls}/polite/end", timeout=30).status_code == 202
        fleet.start("decoder", DECODER_LOOPS="1")  # decoders end idle calls, so the polite one ends before
        fleet.start("sentiment")
        fleet.wait_ended(["left", "polite"])
        view = requests.get(f"{calls}/left", timeout=30).json()
        assert (view["state"], view["end_reason"]) == ("ended", "idle")
        assert sum(len(u["words"]) for u in view["utterances"]) == len(chunks), "what was said is kept"
        assert requests.get(f"{calls}/polite", timeout=30).json()["end_reason"] == "sender"
