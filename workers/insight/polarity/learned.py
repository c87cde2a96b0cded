"""Hears how disappointed people sound: a small linear model over words and pairs of words.

It was trained by scripts/train on dialogues written for it (scripts/training/dialogues), and hears what no phrase of
ours foresees: which words come with disappointment, and after which answers of an agent it comes. A reading is the
sum of its words' weights, so it can always be told from which words it came.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

FILE = Path(__file__).with_name("learned.json")

TOLD_FROM = 0.04
"""Least weight of a word or pair in an utterance's reading that is worth a reason."""


class LearnedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """learned.json. dialogues: digest of what it was trained on. The weights: of words and pairs of words."""

    dialogues: str
    customer: dict[str, float]
    agent: dict[str, float]


class Reading(NamedTuple):
    """value: about -1 (let down) to 1 (delighted), mostly within +-0.5. words: what most of it came from."""

    value: float
    words: tuple[str, ...]


class Learned:
    """The model. Free of state and thread-safe."""

    def __init__(self, file: LearnedFile) -> None:
        self._file = file

    def of(self, party: Literal["customer", "agent"], said: Iterable[str]) -> float:
        """Reading of a party's grams."""
        weights = self._file.customer if party == "customer" else self._file.agent
        return sum(weight for _, weight in _weights(said, weights))

    def customer(self, forms: Sequence[str]) -> Reading:
        """How a customer sounds who says this (tokens of tokens.py)."""
        found = _weights(grams(forms), self._file.customer)
        value = sum(weight for _, weight in found)
        telling = sorted((f for f in found if f[1] * value > 0), key=lambda f: (-abs(f[1]), f[0]))
        return Reading(value, tuple(gram for gram, weight in telling if abs(weight) >= TOLD_FROM))

    def agent(self, forms: Sequence[str]) -> float:
        """How much better (or, below 0, worse) than usual a customer will sound after an agent has said this."""
        return self.of("agent", grams(forms))


def grams(forms: Sequence[str]) -> Iterator[str]:
    """Words and pairs of words, beginning and end of the utterance included; all numbers are one word, "#"."""
    words: list[str] = []
    for form in forms:  # "its" is mostly "it is" in writing, and so is it in a recogniser's
        words += ("it", "is") if form == "its" else ("#",) if form[0].isdigit() else (form,)
    yield from dict.fromkeys(words)
    edged = ["<", *words, ">"]
    yield from dict.fromkeys(f"{one} {next_one}" for one, next_one in pairwise(edged))


@lru_cache(maxsize=1)
def load() -> Learned:
    """The trained model, once per process (about 10 ms)."""
    return Learned(msgspec.json.decode(FILE.read_bytes(), type=LearnedFile))


def _weights(said: Iterable[str], weights: dict[str, float]) -> list[tuple[str, float]]:
    """The known grams and what each adds; the more there are, the less: a long turn is not worse for being long."""
    known = [gram for gram in said if gram in weights]
    scale = 1 / math.sqrt(len(known)) if known else 0.0
    return [(gram, weights[gram] * scale) for gram in known]
