"""Patterns of phrases, and the normal form of the text that they search."""

from __future__ import annotations

import pytest

from workers.insight.words.phrasebook import PatternError, Phrasebook
from workers.insight.words.tokens import tokenise


def found(pattern: str, text: str) -> bool:
    return bool(Phrasebook([(pattern, "x")]).find(tokenise(text).forms))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("don't know", "I do not know"),
        ("3rd time", "for the third time"),
        ("#th time", "this is the twenty second time"),
        ("for # minutes", "for forty-five minutes"),
        ("45 minutes", "forty five minutes"),
        ("cancel* my account", "cancelling my account"),
        ("(speak|talk) to [your] manager", "let me talk to manager"),
        ("get * manager", "get me your old manager"),
        ("wait *2 hours", "wait hours"),
    ],
)
def test_a_pattern_finds_its_phrase(pattern: str, text: str) -> None:
    assert found(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("wait *2 hours", "wait for three long hours"),
        ("# times", "some times"),
        ("cancel my account", "my account cancel"),
        ("manager", "managers"),
    ],
)
def test_a_pattern_does_not_find_what_it_does_not_say(pattern: str, text: str) -> None:
    assert not found(pattern, text)


@pytest.mark.parametrize("pattern", ["(a|b", "a)b(", "(a|)", "[a]", "* manager", "get *", "a*b", "", "()", "(a (b))"])
def test_a_pattern_that_cannot_work_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        Phrasebook([(pattern, "x")])


def test_too_many_combinations_are_refused() -> None:
    with pytest.raises(PatternError, match="combinations"):
        Phrasebook([(" ".join(["(a|b|c|d)"] * 10), "x")])


def test_token_positions_lead_back_to_the_words_written() -> None:
    tokens = tokenise("Well, I don't - uh - know forty-five.")
    assert tokens.forms == ["well", "i", "do", "not", "know", "45"]
    assert [tokens.words[i] for i in (2, 3, 4, 5)] == [2, 2, 6, 7]


def test_gaps_one_after_the_other_are_walked_once() -> None:
    """Without this, one rule keeps every scorer busy for hours."""
    forms = tokenise("a " + "word " * 60 + "end").forms
    book = Phrasebook([("a" + " *9" * 100 + " end", "found"), ("a" + " *9" * 100 + " zebra", "missing")])
    assert [(hit.payload, hit.end) for hit in book.find(forms)] == [("found", len(forms))]
