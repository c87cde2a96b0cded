"""Finds words that sound like given ones: a recogniser that does not know "ombudsman" hears "on-budsman".

It compares consonants only, with those that people confuse as one. Where a word begins or ends does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from state.types import ScoredUtterance

LEAST_SOUNDS = 5
"""Least consonants of such a word. With four, "cancel" would be found in "can call"."""

_ALIKE = bytes.maketrans(b"bdgcqxvzjm", b"ptkkkkfssn")
_SILENT = b"aeiouyhw0123456789 \t.,;:!?'\"-()\xe2\x80\x99\x9c\x9d"
"""Vowels and weak sounds, digits, signs, the bytes of curly quotes. Line ends stay: they part utterances."""


def pattern(word: str) -> re.Pattern[bytes] | None:
    """The pattern that finds a word's sounds in `sounds` of a text; None if the word has too few."""
    heard = re.sub(rb"(.)\1+", rb"\1", sounds(word.lower().encode()))
    return re.compile(b"+".join(map(re.escape, _letters(heard))) + b"+") if len(heard) >= LEAST_SOUNDS else None


def sounds(text: bytes) -> bytes:
    """The sounds of a text in small letters, UTF-8."""
    return text.replace(b"ph", b"f").translate(_ALIKE, _SILENT)


def place(said: Iterable[ScoredUtterance], words: list[str]) -> ScoredUtterance | None:
    """The first utterance that holds most of the words, or words that sound like them."""
    sought = [(word, pattern(word)) for word in words]
    most, best = 0, None
    for utterance in said:
        text = utterance.text.lower()
        heard = sounds(text.encode(errors="replace"))
        count = sum(word in text or bool(like and like.search(heard)) for word, like in sought)
        if count > most:
            most, best = count, utterance
    return best


def _letters(heard: bytes) -> list[bytes]:
    return [heard[n : n + 1] for n in range(len(heard))]
