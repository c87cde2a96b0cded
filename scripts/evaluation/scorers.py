"""Plain TextBlob and plain VADER, to compare ours with, on text as a recogniser gives it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from textblob import TextBlob
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

_PUNCTUATION = re.compile(r"[^\w\s']")


def as_recognised(text: str) -> str:
    """The text in lower case, without punctuation but apostrophes."""
    return " ".join(_PUNCTUATION.sub(" ", text.lower().replace("’", "'")).split())


@lru_cache(maxsize=1)
def plain_scorers() -> dict[str, Callable[[str], float]]:
    """Baselines by name. Each takes a text and returns its polarity, -1..1."""
    vader = SentimentIntensityAnalyzer()
    return {
        "TextBlob": lambda text: float(TextBlob(text).sentiment.polarity),
        "VADER": lambda text: float(vader.polarity_scores(text)["compound"]),
    }
