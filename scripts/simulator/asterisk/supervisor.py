"""A supervisor on a real switch: asks Earshot to whisper, barge in, take over and hang up. Checks who hears whom."""

from __future__ import annotations

import time
import uuid
import wave
from pathlib import Path
from typing import Any

import numpy as np
import requests

from scripts.simulator.asterisk.ari import Ari
from state.calls.ingest import Ingest
from tests.harness.web import Web, wait_until

TONE_HERTZ = 1000.0
"""Tone that the supervisor "says". Nobody else sounds like it."""

HEARD = 0.2
"""Share of a recording's energy in the tone, from which somebody heard it. Speech has a hundredth of that there."""

LISTEN_SECONDS = 8.0
"""Seconds of listening. The parties are silent for three, then they talk."""

WHO_HEARS_THE_SUPERVISOR = {
    "whisper": {"agent"},
    "barge": {"agent", "customer"},
    "takeover": {"customer"},
}


def check(act: str, ari: Ari, web: Web, ingest: Ingest, recordings: Path) -> str:
    """Two parties talk; a supervisor acts, then hangs up. Returns "" if the right people heard the right sounds."""
    for old in recordings.iterdir():
        old.unlink()
    call_id = f"{act}-{uuid.uuid4()}"
    customer = "Local/customer@parties/n"
    ari.ask("POST", "/channels", endpoint=customer, context="calls", extension="agent", priority=1)
    wait_until(lambda: _legs(ari, "agent"), "the agent's leg is up")
    ingest.create(call_id, ["customer", "agent"], {"switch_channel": _legs(ari, "agent")[0]})
    requests.put(f"{web.url}/v1/session/extension", json={"extension": "supervisor"}, timeout=10).raise_for_status()
    _post(web, call_id, act)
    time.sleep(LISTEN_SECONDS)
    _post(web, call_id, "hangup", may_fail=act == "takeover")  # there the agent's leg is gone already
    for leg in ("customer", "supervisor"):
        for channel in _legs(ari, leg):
            ari.hang_up(channel)
    wait_until(lambda: not _legs(ari, ""), "everybody is gone")
    heard = {party for party in ("agent", "customer") if tone(recordings / f"{party}-hears.wav") > HEARD}
    supervisor_hears = loudness(recordings / "supervisor-hears.wav")
    if heard != WHO_HEARS_THE_SUPERVISOR[act]:
        return f"the supervisor was heard by {sorted(heard) or 'nobody'}"
    return "" if supervisor_hears > 100 else "the supervisor heard nothing"


def _post(web: Web, call_id: str, act: str, may_fail: bool = False) -> None:
    answer = requests.post(f"{web.url}/v1/calls/{call_id}/switch/{act}", timeout=10)
    assert may_fail or answer.status_code == 202, answer.text


def _legs(ari: Ari, party: str) -> list[str]:
    """Ids of a party's legs that are up, seen from its phone's other end; without a party, of all."""
    channels: list[dict[str, Any]] = ari.ask("GET", "/channels")
    wanted = f"Local/{party}@parties" if party else ""
    return [
        str(one["id"])
        for one in channels
        if one["name"].startswith(wanted) and (not party or (one["name"].endswith(";1") and one["state"] == "Up"))
    ]


def _samples(file: Path) -> Any:
    if not file.exists():  # a leg that heard no frame has no recording
        return np.zeros(0)
    with wave.open(str(file)) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)


def loudness(file: Path) -> float:
    """Root mean square of 16 bit samples."""
    samples = _samples(file)
    return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0


def tone(file: Path) -> float:
    """Share of the sound's energy that is the supervisor's tone."""
    samples = _samples(file)
    if not len(samples):
        return 0.0
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / 8000)
    return float(power[abs(hertz - TONE_HERTZ) < 5].sum() / max(power.sum(), 1.0))
