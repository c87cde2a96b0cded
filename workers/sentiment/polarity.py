"""Polarity of one utterance by TextBlob's lexicon."""

from __future__ import annotations

from textblob import TextBlob

from state.types import ScoredUtterance, Sentiment, Utterance


def judge(_earlier: list[ScoredUtterance], utterance: Utterance) -> Sentiment:
    """Sentiment of what was said, by itself."""
    found = TextBlob(utterance.text).sentiment
    return Sentiment(round(found.polarity, 4), round(found.subjectivity, 4))
