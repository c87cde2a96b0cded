"""The meaning of an utterance in its place: the same words weigh more after a refusal, or when said a second time.

Pure functions of what was said before; the context-free polarity of the analyzer is kept in the transcript,
the one from here feeds the call's standing (attention.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from state.types import Sentiment
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.words.spoken import Spoken
from workers.insight.words.tokens import tokenise

CARRY = 0.35
"""Share of the mood so far that colours an utterance. Moods outlast sentences."""
CARRY_KEEP = 0.6
"""Weight of the older mood against the newest utterance, per utterance, in the mood so far."""
REPETITION = -0.25
"""Change of polarity for saying again what one has said before: the need is not met."""
REPETITION_FROM = 0.6
"""Share of the shorter utterance's content words that the other has too, from which both say the same."""
REPETITION_MIN_WORDS = 3
"""Fewest content words for that: fewer are alike by chance ("my phone", "his phone")."""
CONTENT_FROM = 0.3
"""Polarity from which saying the same again is no complaint: thanks are often said twice."""
REPETITION_WINDOW = 6
"""Number of one's own earlier utterances that are compared."""
ECHO = -0.25
"""Change of polarity for beginning with the agent's own last words and going on otherwise: "Ten days? ..." is
disbelief."""
ECHO_WORDS = 3
"""At most so many content words are an echo; more is reading back."""
REFUSED = -0.2
"""Change of polarity for answering an agent who just said that it cannot be done."""
OUTLOOK_TOLD = -0.15
"""Loss of polarity from which an agent's words count as a reason for the customer's."""
LAST_TURNS, LAST_SHARE = 3, 0.4
"""Share of a whole call's score that comes from its last customer utterances alone."""
SARCASM_MOOD = -0.3
"""Mood below which praise does not count as praise, in a call where nothing has been put right."""


_ARTICLES = frozenset({"a", "an", "the", "another"})
_OWN_STATEMENT = frozenset({"i", "you", "it", "that", "this", "my", "we", "are", "is", "nobody", "so", "what", "like"})


class Mood(msgspec.Struct, frozen=True):
    """The state that goes from utterance to utterance of one call.

    level: the customer's mood so far, -1..1. said: content words of his last utterances. refused: the agent
    has refused since the customer last spoke. refusals, repeats: how often so far. helped: the agent has put
    something right. heard: content words of the agent since the customer last spoke. outlook: what those words are
    likely to do to the customer (analyzer.Heard), the latest counting most.
    """

    level: float = 0.0
    said: tuple[frozenset[str], ...] = ()
    refused: bool = False
    refusals: int = 0
    repeats: int = 0
    helped: bool = False
    heard: frozenset[str] = frozenset()
    outlook: float = 0.0


class ContextScorer:
    """Scores utterances in the course of their call, with one analyzer."""

    def __init__(self, analyzer: CallAnalyzer) -> None:
        self._analyzer = analyzer

    def step(self, mood: Mood, utterance: Spoken) -> tuple[Sentiment, Mood]:
        """Score the next utterance of a call (canonical order) and return it with the mood after it."""
        heard = self._analyzer.hear(utterance.text, utterance.party, utterance.doubtful)
        own = utterance.sentiment or heard.sentiment
        if utterance.party == "agent":
            refused = "unable" in heard.kinds or "cold" in heard.kinds
            return own, msgspec.structs.replace(
                mood,
                refused=mood.refused or refused,
                refusals=mood.refusals + refused,
                heard=mood.heard | heard.content,
                outlook=(mood.outlook + heard.outlook) / 2 if mood.heard else heard.outlook,
                helped=mood.helped or ("care" in heard.kinds and not refused),
            )
        return self._customer(mood, utterance.text, heard.content, own)

    def _customer(self, mood: Mood, text: str, content: frozenset[str], own: Sentiment) -> tuple[Sentiment, Mood]:
        polarity, reasons = own.polarity, list(own.reasons)
        if polarity > 0.2 and mood.level < SARCASM_MOOD and not mood.helped:
            polarity *= -0.5
            reasons.append("praise in a bad mood: perhaps sarcastic")
        polarity += CARRY * mood.level + mood.outlook
        if mood.outlook <= OUTLOOK_TOLD:
            reasons.append("after an answer that seldom pleases")
        repeated = own.polarity < CONTENT_FROM and _repeats(content, mood.said)
        if repeated:
            polarity += REPETITION
            reasons.append("says again what was said before")
        if _echoes(text, mood.heard):
            polarity += ECHO
            reasons.append("throws the agent's words back")
        if mood.refused:
            polarity += REFUSED
            reasons.append("after a refusal")
        polarity = round(max(-1.0, min(1.0, polarity)), 3)
        after = Mood(
            level=round(CARRY_KEEP * mood.level + (1 - CARRY_KEEP) * own.polarity, 4),
            said=(*mood.said, content)[-REPETITION_WINDOW:],
            refusals=mood.refusals,
            helped=mood.helped,
            repeats=mood.repeats + repeated,
        )
        return Sentiment(polarity=polarity, subjectivity=own.subjectivity, reasons=reasons), after


def overall(polarities: Sequence[float]) -> float | None:
    """Score of a whole call from the customer's utterances in order; None without any.

    The mean, with the last LAST_TURNS counted extra: people remember how a talk ended.
    """
    if not polarities:
        return None
    last = polarities[-LAST_TURNS:]
    mean = sum(polarities) / len(polarities)
    return round((1 - LAST_SHARE) * mean + LAST_SHARE * sum(last) / len(last), 3)


def _echoes(text: str, heard: frozenset[str]) -> bool:
    """Whether `text` begins with one to three content words of the agent's and goes on in words of its own.

    "the ninth i'll have no job by the ninth" does; "yes the ninth" and "flat two twenty seven mill lane" not.
    """
    forms = tokenise(text).forms
    echoed = 0
    for index, form in enumerate(forms):
        if form in heard:
            echoed += 1
        elif form in _ARTICLES and index < 2:
            continue
        else:
            return 0 < echoed <= ECHO_WORDS and form in _OWN_STATEMENT and len(forms) - index >= 3
    return False


def _repeats(content: frozenset[str], said: Sequence[frozenset[str]]) -> bool:
    for earlier in said:
        shorter = min(len(content), len(earlier))
        if shorter >= REPETITION_MIN_WORDS and len(content & earlier) >= REPETITION_FROM * shorter:
            return True
    return False
