"""How single words sound: two published lexicons merged, and our corrections for service calls (words.yaml).

VADER's (MIT licence; tweets rated by people, -4..4) knows verbs, nouns and slang; pattern's, which TextBlob
ships (PDDL; adjectives, -1..1), knows evaluating adjectives. Both call things good or bad that in a call are
mere facts ("free", "cheap", "number", "please"): those are struck out.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec
import yaml
from textblob.en import sentiment as pattern_sentiment
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from workers.insight.words.tokens import tokenise

FILE = Path(__file__).with_name("words.yaml")

VADER_SCALE = 3.2
"""VADER's value that becomes 1. Its strongest everyday words ("love", "great", "terrible") have about +-3.2."""
PATTERN_ONLY_WEIGHT = 0.6
"""Words known to pattern alone are mostly inferred, not rated by people: they count for less."""
TOPIC_NEGATIVE, TOPIC_POSITIVE = 0.5, 0.8
"""Weight of words we have not judged ourselves: mostly they say what the talk is about ("disaster", "sad",
"restriction"), not how the speaker feels about the service; ill words of a topic are the commoner."""
MIN_VALENCE = 0.12
"""Least tone of a word that is worth a reason in the table."""


class WordFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """words.yaml as it stands; the lists are words separated by blanks."""

    valences: dict[str, float]
    neutral: str
    intensifiers: dict[str, float]
    dampeners: dict[str, float]
    negators: str
    breaks: str
    profane: str


class Lexicon(msgspec.Struct, frozen=True):
    """The analyzer's knowledge of single words, in the normal form of tokens.py.

    valences: word -> -1..1.  factors: intensifiers (over 1) and dampeners (under 1) of the word that follows.
    """

    valences: dict[str, float]
    factors: dict[str, float]
    negators: frozenset[str]
    breaks: frozenset[str]
    profane: frozenset[str]


@lru_cache(maxsize=1)
def load() -> Lexicon:
    """Load and merge, once per process (about 0.2 s)."""
    own = msgspec.convert(yaml.safe_load(FILE.read_text(encoding="utf-8")), WordFile)
    table = {word: value * (TOPIC_NEGATIVE if value < 0 else TOPIC_POSITIVE) for word, value in _published().items()}
    for word in own.neutral.split():
        table.pop(word, None)
    for word, value in own.valences.items():
        forms = tokenise(word).forms
        if len(forms) == 1:
            table[forms[0]] = value
    return Lexicon(
        valences=table,
        factors=own.intensifiers | own.dampeners,
        negators=frozenset(own.negators.split()),
        breaks=frozenset(own.breaks.split()),
        profane=frozenset(own.profane.split()),
    )


@lru_cache(maxsize=1)
def _vader() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


def general_polarity(text: str) -> float:
    """VADER's polarity -1..1 of any text, whatever it is about."""
    return float(_vader().polarity_scores(text.lower())["compound"])


def _published() -> dict[str, float]:
    """The two published lexicons, joined by their mean where both know a word."""
    ratings: dict[str, list[tuple[float, float]]] = {}
    for word, rating in _vader().lexicon.items():
        if word.isalpha():
            ratings.setdefault(word, []).append((max(-1.0, min(1.0, rating / VADER_SCALE)), 1.0))
    pattern_sentiment.load()
    for word, senses in pattern_sentiment.items():
        if word and word.isalpha() and senses.get(None):
            ratings.setdefault(word, []).append((senses[None][0], PATTERN_ONLY_WEIGHT))
    merged: dict[str, float] = {}
    for word, rated in ratings.items():
        value = rated[0][0] * rated[0][1] if len(rated) == 1 else sum(r for r, _ in rated) / 2
        if abs(value) >= MIN_VALENCE:
            merged[word] = value
    return merged
