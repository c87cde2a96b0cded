"""The verdict on a whole call: the chance that it deserves a look, once it is over.

While a call goes on, attention waits for signs that somebody is let down. Once it is over there is more evidence: how
it ended, and how the agent told the customer things. A call without a complaint may still have gone badly.
"""

from __future__ import annotations

from collections.abc import Sequence

from workers.insight.context import LAST_TURNS, ContextScorer, Mood
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.weights import Weights, chance, load, odds
from workers.insight.words.spoken import Spoken, canonical

FEW_TURNS = 2
"""Neutral turns that are added to the customer's own, so that two unfriendly words do not make a bad call."""
LONG_ANSWER = 8
"""Content words from which a turn counts as talkative; people who are let down say less."""

Whole = tuple[float, float, float, float]
"""mean, last, answers, brevity: each higher for a worse call."""


def whole(utterances: Sequence[Spoken], analyzer: CallAnalyzer) -> Whole | None:
    """The evidence for the verdict; None if the customer said nothing."""
    scorer = ContextScorer(analyzer)
    mood = Mood()
    polarities: list[float] = []
    outlooks: list[float] = []
    words: list[int] = []
    for utterance in canonical(list(utterances)):
        sentiment, mood = scorer.step(mood, utterance)
        heard = analyzer.hear(utterance.text, utterance.party, utterance.doubtful)
        if utterance.party == "agent":
            outlooks.append(heard.outlook)
        else:
            polarities.append(sentiment.polarity)
            words.append(min(LONG_ANSWER, len(heard.content)))
    if not polarities:
        return None
    last = polarities[-LAST_TURNS:]
    return (
        -sum(polarities) / (len(polarities) + FEW_TURNS),
        -sum(last) / len(last),
        -sum(outlooks) / len(outlooks) if outlooks else 0.0,
        1 - sum(words) / len(words) / LONG_ANSWER,
    )


def verdict(
    utterances: Sequence[Spoken], analyzer: CallAnalyzer, raised: float | None = None, weights: Weights | None = None
) -> float:
    """Chance, 0..1, that a call that is over deserves a look; 0 if the customer said nothing.

    raised: the highest attention of a call that was raised. The verdict is then midway between the two, in log odds: a
    call that was put right deserves a look less than one that was not.
    """
    found = whole(utterances, analyzer)
    if found is None:
        return 0.0
    fitted = (weights or load()).verdict
    by = (fitted.mean, fitted.last, fitted.answers, fitted.brevity)
    log_odds = fitted.intercept + sum(w * x for w, x in zip(by, found, strict=True))
    return round(chance(log_odds if raised is None else (log_odds + odds(raised)) / 2), 4)
