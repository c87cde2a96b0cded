"""Redaction in the store. A score masks its utterance there. What is shown before that is masked, too."""

from __future__ import annotations

import pytest
import redis

from state import keys
from state.calls.feed import START
from state.calls.leases import Commit
from state.calls.reads import Reads
from state.settings import Settings
from tests.harness.line import CHUNK, Line, Scripted
from tests.harness.protocol import readable
from webapp.shown import Shown, ShownStreams
from workers.decoder.track import decode
from workers.insight.redaction.dictation import MASKED_NUMBER as MASK
from workers.jobs.summary import write
from workers.sentiment.assessor import Assessor


@pytest.fixture
def line(store: redis.Redis, assessor: Assessor) -> Line:
    return Line(store, assessor, ["agent", "customer"])


def everything(client: redis.Redis) -> str:
    """All values of the store as one text."""
    return "\n".join(readable(client).values())


def test_a_number_is_never_shown_and_masked_in_the_store_when_it_is_scored(line: Line) -> None:
    line.say("agent", 1, "can you read me the card number")
    line.say("customer", 3, "four zero zero zero zero five six six")
    assert "zero" in line.stored()[1], "a decoder commits what it recognised"
    shown = Shown(line.redis)
    view = shown.call("c")
    assert view is not None and "zero" not in str(view) and "zero" not in str(shown.rows("live", 9, None))
    assert "zero" not in str(shown.feed(START, 100))
    heard = ShownStreams(line.redis, line.settings).heard("c", "customer", 0)
    assert heard.finals[0].text.split() == [MASK] * 8 == [word.word for word in heard.finals[0].words]
    line.score()
    line.say("customer", 5, "five five six six five five five six")
    line.score()
    assert line.stored()[1].split() == line.stored()[2].split() == [MASK] * 8
    assert "zero" not in everything(line.redis) and "five" not in everything(line.redis)
    call = Reads(line.redis).call("c")
    assert call is not None and call.last is not None and call.last.text == line.stored()[2]


def test_a_harmless_number_appears_in_the_table_and_in_the_feed(line: Line) -> None:
    line.say("agent", 1, "can i have the order number please")
    line.say("customer", 3, "sure it's seven four two zero nine five five one")
    line.score()
    shown = Shown(line.redis)
    view = shown.call("c")
    assert view is not None and view.last is not None and MASK in view.last.text and MASK in view.utterances[1].text
    line.say("customer", 5, "so where is it")
    line.score()
    view = shown.call("c")
    assert view is not None and view.utterances[1].text == "sure it's seven four two zero nine five five one"
    assert shown.feed(START, 100)[-2][1].count(b"seven four two"), "pages get the words before the score"


def test_what_could_not_be_judged_before_the_end_is_masked_with_the_summary(line: Line) -> None:
    line.say("customer", 1, "you can ring seven seven double oh nine one two three four")
    line.score()
    assert "double" in line.stored()[0], "the agent has not been heard yet"
    line.end()
    assert line.redis.hget(keys.call("c"), "state") == b"ended"
    assert write(line.redis, "c", Settings()) == "OK"
    assert line.stored() == ["you can ring " + " ".join([MASK] * 9)]
    assert "double" not in everything(line.redis)
    assert write(line.redis, "c", Settings()) == "AGAIN"


def test_the_last_score_masks_everything(line: Line) -> None:
    line.say("customer", 1, "my social is one two three forty five sixty seven eighty nine", end=True)
    while (token := line.fleet.next_token(0)) is not None:
        line.commit(token, [])
    line.score()
    assert line.redis.hget(keys.call("c"), "state") == b"ended"
    assert line.stored() == ["my social is " + " ".join([MASK] * 9)]


def test_an_expired_transcript_does_not_come_back_with_a_mask(line: Line) -> None:
    line.say("customer", 1, "four zero zero zero zero five six six five five six six five five five six")
    line.redis.delete(keys.utterances("c"))
    line.score()
    assert not line.redis.exists(keys.utterances("c"))


def test_without_redaction_nothing_is_hidden(line: Line) -> None:
    line.ingest.put("c", "customer", None, CHUNK)
    token = line.fleet.next_token(0)
    assert token is not None
    lease = line.fleet.open(token, "", 0)
    assert lease is not None
    change, _ = decode(Scripted([(1, "four zero zero zero")]), lease, None, redact=False)
    assert b"four zero zero zero" in b"".join(change.events)


def test_commit_is_what_it_was_but_for_what_is_shown(line: Line) -> None:
    line.ingest.put("c", "customer", None, CHUNK)
    token = line.fleet.next_token(0)
    assert token is not None
    lease = line.fleet.open(token, "", 0)
    assert lease is not None
    made: list[Commit] = [
        decode(Scripted([(1, "four zero zero zero")]), lease, None, redact=redact)[0] for redact in (True, False)
    ]
    assert made[0].finals == made[1].finals and made[0].events != made[1].events
