"""Whatever holds words or sound goes at its age, even on a system where nothing else happens."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from scripts.disasters.clock import Clock
from scripts.machine.programs import start
from scripts.machine.server import EmbeddedServer
from state import keys
from state.calls.dead import DeadLetters, Redriven
from state.calls.handling import Handler
from state.calls.ingest import Chunk, Ingest
from state.calls.reads import Reads
from state.calls.retention import CALLS_A_SWEEP, FEED_SECONDS, Retention
from state.calls.streams import Streams
from state.events import QUIET
from state.server.connection import connect
from state.settings import Settings
from tests.harness.invariants import violations
from tests.harness.line import Line
from tests.harness.page import Page
from tests.harness.protocol import Play, readable
from tests.harness.web import wait_until, web_process
from workers.jobs.queue import ASKED_KEPT_SECONDS, Requests
from workers.jobs.summary import write
from workers.sentiment.assessor import Assessor

HOUR = 3600.0
SECRET_WORD = "abracadabra"
SOUND = b"\x55\x66\x77" * 2000
IDS = ("ended", "stuck", "silent", "unasked")


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def client(clock: Clock, tmp_path: Path) -> Iterator[redis.Redis]:
    """A client of a server whose clock a test can set."""
    server = EmbeddedServer(tmp_path / "server", clock.environ)
    try:
        with connect(Settings(redis_url=server.url), "worker") as made:
            yield made
    finally:
        server.stop()


def later(client: redis.Redis, clock: Clock, seconds: float) -> None:
    """Set the server's clock ahead of ours."""
    clock.set(seconds)
    wait_until(lambda: client.time()[0] >= time.time() + seconds - 1, "the server's clock was set")


def url_of(client: redis.Redis) -> str:
    at = client.connection_pool.connection_kwargs
    return f"redis://:{at['password']}@{at['host']}:{at['port']}/0"


OFTEN = """
from state.calls.retention import Retention
from workers.sentiment import __main__ as sentiment

def told(retention, sweep=Retention.sweep):
    count = sweep(retention)
    print("swept", flush=True)
    return count

Retention.sweep = told
sentiment.SWEEP_SECONDS = 0.2
raise SystemExit(sentiment.start("sentiment", sentiment.run))
"""
"""A sentiment process that looks for old data five times a second, not every ten seconds, and says so each time."""


@contextmanager
def sentiment(client: redis.Redis, output: Path) -> Iterator[None]:
    """Run a sentiment process, and nothing else. Its output goes to `output`."""
    process = start([sys.executable, "-c", OFTEN], output, {"REDIS_URL": url_of(client)}, leash=True)
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(30) == 0, output.read_text()


def holding(client: redis.Redis, *what: str | bytes) -> list[str]:
    """The keys that have one of these in their name or content; the audit trail is left out."""
    wanted = [repr(part)[2:-1] if isinstance(part, bytes) else part for part in what]
    return [
        key
        for key, held in readable(client).items()
        if not key.startswith(keys.AUDIT) and any(part in key or part in held for part in wanted)
    ]


def fill(client: redis.Redis, assessor: Assessor) -> None:
    """Store one of everything that holds words, sound or the id of a call."""
    line = Line(client, assessor, ["customer", "agent"], "ended", agent="Ann")
    line.say(
        "customer", 1, f"{SECRET_WORD} my card is four one one one one one one one one one one one one one one one"
    )
    line.say("agent", 3, f"thank you {SECRET_WORD}")
    Handler(client, "boss").add_note("ended", SECRET_WORD)
    line.end()
    write(client, "ended", Settings())
    unasked = Line(client, assessor, ["customer"], "unasked")
    unasked.say("customer", 1, SECRET_WORD)
    unasked.end()
    Requests(client).request()

    ingest = Ingest(client, Settings())
    for call_id in ("stuck", "silent"):  # nobody decodes their audio; only the sender of "stuck" has finished
        ingest.put(call_id, "customer", 1, Chunk(SOUND, "mulaw", 8000))
        ingest.put(call_id, "customer", 3, Chunk(SOUND, "mulaw", 8000), skip_gap=True)
    ingest.end("stuck")
    streams = Streams(client, Settings())
    streams.next_conversation("silent", 0, 60)

    letter = client.xadd(
        keys.DEAD, {"c": "ended", "t": "customer", "seq": 1, "r": 8000, "reason": "x", "e": "mulaw", "a": SOUND}
    )
    client.xadd(keys.DEAD, {"c": "ended", "i": "customer:0", "reason": "x"})
    assert isinstance(letter, bytes)
    assert DeadLetters(client).note(letter.decode(), Redriven(SECRET_WORD))
    client.hset(keys.DEAD_TEXTS, "1-1", SECRET_WORD)  # its letter has been cut off since


def test_nothing_is_left_at_its_age_though_nothing_else_happens(
    client: redis.Redis, clock: Clock, assessor: Assessor, tmp_path: Path
) -> None:
    fill(client, assessor)
    before = holding(client, SECRET_WORD, SOUND, *IDS)
    for prefix in ("call:", "track:", "audio:", "listen:", "utterances:", "scores:", "summary-asked:", "heard:"):
        assert any(key.startswith(keys.PREFIX + prefix) for key in before), prefix
    for key in (keys.FEED, keys.DEAD, keys.DEAD_TEXTS, keys.LIVE, keys.ENDED, keys.IDLE, keys.RETAINED,
                keys.UNSUMMARISED, keys.WORK):  # fmt: skip
        assert key in before
    assert any(key.startswith("rq:job:") for key in before)
    output = tmp_path / "out"
    with sentiment(client, output):
        wait_until(lambda: output.read_text().count("swept") >= 3, "it looks for old data")
        assert set(holding(client, SECRET_WORD)) >= {keys.FEED, keys.utterances("ended")}, "it is kept until then"
        later(client, clock, Settings().retention_hours * HOUR + 60)
        wait_until(lambda: holding(client, SECRET_WORD, SOUND) == [], "no word and no sound is left")
        age = Settings().retention_hours * HOUR + FEED_SECONDS + ASKED_KEPT_SECONDS + 60
        later(client, clock, age)
        wait_until(lambda: client.xrevrange(keys.FEED)[0][1] == {b"j": QUIET}, "the feed can be cut")
        wait_until(lambda: holding(client, *IDS) == [], "no call's id is left")
    assert client.hgetall(keys.LOAD) == {b"chunks": b"0", b"audio_ms": b"0", b"audio_bytes": b"0"}
    assert violations(client) == []


def test_a_page_that_is_open_on_a_quiet_system_notices_nothing(
    client: redis.Redis, clock: Clock, assessor: Assessor, tmp_path: Path
) -> None:
    line = Line(client, assessor, ["customer"], "quiet")
    line.say("customer", 1, SECRET_WORD)
    retention, reads = Retention(client, Settings()), Reads(client)
    with web_process(url_of(client), tmp_path / "web.log") as web, Page(web.url) as page:
        wait_until(lambda: page.snapshots == 1, "it has its table")
        later(client, clock, 2 * FEED_SECONDS)
        retention.sweep()
        told = reads.tip()
        wait_until(lambda: page.cursor == told, "it stands at the event without words")
        retention.sweep()
        assert client.xrange(keys.FEED)[0][1] == {b"j": QUIET} and client.xlen(keys.FEED) == 1
        line.say("customer", 2, "hello")
        wait_until(lambda: page.told, "it goes on")
        assert (page.snapshots, page.disconnections) == (1, 0)


def test_the_feed_of_a_busy_system_is_cut_by_age(client: redis.Redis, clock: Clock) -> None:
    now_ms = client.time()[0] * 1000
    for age in (FEED_SECONDS + 60, FEED_SECONDS + 30, 30, 0):
        client.xadd(keys.FEED, {"j": "{}"}, id=f"{now_ms - age * 1000}-1")
    Retention(client, Settings()).sweep()
    assert [entry_id for entry_id, _ in client.xrange(keys.FEED)] == [
        f"{now_ms - age * 1000}-1".encode() for age in (30, 0)
    ]


def test_many_calls_go_in_several_sweeps(client: redis.Redis, clock: Clock) -> None:
    ingest = Ingest(client, Settings())
    for number in range(CALLS_A_SWEEP + 5):
        ingest.put(f"c{number}", "customer", 1, Chunk(bytes(80), "mulaw", 8000))
    retention = Retention(client, Settings())
    assert retention.sweep() == 0
    later(client, clock, 25 * HOUR)
    assert (retention.sweep(), retention.sweep(), retention.sweep()) == (CALLS_A_SWEEP, 5, 0)


def test_calls_that_must_stay_keep_no_other_from_going(store: redis.Redis) -> None:
    """The database is away, or refuses some calls for ever. The calls that it has go all the same, and each sweep looks
    at a bounded number."""
    waiting = [f"w{number:03}" for number in range(2 * CALLS_A_SWEEP + 5)]
    for number, call_id in enumerate([*waiting, "had"]):
        store.hset(keys.call(call_id), mapping={"state": "ended", "tracks": "", "started_at_ms": 1})
        store.zadd(keys.RETAINED, {call_id: 1000 + number})
    store.hset(keys.call("had"), "archived", 1)
    retention = Retention(store, Settings(database_url="sqlite:///anywhere"))
    assert [retention.sweep() for _ in range(3)] == [0, 0, 1]
    store.hset(keys.call("w000"), "archived", 1)
    store.srem(keys.STORE.unarchived, "w000")
    assert retention.sweep() == 1, "it begins again at the first call"
    assert store.zcard(keys.RETAINED) == len(waiting) - 1


def test_a_call_at_work_is_not_erased_and_one_erased_under_a_decoder_comes_not_back(store: redis.Redis) -> None:
    play = Play(store)
    play.put(1)
    retention = Retention(store, play.settings)
    assert not retention.erase("c", before_ms=store.time()[0] * 1000 - 10_000)
    lease = play.lease()
    assert retention.erase("c")
    assert play.commit(lease) == "STALE"
    assert [key for key in readable(store) if "c" in key.split(":")] == []
    assert violations(store) == []
