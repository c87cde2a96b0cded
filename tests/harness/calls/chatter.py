"""Calls that talk by themselves, for screenshots and load: python -m tests.harness.calls.chatter --calls 500"""

from __future__ import annotations

import argparse
import random
import threading

from tests.harness.calls.synthetic import SyntheticServer
from tests.harness.calls.world import World

AGENTS = ["Dana Reyes", "Tom Okafor", "Mia Lindqvist", "Sam Whitlock", "Priya Nair", "Leo Brandt", "Ines Duarte"]
CUSTOMERS = ["Kim Lee", "Ruth Alder", "Omar Haddad", "Jo Pike", "Elena Petrova", "Max Stone", "Ana Silva"]
QUEUES = ["billing", "delivery", "technical", "cards"]
PHRASES: list[tuple[str, str, float, str | None]] = [
    ("customer", "i have been waiting for forty minutes and nobody can tell me where it is", -0.62, "Long wait"),
    ("agent", "let me look at your account for you that will only take a moment", 0.12, None),
    ("customer", "this is the third time i am calling about the same bill", -0.5, "Calls again about the same thing"),
    ("customer", "yes that is the right address thank you", 0.3, None),
    ("agent", "i can see the parcel left the depot this morning", 0.0, None),
    ("customer", "i want to speak to your manager right now", -0.78, "Asks for a manager"),
    ("customer", "okay and how do i reset the box then", 0.0, None),
    ("agent", "i am sorry about that i will send the refund today", -0.1, None),
    ("customer", "oh that is wonderful thank you so much for your help", 0.82, None),
    ("customer", "if this is not fixed today i will cancel the contract", -0.7, "Wants to cancel"),
    ("agent", "is there anything else i can do for you", 0.1, None),
]


class Telephony:
    """Makes calls talk: `step` lets one of them say a few words."""

    def __init__(self, world: World, calls: int, seed: int = 7) -> None:
        self.world = world
        self.random = random.Random(seed)
        self._open: dict[str, tuple[str, list[str], float, str | None]] = {}
        self._seconds: dict[str, float] = {}
        self._standing: dict[str, tuple[float, float]] = {}
        for number in range(calls):
            self.begin(f"call-{number:03d}", age=self.random.uniform(5, 900))

    def begin(self, call_id: str, age: float = 0.0) -> None:
        pick = self.random.choice
        caller = f"+44 20 7946 {self.random.randrange(10_000):04d}"
        people = {"agent": pick(AGENTS), "queue": pick(QUEUES), "caller": caller}
        if self.random.random() < 0.8:
            people["customer"] = pick(CUSTOMERS)
        self.world.add(call_id, age=age, **people)
        self._seconds[call_id] = max(1.0, age - 90)
        # Most calls go well.
        self._standing[call_id] = (0.2, -0.25 if self.random.random() < 0.05 else 0.08)

    def step(self, call_id: str) -> None:
        if call_id not in self._open:
            troubled = self._standing[call_id][1] < 0
            fitting = [each for each in PHRASES if each[2] <= 0.2] if troubled else PHRASES[1::2] + PHRASES[6:9]
            track, text, polarity, alert = self.random.choice(fitting)
            self._open[call_id] = (track, text.split(), polarity, alert if troubled else None)
        track, words, polarity, alert = self._open[call_id]
        was = self.world.calls[call_id]["tracks"].get(track, {}).get("partial", "")
        said = len(was.split()) + self.random.randint(2, 4)
        self._seconds[call_id] += 2.5
        if said < len(words):
            behind = 6.0 if self.random.random() < 0.002 else 0.4
            self.world.partial(call_id, track, " ".join(words[:said]), lag=behind)
            return
        del self._open[call_id]
        end = self._seconds[call_id]
        utterance = self.world.final(call_id, track, " ".join(words), round(end - len(words) * 0.3, 2), round(end, 2))
        score, drift = self._standing[call_id]
        score = max(-1.0, min(1.0, 0.7 * score + 0.3 * (polarity + drift)))
        self._standing[call_id] = (score, drift)
        attention = round(max(0.0, min(1.0, 0.35 - score + (0.2 if alert else 0.0))) if drift < 0 else 0.08, 2)
        self.world.score(
            call_id,
            utterance,
            polarity,
            attention,
            score=round(score, 3),
            trend=round(drift, 2),
            alert=("phrase", alert) if alert and len(self.world.calls[call_id]["alerts"]) < 5 else None,
        )

    def warm_up(self, steps: int = 30) -> None:
        for call_id in list(self.world.calls):
            for _ in range(steps):
                self.step(call_id)

    def run(self, updates_per_second: float, stop: threading.Event) -> None:
        """Every call says something `updates_per_second` times a second, until `stop`."""
        names = list(self.world.calls)
        slice_seconds = 0.1
        owed = 0.0
        while not stop.wait(slice_seconds):
            owed += len(names) * updates_per_second * slice_seconds
            for _ in range(int(owed)):
                self.step(self.random.choice(names))
            owed %= 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rate", type=float, default=2.0, help="updates a second of each call")
    parser.add_argument("--port", type=int, default=8100)
    asked = parser.parse_args()
    world = World()
    telephony = Telephony(world, asked.calls)
    telephony.warm_up()
    server = SyntheticServer(world, asked.port)
    print(server.url, flush=True)
    telephony.run(asked.rate, threading.Event())


if __name__ == "__main__":
    main()
