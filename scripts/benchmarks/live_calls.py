"""Made-up calls, as after some minutes of talk, and a feed that goes on. There is no telephony and no fleet."""

from __future__ import annotations

import random
import threading
import time

import msgspec
import redis

from state import keys
from state.calls.ingest import Ingest
from state.events import FEED_EVENTS, Event, FinalEvent, PartialEvent, ScoreEvent, encode
from state.settings import Settings
from state.types import Alert, Reason, Sentiment, Standing, Utterance, Word

TALK = """i have been waiting for forty minutes and nobody can tell me where the parcel is that you said would come on
monday can you look at my account please because this is the third time that i am calling about the same bill and i want
to speak to your manager right now if that is not fixed today thank you so much for your help"""
WORDS = TALK.split()
PIPELINE = 500
FIRST_INDEX = 100
"""Index after which the feed's utterances begin. Earlier ones were said before it."""

_pack = msgspec.msgpack.encode


def talk(dice: random.Random, words: int) -> str:
    """So many words in a row, as somebody might say them."""
    first = dice.randrange(len(WORDS) - words)
    return " ".join(WORDS[first : first + words])


def begin(client: redis.Redis, settings: Settings, count: int) -> list[str]:
    """Begin calls of two tracks. Each has a standing with its curve, and last words. Returns their ids."""
    dice = random.Random(7)
    ingest = Ingest(client, settings)
    names = [f"call-{n:04d}" for n in range(count)]
    for name in names:
        people = {
            "agent": f"Agent {dice.randrange(80)}",
            "queue": dice.choice(["billing", "cards"]),
            "caller": "+44 20",
        }
        ingest.create(name, ["customer", "agent"], people)
        said = utterance(dice, 20)
        client.hset(keys.call(name), mapping={"standing": _pack(standing(dice)), "last": _pack(said)})
        client.hset(keys.scores(name), said.id, _pack(Sentiment(0.1, 0.5, ["thank you"])))
    return names


def utterance(dice: random.Random, index: int, track: str = "customer") -> Utterance:
    """A finished utterance of some seconds. Its words have times."""
    text = talk(dice, dice.randint(6, 20))
    start = index * 9.0
    words = [
        Word(w, round(start + n * 0.3, 2), round(start + n * 0.3 + 0.25, 2), None) for n, w in enumerate(text.split())
    ]
    return Utterance(f"{track}:{index}", track, index, start, words[-1].end, text, words)


def standing(dice: random.Random) -> Standing:
    """A call's standing after some minutes: a full curve, an alert, some reasons."""
    curve = [(9.0 * n, round(dice.uniform(-0.5, 0.5), 3)) for n in range(30)]
    alerts = [Alert("phrase", "asks for a manager", 120.5)]
    reasons = [Reason("asks for a manager", 120.5), Reason("falls for two minutes", 130.0)]
    return Standing(curve[-1][1], -0.05, round(dice.random() * 0.4, 2), alerts, curve, False, None, reasons)


class Chatter:
    """Writes to the feed as decoders and scorers of these calls would: `rate` events a second for each call."""

    def __init__(self, client: redis.Redis, calls: list[str], rate: float) -> None:
        self._client, self._calls, self._rate = client, calls, rate
        self._dice = random.Random(7)
        self._count = 0
        self._next = dict.fromkeys(calls, FIRST_INDEX)
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chatter")
        self.told = 0

    def __enter__(self) -> Chatter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._enough.wait(0.05):
            owed = int((time.monotonic() - began) * self._rate * len(self._calls)) - self.told
            pipe = self._client.pipeline(transaction=False)
            for _ in range(min(owed, PIPELINE)):
                pipe.xadd(keys.FEED, {"j": encode(self._event())}, maxlen=FEED_EVENTS, approximate=True)
            self.told += len(pipe.execute())

    def _event(self) -> Event:
        """Eight of ten events are partials, one is a final and one its score, as with utterances of some seconds."""
        call = self._dice.choice(self._calls)
        self._count += 1
        kind = self._count % 10
        if kind == 8:
            self._next[call] += 1
            return FinalEvent(call, utterance(self._dice, self._next[call]))
        if kind == 9:
            return ScoreEvent(call, "customer:20", Sentiment(-0.2, 0.4, ["bill"]), standing(self._dice))
        return PartialEvent(call, self._dice.choice(["customer", "agent"]), talk(self._dice, 8), 0.4, self._count)
