"""How the analyzer scores what people say in service calls, and any other text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textblob import TextBlob

from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.words.spoken import Party

ANALYZER = CallAnalyzer()


def polarity(text: str, party: Party = "customer") -> float:
    return ANALYZER.score(text, party).polarity


@pytest.mark.parametrize(
    "text",
    [
        "this is the third time i have called and nobody has helped me",
        "my package never arrived and i want a refund",
        "cancel my account",
        "i've been on hold for forty five minutes",
        "i want to speak to your manager right now",
        "the website is not working",
        "i am not happy at all with this",
        "nobody has ever been the least bit helpful",
        "are you serious",
        "that is not what i asked for",
        "thanks for nothing",
    ],
)
def test_telling_sentences_that_plain_polarity_misses_are_clearly_negative(text: str) -> None:
    assert polarity(text) <= -0.35
    assert polarity(text) < TextBlob(text).sentiment.polarity


@pytest.mark.parametrize(
    "text",
    [
        "thank you so much that's a huge relief",
        "no problem",
        "it isn't a bad idea",
        "brilliant that's everything thanks",
        "no complaints at all",
    ],
)
def test_thanks_relief_and_negated_bad_words_are_positive(text: str) -> None:
    assert polarity(text) > 0


@pytest.mark.parametrize("text", ["yes t for tango", "it's twenty seven mill lane", "three one eight double two", ""])
def test_plain_facts_have_no_clear_polarity(text: str) -> None:
    assert abs(polarity(text)) < 0.3


def test_a_formula_is_not_praise_from_an_agent() -> None:
    assert polarity("thank you for calling how can i help", "agent") == 0.0
    assert polarity("i'm so sorry about that", "agent") == 0.0


def test_agent_and_customer_are_judged_differently() -> None:
    refusal = "unfortunately there is nothing we can do"
    assert polarity(refusal, "agent") < 0
    assert polarity("thank you", "customer") > polarity("thank you", "agent")


def test_negation_reaches_over_several_words_and_stops_at_but() -> None:
    assert polarity("he was not in any way helpful") < 0
    assert polarity("i did not call before but you are helpful") > polarity("i did not find you helpful")


def test_a_negated_threat_is_no_threat() -> None:
    assert polarity("i do not want to cancel my account") > polarity("i want to cancel my account") + 0.2


def test_intensity_counts() -> None:
    assert polarity("very helpful staff") > polarity("helpful staff") > polarity("a bit helpful") > 0


def test_every_clear_score_says_why_in_the_speakers_words() -> None:
    scored = ANALYZER.score("Get me your manager, please!", "customer")
    assert any("get me your manager" in reason.lower() for reason in scored.reasons)


def test_it_is_a_textblob_analyzer() -> None:
    blob = TextBlob("this is ridiculous", analyzer=ANALYZER)
    assert blob.sentiment.polarity == polarity("this is ridiculous")
    assert 0 <= blob.sentiment.subjectivity <= 1


@pytest.mark.parametrize(
    ("plain", "written"),
    [
        ("i don't want it cancel my account", "I don't want it. Cancel my account!"),
        ("its the third time i've called", "It’s the 3rd time I've called…"),
        ("thats great thank you", "That's great -- thank you."),
        ("i do not know", "Um, I do, uh, not know."),
    ],
)
def test_punctuation_capitals_and_hesitations_change_nothing(plain: str, written: str) -> None:
    assert ANALYZER.hear(plain, "customer").kinds.keys() == ANALYZER.hear(written, "customer").kinds.keys()
    assert polarity(plain) == polarity(written)


@given(st.text(max_size=300), st.sampled_from(["agent", "customer", "other"]))
def test_any_text_gets_a_score_in_range(text: str, party: Party) -> None:
    scored = ANALYZER.score(text, party)
    assert -1 <= scored.polarity <= 1
    assert 0 <= scored.subjectivity <= 1


def test_a_letter_that_was_sent_is_no_repeated_contact() -> None:
    for text in ("i am calling about the letter you sent last week", "the email you sent me yesterday"):
        assert "repeat_contact" not in ANALYZER.hear(text, "customer").kinds
    for text in ("i have already sent it twice", "you sent me one before"):
        assert "repeat_contact" in ANALYZER.hear(text, "customer").kinds
