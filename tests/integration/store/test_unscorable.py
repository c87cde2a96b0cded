"""An utterance that cannot be scored costs some tries and one mark; its call ends, and everybody else's go on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis

from scripts.machine.programs import ROOT
from state import keys
from state.calls.assessments import Kept
from state.calls.dead import DeadLetters
from state.calls.reads import Reads
from state.calls.scores import SET_ASIDE
from state.types import ScoredUtterance, Sentiment
from tests.harness.broken.poisoned_scorer import POISON
from tests.harness.fleet import Fleet, stub_fleet
from tests.harness.invariants import violations
from tests.harness.line import Line
from workers.insight.rules.rule import Hit
from workers.insight.rules.rulefile import load
from workers.insight.rules.ruleset import RuleSet, RuleState
from workers.sentiment.assessor import Assessor


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with stub_fleet(tmp_path) as fleet:
        yield fleet


def said(client: redis.Redis, call_id: str) -> dict[str, ScoredUtterance]:
    call = Reads(client).call(call_id)
    assert call is not None
    return {utterance.id: utterance for utterance in call.utterances}


@pytest.mark.parametrize(("how", "redact"), [("raise", "1"), ("raise", "0"), ("loop", "1"), ("kill", "1")])
def test_an_utterance_whose_scoring(how: str, redact: str, fleet: Fleet) -> None:
    """An utterance whose scoring raises, loops or kills its process is set aside, and its call ends."""
    assessor = Assessor(redact=False)
    line = Line(fleet.redis, assessor, ["customer"], "poisoned")
    for second, text in enumerate(["hello there", POISON, "it is broken and I am angry"]):
        line.say("customer", float(second), text, end=second == 2)
    other = Line(fleet.redis, assessor, ["customer"], "other")
    other.say("customer", 0.0, "thank you so much", end=True)

    def ended() -> bool:
        """Whether the call has ended. A scorer that died is started again."""
        if fleet.processes[-1].poll() is not None:
            fleet.start("sentiment", ["tests/harness/broken/poisoned_scorer.py", how], REDACT=redact)
        return fleet.redis.hget(keys.call("poisoned"), "state") == b"ended"

    fleet.start("sentiment", ["tests/harness/broken/poisoned_scorer.py", how], REDACT=redact)
    fleet.wait(ended, 180)  # up to five processes, one after the other
    fleet.wait_ended(["poisoned", "other"], 30)

    found = said(fleet.redis, "poisoned")
    assert found["customer:1"].sentiment == Sentiment(0.0, 0.0, [SET_ASIDE])
    assert [u.mark for u in found.values()] == [None, "unscorable", None]
    assert (found["customer:1"].text == POISON) == (redact == "0"), "nobody knows what may be shown of it"
    angry = found["customer:2"].sentiment
    assert angry is not None and angry.polarity < 0, "the call's other utterances are scored"
    (letter,) = DeadLetters(fleet.redis).set_aside()
    assert (letter.call_id, letter.utterance_id) == ("poisoned", "customer:1")
    assert POISON not in letter.reason
    assert violations(fleet.redis) == []

    url = str(fleet.settings.redis_url)
    dead = [sys.executable, "-m", "scripts.operating.dead"]
    listed = subprocess.run(
        [*dead, "list"], check=True, cwd=ROOT, env=os.environ | {"REDIS_URL": url}, capture_output=True, text=True
    )
    assert "poisoned utterance customer:1" in listed.stdout and letter.reason in listed.stdout
    subprocess.run([*dead, "drop", letter.id], cwd=ROOT, env=os.environ | {"REDIS_URL": url}, check=True)
    assert DeadLetters(fleet.redis).set_aside() == []


class BrokenRules(RuleSet):
    def follow(self, *_: object, **__: object) -> tuple[RuleState, list[Hit], list[Hit]]:
        raise RuntimeError("a rule that cannot be applied")


def test_rules_that_fail_keep_no_utterance_from_its_score(fleet: Fleet) -> None:
    assessor = Assessor()
    assessor._rules = BrokenRules(load().file)
    line = Line(fleet.redis, assessor, ["customer"])
    line.say("customer", 0.0, "it is broken and I want to speak to your manager", end=True)
    line.score()
    call = Reads(fleet.redis).call("c")
    assert call is not None and call.state == "ended"
    assert "escalation" in [alert.kind for alert in call.standing.alerts]


def test_damaged_keys_cost_their_own_call_and_no_other_its_scores(fleet: Fleet) -> None:
    """The damage: a key of another kind, senseless entries, an unreadable course, and rules that are no rules."""
    assessor = Assessor(redact=False)
    store = fleet.redis
    lines = [Line(store, assessor, ["customer"], call) for call in ("wrecked", "kept", "well")]
    for line in lines:
        line.say("customer", 0.0, "hello there")
    for line in lines:
        line.score()
    kept = msgspec.msgpack.decode(store.get(keys.kept("kept")), type=Kept)
    store.set(keys.kept("kept"), msgspec.msgpack.encode(msgspec.structs.replace(kept, course=b"\x91")))
    store.delete(keys.scores("wrecked"))
    store.set(keys.scores("wrecked"), "no hash")
    store.xadd(keys.FINALS, {"nonsense": "x"})
    store.xadd(keys.WORK, {"nonsense": "x"})
    store.hset(keys.RULES, mapping={"version": "one", "text": "x"})
    for line in lines:
        line.say("customer", 1.0, "it is broken and I am angry", end=True)
    fleet.start("sentiment", REDACT="0")
    fleet.wait_ended(["kept", "well"], 60)
    fleet.wait(lambda: store.xlen(keys.FINALS) == 0, 60, "the wrecked call's utterances are given up")
    assert said(store, "kept") == said(store, "well"), "what is kept is only a cache"
    assert [u.mark for u in said(store, "kept").values()] == [None, None]
