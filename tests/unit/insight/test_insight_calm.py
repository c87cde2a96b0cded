"""What raises no call: misheard words, faults that people describe calmly, polite refusals."""

from __future__ import annotations

import msgspec
import pytest

from tests.harness.calls.spoken import ANALYZER, MODEL, call
from workers.insight.ruled import RuledModel
from workers.insight.rules.rulefile import load

FRIENDLY = call(
    ("a", "good morning you are through to anna how can i help"),
    ("c", "hi there could you tell me when my next shift at the desk is please"),
    ("a", "of course it is on tuesday"),
    ("c", "brilliant thank you so much"),
)


def test_a_misheard_word_raises_no_friendly_call() -> None:
    heard = [msgspec.structs.replace(u, text=u.text.replace("shift", "shit")) for u in FRIENDLY]
    standing = RuledModel(ANALYZER, load()).standing(heard)
    assert not standing.raised and standing.attention < 0.2
    assert ANALYZER.score(heard[1].text, "customer").polarity > -0.35
    assert ANALYZER.score("this is shit and you are useless", "customer").polarity < -0.8


def test_a_word_the_recogniser_doubts_counts_for_less() -> None:
    text = "it was useless on tuesday"
    assert ANALYZER.score(text, "customer", ("useless",)).polarity > ANALYZER.score(text, "customer").polarity + 0.3


def test_nothing_that_rests_on_one_utterance_raises_a_call() -> None:
    one = call(("c", "i am fed up and sick of this are you serious it is a disgrace and a farce"))
    assert not MODEL.standing(one).raised
    more = [msgspec.structs.replace(one[0], id="customer:1", start=9, end=15, text="it is useless and nobody helps me")]
    assert MODEL.standing([*one, *more]).raised


@pytest.mark.parametrize(
    "turns",
    [
        ["the screen goes black when i plug it in", "no it stops at the logo", "yes the light is on"],
        ["no thank you i don't need the insurance", "no not today thanks", "no that's all i need"],
        ["no sorry i meant the fourteenth", "actually no make it the fifteenth", "sorry i read it wrong it's four one"],
        ["the what sorry", "did you say fifteen or fifty", "pardon i didn't catch that"],
        ["i'd like to cancel my subscription please", "no i just don't use it anymore", "no thank you"],
    ],
)
def test_calm_faults_polite_refusals_corrections_and_questions_raise_nothing(turns: list[str]) -> None:
    said = call(*[turn for text in turns for turn in (("a", "let me see what i can find"), ("c", text))])
    standing = MODEL.standing(said)
    assert not standing.raised and standing.attention < 0.35
