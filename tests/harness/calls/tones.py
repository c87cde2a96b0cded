"""A call that a machine can follow by ear: the agent hums one tone, the customer another tone every second."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import Future
from typing import Any

import numpy as np
from playwright.sync_api import Page

from state.calls.ingest import Chunk, Ingest
from state.g711 import encode_mulaw
from tests.harness.beside import beside

RATE = 8000
AGENT_HZ = 400
FIRST_HZ, STEP, CODES = 600, 1.14, 12
"""The tones are far enough apart to tell them even when a voice plays 4 % faster (player.js)."""

TAP = """() => {
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode && !window.ears) {
      const splitter = new ChannelSplitterNode(target.context, {numberOfOutputs: 2});
      window.ears = [0, 1].map((side) => {
        const ear = new AnalyserNode(target.context, {fftSize: 4096, smoothingTimeConstant: 0});
        connect.call(splitter, ear, side);
        return ear;
      });
      window.splitter = splitter;
    }
    if (target instanceof AudioDestinationNode) connect.call(this, window.splitter);
    return connect.call(this, target, ...rest);
  };
}"""
"""Put into a page before its scripts: sound for the loudspeaker goes to two analysers too."""

LISTEN = """async (seconds) => {
  const heard = [];
  const peak = (ear) => {
    if (ear.context.state !== "running") return 0; // it makes no sound, and its analyser stands still
    const bins = new Float32Array(ear.frequencyBinCount);
    ear.getFloatFrequencyData(bins);
    let best = 0;
    for (let n = 1; n < bins.length; n += 1) if (bins[n] > bins[best]) best = n;
    return bins[best] < -60 ? 0 : best * ear.context.sampleRate / ear.fftSize;
  };
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    if (window.ears) heard.push([Date.now() / 1000, ...window.ears.map(peak)]);
    await new Promise((done) => setTimeout(done, 25));
  }
  return heard;
}"""
"""[moment, Hz on the left, Hz on the right], 40 times a second; 0: silence."""


class Humming:
    """A live call of 1 s chunks in real time. ingested: second of the call -> when the store took its chunk."""

    def __init__(self, ingest: Ingest, call_id: str, encoding: str = "mulaw", **metadata: str) -> None:
        self.ingested: dict[int, float] = {}
        self._ingest, self._call_id = ingest, call_id
        self._stop = threading.Event()
        ingest.create(call_id, ["agent", "customer"], metadata)
        self._humming: Future[None]

    def __enter__(self) -> Humming:
        self._humming = beside(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._humming.result()

    def _run(self) -> None:
        began = time.time()
        second = 0
        while not self._stop.wait(max(0.0, began + second + 1 - time.time())):
            for track, hertz in (("agent", AGENT_HZ), ("customer", code_hz(second))):
                wave = 12000 * np.sin(2 * math.pi * hertz * np.arange(RATE) / RATE)
                self._ingest.put(
                    self._call_id, track, None, Chunk(encode_mulaw(wave.astype("<i2").tobytes()), "mulaw", RATE)
                )
            self.ingested[second] = time.time()
            second += 1


def code_hz(second: int) -> float:
    return float(FIRST_HZ * STEP ** (second % CODES))


def decode(hertz: float, around: int) -> int | None:
    """The second of the call that has this tone, the one nearest to `around`. None if no second has it."""
    if hertz <= 0:
        return None
    code = round(math.log(hertz / FIRST_HZ / 1.02, STEP))
    if not 0 <= code < CODES or abs(hertz / 1.02 / code_hz(code) - 1) > 0.04:
        return None
    return min((code + CODES * turn for turn in range(around // CODES + 2)), key=lambda one: abs(one - around))


def delays(heard: list[list[float]], ingested: dict[int, float]) -> list[float]:
    """Seconds between the moment the store takes a chunk and the moment its sound is first heard, for each chunk."""
    found: dict[int, float] = {}
    for moment, _left, right in heard:
        newest = max((second for second, at in ingested.items() if at <= moment), default=0)
        second = decode(right, newest)
        if second is not None and second in ingested:
            found.setdefault(second, moment - ingested[second])
    return list(found.values())


def listen(page: Page, seconds: float) -> list[list[float]]:
    heard: list[list[float]] = page.evaluate(LISTEN, seconds)
    return heard


def measure(heard: list[list[float]], humming: Humming) -> dict[str, Any]:
    """The delay between ingest and ear of each chunk's first and last sample (a chunk has 1 s)."""
    first = sorted(delays(heard, humming.ingested)[1:])
    return {
        "chunks": len(first),
        "first_sample_seconds": [round(first[0], 2), round(first[len(first) // 2], 2), round(first[-1], 2)],
        "last_sample_seconds": [round(one + 1, 2) for one in (first[0], first[len(first) // 2], first[-1])],
    }
