"""Removes what a model repeats where it hears no words: on other people's talk, its decoder may go in a circle.

We played Moonshine ten minutes of six voices backwards, which hold no word. It invented 29,544 words an hour, nearly
all of them one phrase ten times over, at 8 to 11 words a second."""

from __future__ import annotations

import re

from state.types import Word

FASTEST_WORDS_A_SECOND = 6.0
"""Words a second that nobody keeps up through an utterance: conversations run at 2 to 4, auctioneers at about 5."""

TIMES = 3
"""Least repeats in a row that may be a circle."""

PHRASE_WORDS = 4
"""Least words of a phrase that nobody repeats so often; "no, no, no" and "thank you, thank you" stay."""

LONGEST_WORDS = 24
"""Most words of a circle."""

_STRIPPED = re.compile(r"[^\w']+")


def without_loops(text: str, words: list[Word], seconds: float) -> tuple[str, list[Word]]:
    """The text with each circle said once; "" if it was spoken faster than anybody speaks.

    words:   the text's words with times, or empty.
    seconds: the length of the speech.
    """
    said = text.split()
    kept = _kept([_STRIPPED.sub("", word.lower()) for word in said])
    if len(kept) == len(said):
        return text, words
    if len(said) > FASTEST_WORDS_A_SECOND * seconds:
        return "", []
    return " ".join(said[n] for n in kept), [words[n] for n in kept] if words else []


def _kept(plain: list[str]) -> list[int]:
    """The places of the words that stay."""
    kept: list[int] = []
    at = 0
    while at < len(plain):
        length, times = _circle(plain, at)
        kept += range(at, at + length)
        at += length * times
    return kept


def _circle(plain: list[str], at: int) -> tuple[int, int]:
    """(words of the phrase that begins here, how often it is said in a row); (1, 1) for no circle."""
    for length in range(PHRASE_WORDS, min(LONGEST_WORDS, (len(plain) - at) // TIMES) + 1):
        phrase = plain[at : at + length]
        times = 1
        while plain[at + times * length : at + (times + 1) * length] == phrase:
            times += 1
        if times >= TIMES:
            return length, times
    return 1, 1
