"""The count of word errors that the benchmark reports."""

from __future__ import annotations

import pytest

from scripts.benchmarks.korean import character_errors, word_errors
from scripts.evaluation.wer import errors


@pytest.mark.parametrize(
    ("said", "heard", "wrong"),
    [
        ("hello there", "Hello, there!", 0),
        ("hello there", "hello", 1),
        ("hello", "hello there", 1),
        ("i was there", "I were there.", 1),
        ("hello", "", 1),
        ("uh i um see", "I see", 0),
        ("okay", "OK.", 0),
        ("five five six six", "5566", 0),
        ("sixty pounds", "£60", 0),
        ("three hundred and forty pounds", "£340", 0),
        ("three hundred forty", "340", 0),
        ("twenty twenty six", "2026", 0),
        ("the ninth and the twelfth", "the 9th and the 12th", 0),
        ("the thirtieth", "the 30th", 0),
        ("five", "5,5", 0 + 1),
    ],
)
def test_word_errors_are_counted(said: str, heard: str, wrong: int) -> None:
    assert errors(said, heard) == (wrong, len([word for word in said.split() if word not in ("uh", "um")]))


def test_korean_is_counted_by_words_and_by_syllables_wherever_its_spaces_are() -> None:
    assert word_errors("저는 학교에 갑니다", "저는 학교 에 갑니다") == (2, 3)
    assert character_errors("저는 학교에 갑니다", "저는 학교 에 갑니까") == (1, 8)
