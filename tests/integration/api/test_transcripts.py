"""A process keeps for the search exactly what may be shown, even while words are said, masked or lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import redis

from state import keys
from state.calls.ingest import Ingest
from state.calls.reads import Reads
from state.events import FinalEvent, encode
from state.settings import Settings
from state.types import ScoredUtterance, Utterance
from state.views import CallRow
from tests.harness.line import Line
from tests.harness.web import wait_until
from webapp.search import transcripts
from webapp.search.transcripts import Transcripts
from webapp.shown import Shown
from workers.jobs.summary import write
from workers.sentiment.assessor import Assessor


@pytest.fixture
def line(store: redis.Redis, assessor: Assessor) -> Line:
    return Line(store, assessor, ["agent", "customer"])


@pytest.fixture(autouse=True)
def threads_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(transcripts, "BLOCK_MS", 20)
    yield
    monkeypatch.setattr(transcripts, "KEPT_SECONDS", -1)
    for thread in threading.enumerate():
        if thread.name == "transcripts":
            thread.join(30)
            assert not thread.is_alive()


def rows(client: redis.Redis) -> list[CallRow]:
    return Reads(client).table()[0]


def kept(search: Transcripts, client: redis.Redis) -> list[str]:
    """The only call's texts, by track and then in order."""
    [said] = search.of(rows(client))
    return [text for track in said for text in track.decode().split("\n") if text]


def shown(client: redis.Redis) -> list[str]:
    call = Shown(client).call("c")
    assert call is not None
    tracks = dict.fromkeys(said.track for said in call.utterances)
    return [said.text.lower() for track in tracks for said in call.utterances if said.track == track]


def test_at_any_moment_it_holds_what_may_be_shown(line: Line) -> None:
    search = Transcripts(Shown(line.redis))

    def agrees(what: str) -> None:
        wait_until(lambda: sorted(kept(search, line.redis)) == sorted(shown(line.redis)), what)

    line.say("agent", 1, "can you read me the card number")
    agrees("the first search reads all")
    line.say("customer", 3, "four zero zero zero zero five six six")
    agrees("hidden before it is scored")
    assert "zero" not in str(kept(search, line.redis))
    line.score()
    line.say("customer", 5, "five five six six five five five six")
    line.score()
    agrees("masked")
    line.say("agent", 7, "and the order number please")
    line.say("customer", 9, "Sure it's seven four two zero nine five five one")
    line.score()
    agrees("hidden while it may go on")
    line.say("customer", 11, "so where is it")
    line.score()
    agrees("harmless after all")
    line.say("customer", 13, "you can ring seven seven double oh nine one two three four")
    line.score()
    line.end()
    assert write(line.redis, "c", Settings()) == "OK"
    agrees("masked with the summary")
    assert "double" not in str(kept(search, line.redis)) and "zero" in str(kept(search, line.redis))


class Interrupted(Reads):
    """Reads where an event comes after a transcript was read and before it is kept."""

    search: Transcripts
    later: Utterance
    client: redis.Redis

    def said(self, rows: list[CallRow]) -> list[list[ScoredUtterance]]:
        read = super().said(rows)
        self.client.xadd(keys.FEED, {"j": encode(FinalEvent("c", self.later))})
        wait_until(lambda: self.search._calls["c"].told, "it is heard")
        return read


def test_what_is_told_while_a_transcript_is_read_counts(line: Line) -> None:
    line.say("customer", 1, "four zero")
    reads = Interrupted(line.redis)
    reads.client = line.redis
    reads.later = Utterance("customer:0", "customer", 0, 0.0, 1.0, "masked", [])
    search = reads.search = Transcripts(reads)
    assert kept(search, line.redis) == ["masked"]


def test_after_a_loss_of_data_it_is_read_again(line: Line) -> None:
    search = Transcripts(Shown(line.redis))
    line.say("customer", 1, "hello there")
    assert kept(search, line.redis) == ["hello there"]
    line.redis.delete(keys.FEED, keys.utterances("c"))
    Ingest(line.redis, Settings()).create("another", ["t"], {})
    wait_until(lambda: all(said == [] for said in search.of(rows(line.redis))), "what is gone is not found")


def test_it_keeps_only_so_much_and_only_so_long(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    search = Transcripts(Shown(line.redis))
    line.say("customer", 1, "hello there")
    assert kept(search, line.redis) == ["hello there"] and search.kept_bytes == len("hello there")
    monkeypatch.setattr(transcripts, "MOST_BYTES", 5)
    wait_until(lambda: search.kept_bytes == 0, "too much is dropped")
    assert kept(search, line.redis) == ["hello there"], "and read again"
    monkeypatch.setattr(transcripts, "MOST_BYTES", 100)
    assert kept(search, line.redis) == ["hello there"] and search.kept_bytes
    monkeypatch.setattr(transcripts, "KEPT_SECONDS", -1)
    wait_until(lambda: search.kept_bytes == 0, "what nobody searches is dropped")
