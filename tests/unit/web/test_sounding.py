"""The search finds a rare word where the recogniser wrote other words that sound like it. It skips short words."""

from __future__ import annotations

import pytest

from webapp.search import sounding


@pytest.mark.parametrize(
    ("word", "heard"),
    [
        ("ombudsman", "the on-budsman will hear"),
        ("ombudsman", "the on budsman"),
        ("chargeback", "a charge back"),
        ("Compensation", "come pen sation"),
        ("photograph", "the foto graf"),
    ],
)
def test_a_long_word_is_found_in_what_sounds_like_it(word: str, heard: str) -> None:
    pattern = sounding.pattern(word)
    assert pattern is not None
    assert pattern.search(sounding.sounds(heard.encode()))
    assert not pattern.search(sounding.sounds(b"where is my parcel please"))


def test_a_short_word_has_too_few_sounds_to_go_by() -> None:
    assert sounding.pattern("cancel") is None


def test_nothing_is_found_across_the_end_of_an_utterance() -> None:
    pattern = sounding.pattern("ombudsman")
    assert pattern is not None
    assert not pattern.search(sounding.sounds(b"on bud\nsman"))
