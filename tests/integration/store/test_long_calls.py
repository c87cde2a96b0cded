"""A score costs the same however long the call is, and the call stands as if each score read all of it."""

from __future__ import annotations

import random

import msgspec
import pytest
import redis

from state import keys
from state.calls.reads import Reads
from state.views import CallView
from tests.harness.line import Line
from workers.insight.ruled import RuledModel
from workers.insight.words.spoken import spoken
from workers.sentiment import courses
from workers.sentiment.assessor import Assessor, counts

TEXTS = (
    "thank you for calling how can i help",
    "this is the fourth time i am calling about the same fault",
    "i am sorry there is nothing we can do",
    "that is ridiculous i want to speak to your manager",
    "my card number is four one one one",
    "two two three three four four",
    "five five six six seven",
    "the order is one two three four five",
    "yes please",
    "brilliant thank you so much",
    "you have to wait",
    "my number is oh seven seven",
)


def view(client: redis.Redis, call_id: str) -> CallView:
    call = Reads(client).call(call_id)
    assert call is not None
    return call


def script(rng: random.Random, count: int) -> list[tuple[str, float, str]]:
    """Utterances (track, start, text) of two parties in the order in which they become final."""
    said = []
    for n in range(count):
        late = rng.choice([0, 0, 0, 9.0]) if n % 2 else 0.0
        said.append((late + n, "agent" if n % 2 else "customer", float(n), rng.choice(TEXTS)))
    said.sort()
    return [(track, start, text) for _, track, start, text in said]


def test_what_is_kept_changes_no_byte(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls have the same words. Nothing is kept of one; two scorers take turns at the other."""
    rng = random.Random(5)
    scorers = [Assessor(redact=True), Assessor(redact=True)]
    kept = Line(store, scorers[0], ["customer", "agent"], "kept")
    read = Line(store, scorers[0], ["customer", "agent"], "read")
    whole = {"kept": 0, "read": 0}
    read_all = type(kept.scores)._all

    def counted(self: object, call_id: str) -> object:
        whole[call_id] += 1
        return read_all(self, call_id)  # type: ignore[arg-type]

    monkeypatch.setattr(type(kept.scores), "_all", counted)
    for n, (track, start, text) in enumerate(script(rng, 2 * courses.READ_MOST)):
        kept.assessor = scorers[n % 2]
        for line in (kept, read):
            line.say(track, start, text)
            store.delete(keys.kept("read"))
            line.score()
        one, other = view(store, "kept"), view(store, "read")
        assert msgspec.json.encode(one.standing) == msgspec.json.encode(other.standing), n
        assert one.utterances == other.utterances, n
    assert whole["read"] == 2 * courses.READ_MOST
    assert whole["kept"] == 1, "only the first score reads the call"
    for line in (kept, read):
        line.end()
    assert view(store, "kept").utterances == view(store, "read").utterances
    assert not store.exists(keys.kept("kept")), "what was kept goes with the call"


def test_a_track_that_is_decoded_much_later_is_counted_in_its_place(store: redis.Redis) -> None:
    assessor = Assessor(redact=False)
    line = Line(store, assessor, ["customer", "agent"])
    rng = random.Random(6)
    for n in range(courses.READ_MOST + 60):
        line.say("customer", float(n), rng.choice(TEXTS))
        line.score()
    for n in range(0, courses.READ_MOST + 60, 9):
        line.say("agent", n + 0.5, rng.choice(TEXTS))
        line.score()
        call = view(store, "c")
        said = [spoken(utterance) for utterance in call.utterances if counts(utterance)]
        whole = RuledModel(assessor._analyzer, assessor._rules).standing(said)
        assert call.standing == msgspec.structs.replace(whole, model=0), n
