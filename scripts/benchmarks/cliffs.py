"""Costs by the number of live calls, by a call's length, by the fleet's size, and by the calls to end at once."""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import redis

from scripts.machine.programs import cpu_seconds
from scripts.machine.server import EmbeddedServer
from state import keys
from state.calls.finals import Finals
from state.calls.fleet import FleetMember
from state.calls.ingest import Ingest
from state.calls.scores import Scores
from state.server.connection import connect
from state.server.shards import shards_on
from state.settings import Settings
from state.types import Sentiment, Utterance, Word
from workers.decoder.upkeep import RELIEVE_TURN_MS, SWEEP_TURN_MS
from workers.sentiment.assessor import Assessor
from workers.sentiment.scoring import Scoring

LIVE_CALLS = (100, 500, 1000, 5000)
LENGTHS = (10, 100, 1000, 10_000)
WORKERS = (10, 50, 200)
IDLE_CALLS = (100, 500, 1000, 5000)

EARLIER = 4
"""Utterances of each live call before the measured one."""
MEASURED = 30
"""Utterances to measure in a call of each length."""
FLEET_SECONDS = 3.0

TEXTS = (
    "thank you for calling how can i help",
    "i have been waiting for three weeks and nobody has called me back",
    "let me see what i can do for you",
    "my number is oh seven seven one two three",
    "that is not good enough i want to speak to your manager",
    "i am sorry to hear that",
)
TRACKS = ("agent", "customer")

_pack = msgspec.msgpack.Encoder().encode


class Bench:
    """A server, a scorer and the sender's side. It puts utterances where a decoder's commit puts them."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.settings = Settings(redis_url=server.url)
        self.redis: redis.Redis = connect(self.settings, "worker")
        self.ingest = Ingest(self.redis, self.settings)
        [self.shard] = shards_on(self.redis)
        self.finals = Finals(self.shard, "bench")
        self.scoring = Scoring(self.finals, Scores(self.shard, self.settings), Assessor())
        self._server_pid = server.pid
        self.finals.join()

    def server_cpu_seconds(self) -> float:
        """Processor seconds of the server so far."""
        return cpu_seconds(self._server_pid)

    def say(self, call_id: str, numbers: Sequence[int], scored: bool = False) -> None:
        """Add the call's utterances of these numbers, both parties in turns. scored: they have scores already."""
        pipe = self.redis.pipeline(transaction=False)
        for number in numbers:
            track, index = TRACKS[number % 2], number // 2
            start, text = 3.0 * number, TEXTS[number % len(TEXTS)]
            words = [Word(word, start + n * 0.3, start + n * 0.3 + 0.2, None) for n, word in enumerate(text.split())]
            said = Utterance(f"{track}:{index}", track, index, start, start + 2.5, text, words)
            pipe.hset(keys.utterances(call_id), said.id, _pack(said))
            pipe.hset(keys.track(call_id, track), "final_count", index + 1)
            if scored:
                pipe.hset(keys.scores(call_id), said.id, _pack(Sentiment(0.0, 0.5)))
            else:
                pipe.xadd(keys.FINALS, {"c": call_id, "i": said.id})
                pipe.hincrby(keys.call(call_id), "unscored", 1)
        pipe.execute()

    def score(self) -> dict[str, float]:
        """Score all that waits. Returns milliseconds of an utterance."""
        cpu, server, began, count = time.process_time(), self.server_cpu_seconds(), time.monotonic(), 0
        while self.redis.xlen(keys.FINALS):
            waiting = self.finals.next()
            self.scoring.score(waiting)
            count += len(waiting)
        return {
            "scorer_cpu_ms": round(1000 * (time.process_time() - cpu) / count, 2),
            "server_cpu_ms": round(1000 * (self.server_cpu_seconds() - server) / count, 2),
            "ms": round(1000 * (time.monotonic() - began) / count, 2),
        }


def bench_cliffs(_options: argparse.Namespace) -> dict[str, Any]:
    """Each curve on a server of its own."""
    return {
        "live_calls": [_live_calls(count) for count in LIVE_CALLS],
        "utterances_of_a_call": [_length(count) for count in LENGTHS],
        "workers": [_workers(count) for count in WORKERS],
        "idle_calls": [_idle(count) for count in IDLE_CALLS],
    }


@contextmanager
def _bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder))
        try:
            yield Bench(server)
        finally:
            server.stop()


def _live_calls(count: int) -> dict[str, Any]:
    """One more utterance in each of so many live calls, one call after the other."""
    with _bench() as bench:
        names = [f"call-{n}" for n in range(count)]
        for name in names:
            bench.ingest.create(name, list(TRACKS), {})
            bench.say(name, range(EARLIER))
        bench.score()
        for name in names:
            bench.say(name, [EARLIER])
        kept = sum(bench.redis.strlen(keys.kept(name)) for name in names)
        return {"calls": count, **bench.score(), "kept_bytes_per_call": kept // count}


def _length(count: int) -> dict[str, Any]:
    """Further utterances of one call of so many."""
    with _bench() as bench:
        bench.ingest.create("call", list(TRACKS), {})
        bench.say("call", range(count), scored=True)
        bench.say("call", [count])
        first = bench.score()  # nothing is kept yet, so the scorer reads all of the call
        measured: list[dict[str, float]] = []
        for number in range(count + 1, count + 1 + MEASURED):
            bench.say("call", [number])
            measured.append(bench.score())
        mean = {name: round(sum(one[name] for one in measured) / MEASURED, 2) for name in measured[0]}
        kept = bench.redis.strlen(keys.kept("call"))
        return {"utterances": count, **mean, "kept_bytes": kept, "all_of_it_read_ms": first["ms"]}


def _workers(count: int) -> dict[str, Any]:
    """What it costs the server and a decoder that so many idle decoders look after one another."""
    with _bench() as bench:
        fleet = [FleetMember(bench.shard, f"host-1234-{n:016x}", bench.settings) for n in range(count)]
        for decoder in fleet:
            decoder.join()
        before, server = bench.redis.info("stats"), bench.server_cpu_seconds()
        cpu, began, looks = time.process_time(), time.monotonic(), 0
        rounds = 0
        while (at := time.monotonic() - began) < FLEET_SECONDS:
            if at < rounds * 1.0 / count:  # every decoder once a second, one after the other
                time.sleep(rounds / count - at)
            others = fleet[rounds % count].others
            rounds += 1
            if others.turn("sweep", SWEEP_TURN_MS):
                others.sweep()
                looks += 1
            if others.turn("relieve", RELIEVE_TURN_MS):
                others.relieve()
                looks += 1
        seconds = time.monotonic() - began
        after = bench.redis.info("stats")
        return {
            "workers": count,
            "looks_per_second": round(looks / seconds, 1),
            "requests_per_second": round((after["total_reads_processed"] - before["total_reads_processed"]) / seconds),
            "server_cpu_percent": round(100 * (bench.server_cpu_seconds() - server) / seconds, 2),
            "decoder_cpu_ms_per_second": round(1000 * (time.process_time() - cpu) / seconds / count, 2),
        }


def _idle(count: int) -> dict[str, Any]:
    """So many calls go idle at the same moment: how long one decoder takes to end them, and how long others wait."""
    with _bench() as bench:
        for n in range(count):
            bench.ingest.create(f"call-{n}", list(TRACKS), {})
        bench.redis.zadd(keys.IDLE, {f"call-{n}": 1 for n in range(count)})
        longest, done = 0.0, threading.Event()

        def ping() -> None:
            nonlocal longest
            client = connect(bench.settings, "worker")
            while not done.is_set():
                asked = time.monotonic()
                client.ping()
                longest = max(longest, time.monotonic() - asked)
                time.sleep(0.001)

        pinging = threading.Thread(target=ping)
        pinging.start()
        began, turns = time.monotonic(), 0
        while bench.ingest.end_idle(bench.shard, bench.settings.call_idle_seconds):
            turns += 1
        seconds = time.monotonic() - began
        done.set()
        pinging.join()
        return {
            "calls": count,
            "seconds": round(seconds, 3),
            "turns": turns,
            "longest_wait_of_another_client_ms": round(1000 * longest, 1),
        }
