"""Redaction finds what must not be shown, spoken or written. What a supervisor needs stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.evaluation import secrets
from scripts.evaluation.spoken_secrets import cases
from workers.insight.redaction.dictation import MASKED_NUMBER as MASK
from workers.insight.redaction.finding import MASKED_WORD, find, redact
from workers.insight.words.spoken import Spoken


def shown(*turns: tuple[str, str]) -> list[str]:
    said = [
        Spoken(f"{who}:{i}", "customer" if who == "c" else "agent", i * 4.0, i * 4.0 + 3, text)
        for i, (who, text) in enumerate(turns)
    ]
    masks = find(said)
    for mask in masks:
        text = next(u.text for u in said if u.id == mask.utterance_id)
        assert text[mask.start : mask.end].split() == text.split()[mask.first : mask.last + 1]
    return [redact(u.text, [m for m in masks if m.utterance_id == u.id]) for u in said]


@pytest.mark.parametrize(
    "text",
    [
        "it's {four one one one one one one one one one one one one one one one} okay",
        "my card is {4111-1111-1111-1111}.",
        "Card: {4111 1111 1111 1111}",
        "call me on {oh seven seven double oh nine hundred one two three}",
        "you can ring {(212) 555-0199} after six",
        "my social is {one two three forty five sixty seven eighty nine}",
        "the pin is {four two nine one} i think",
        "my account number is {one two triple three four five six}",
        "mail j dot smith at gmail dot com".replace("j dot", "{j dot").replace("com", "com}"),
        "it's {john underscore smith two six at hotmail dot co dot uk} thanks",
        "write to {anna.b@example.org}",
        "{m as in mike a r y at icloud dot com}",
        "my date of birth is the {fourth of march nineteen eighty} yes",
        "i was born on {12/03/1975} in leeds",
        "dob {march 4th 1980}",
    ],
)
def test_secrets_are_masked_and_nothing_else(text: str) -> None:
    inside = False
    expected: list[str] = []
    for word in text.split():
        inside = inside or word.startswith("{")
        expected.append(MASK if inside else word)
        inside = inside and "}" not in word
    found = shown(("c", text.replace("{", "").replace("}", "")))
    assert [line.replace(MASKED_WORD, MASK) for line in found] == [" ".join(expected)]


@pytest.mark.parametrize(
    "text",
    [
        "the order number is seven four two zero nine five five one",
        "my booking reference is k w five three one m",
        "that is one hundred and forty pounds",
        "it cost one million two hundred thousand pounds",
        "there were two of us and i waited forty five minutes",
        "it came on the third of june two thousand and four at nine thirty",
        "i was at home and looked at the dot com page",
        "there are three of them for you to see",
    ],
)
def test_what_a_supervisor_needs_stays(text: str) -> None:
    assert shown(("c", text)) == [text]


def test_a_number_read_in_several_breaths_is_one() -> None:
    lines = shown(
        ("a", "can you read me the card number"),
        ("c", "yes um it's four zero zero zero zero five six six"),
        ("a", "go on"),
        ("c", "five five six six five five five six"),
        ("a", "thank you i can see two payments"),
    )
    assert lines[1].split().count(MASK) == 8 and set(lines[3].split()) == {MASK}
    assert lines[4] == "thank you i can see two payments"


def test_other_words_between_end_a_number() -> None:
    lines = shown(("c", "four zero zero"), ("c", "what was that again"), ("c", "five five six six"))
    assert not any(MASK in line for line in lines)


def test_the_question_names_what_the_answer_is() -> None:
    assert MASK in shown(("a", "and the three digit security code"), ("c", "seven one nine"))[1]
    assert MASK not in shown(("a", "and how many did you order"), ("c", "seven one nine"))[1]


def test_generated_speech_is_redacted_nearly_without_fault() -> None:
    right, wrong, missed = (
        sum(counts[i] for counts in secrets.measure(cases(seed=7, per_kind=40)).values()) for i in range(3)
    )
    assert right / (right + wrong) > 0.97 and right / (right + missed) > 0.97


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=60), max_size=4))
def test_any_text_is_redacted_without_fault_and_keeps_its_word_count(texts: list[str]) -> None:
    for text, line in zip(texts, shown(*(("c", text) for text in texts)), strict=True):
        assert len(line.split()) == len(text.split())
