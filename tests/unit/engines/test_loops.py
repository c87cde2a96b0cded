"""Where a model hears no words, it repeats itself: we remove that. What people repeat stays."""

from __future__ import annotations

import pytest

from state.types import Word
from workers.engines.loops import without_loops

CIRCLE = "I'm going to go to the hospital."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No.",
        "No, no, no, no, no, no, no, no!",
        "Thank you. Thank you. Thank you. Thank you.",
        "I want my money back. I want my money back.",
        "Four four four four, one two three four, and that is all.",
    ],
)
def test_what_people_repeat_stays(text: str) -> None:
    assert without_loops(text, [], 3.0) == (text, [])


def test_a_circle_faster_than_anybody_speaks_goes_with_all_that_is_around_it() -> None:
    assert without_loops(f"So {' '.join([CIRCLE] * 12)} I'm going", [], 11.0) == ("", [])


def test_a_circle_at_a_speaking_rate_is_said_once() -> None:
    text = f"Well, {' '.join([CIRCLE] * 3)} Tomorrow."
    said = [Word(word, float(n), n + 0.5, 0.9) for n, word in enumerate(text.split())]
    kept, words = without_loops(text, said, 12.0)
    assert kept == f"Well, {CIRCLE} Tomorrow."
    assert [word.word for word in words] == kept.split() and words[-1] is said[-1]


def test_punctuation_and_capitals_do_not_hide_a_circle() -> None:
    assert without_loops("we are on hold We are on hold. We are, on hold!", [], 9.0) == ("we are on hold", [])


def test_a_longest_text_is_looked_through_at_once() -> None:
    text = " ".join(str(n) for n in range(5000))
    assert without_loops(text, [], 2000.0) == (text, [])
