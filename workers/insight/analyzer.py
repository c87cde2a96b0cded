"""Polarity of one utterance, for recognised speech of service calls: a TextBlob analyzer of our own.

How a score comes about, in order:

1. the text is normalised (tokens.py), so punctuation, capitals and contractions do not matter;
2. phrases of service calls (phrases.py) claim their tokens; where two overlap the weightier one wins;
3. words left over count by the merged lexicon (lexicon.py), turned by negation, scaled by intensity;
4. the sum is squashed to -1..1.

Every part that counted is named in `reasons`. No state: the same words give the same score anywhere.
"""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

from textblob.base import CONTINUOUS, BaseSentimentAnalyzer

from state.types import Sentiment
from workers.insight.lexicon import BREAKS, DAMPENERS, INTENSIFIERS, NEGATORS, valences
from workers.insight.phrasebook import Hit, Phrasebook
from workers.insight.phrases import AGENT, CUSTOMER, Group
from workers.insight.spoken import Party
from workers.insight.tokens import tokenise

NEGATION_REACH = 5
SUBJECT_REACH = 8
"""Tokens a negation reaches forward, unless a BREAKS word ends it: "not" to the end of its group of words,
"nobody", "nothing", "never" over the whole clause ("nobody has ever been the least bit helpful")."""
NEGATED_POSITIVE = -0.8
NEGATED_NEGATIVE = -0.4
"""'not good' is nearly as bad as bad; 'not bad' is only mildly good."""
NEGATED_PHRASE = 0.25
"""What is left of a strong phrase that is negated as a whole: 'I do not want to cancel my account'."""
AGENT_WORD_WEIGHT = 0.4
"""An agent's single words mostly describe the customer's trouble; his attitude is in the phrases."""
REPEATED_GROUP = 0.5
"""A second hit of one meaning in one utterance adds half: long turns are not worse for being long."""
SQUASH = 0.6
"""total / sqrt(total^2 + SQUASH): one decisive phrase (total -1) becomes -0.79, a hint stays a hint."""
BEFORE_BUT, AFTER_BUT = 0.7, 1.15
"""'it was nice but ...': what follows is what is meant (as VADER does, with milder factors)."""
MAX_REASONS = 4


class _Part:
    """One contribution: what, where (token span), how much."""

    __slots__ = ("end", "kind", "reason", "start", "value")

    def __init__(self, kind: str, reason: str, start: int, end: int, value: float) -> None:
        self.kind, self.reason, self.start, self.end, self.value = kind, reason, start, end, value


def _book(groups: tuple[Group, ...]) -> Phrasebook[Group]:
    return Phrasebook([(pattern, group) for group in groups for pattern in group.patterns])


class CallAnalyzer(BaseSentimentAnalyzer):  # type: ignore[misc]
    """TextBlob analyzer for service calls; also usable as `TextBlob(text, analyzer=CallAnalyzer())`.

    Build once per process (about 0.3 s: two lexicons and the phrase trie); then free of state and thread-safe.
    """

    kind = CONTINUOUS
    RETURN_TYPE = namedtuple("Sentiment", ["polarity", "subjectivity"])

    def __init__(self) -> None:
        super().__init__()
        self._words = valences()
        self._books = {"agent": _book(AGENT), "customer": _book(CUSTOMER), "other": _book(CUSTOMER)}
        self._trained = True

    def analyze(self, text: str) -> Any:
        """TextBlob's interface: (polarity, subjectivity) of `text` said by a customer."""
        scored = self.score(text, "customer")
        return self.RETURN_TYPE(scored.polarity, scored.subjectivity)

    def kinds(self, text: str, party: Party) -> set[str]:
        """Names of the phrase groups heard in `text` (see phrases.py)."""
        forms = tokenise(text).forms
        return {hit.payload.kind for hit in self._claims(forms, party)}

    def score(self, text: str, party: Party) -> Sentiment:
        """Score one utterance. Never fails on any string; text without words scores 0."""
        tokens = tokenise(text)
        parts = self._parts(tokens.forms, party)
        total = sum(part.value for part in parts)
        weight = sum(abs(part.value) for part in parts)
        raw = text.split()
        told: list[str] = []
        for part in sorted(parts, key=lambda p: (-abs(p.value), p.start)):
            if part.reason and abs(part.value) >= 0.1 and len(told) < MAX_REASONS:
                said = " ".join(raw[tokens.words[part.start] : tokens.words[part.end - 1] + 1])
                told.append(f"{part.reason}: “{said.strip(' ,.!?;:')}”")
        return Sentiment(
            polarity=round(squash(total), 3),
            subjectivity=round(1 - math.exp(-1.5 * weight), 3),
            reasons=list(dict.fromkeys(told)),
        )

    def _claims(self, forms: list[str], party: Party) -> list[Hit[Group]]:
        """Phrase hits without overlaps: the longer and weightier first."""
        hits = [
            hit
            for hit in self._books[party].find(forms)
            if not hit.payload.opener or all(f in ("oh", "well", "so") for f in forms[: hit.start])
        ]
        hits.sort(key=lambda h: (-(h.end - h.start + 3 * abs(h.payload.valence)), h.start))
        taken: set[int] = set()
        chosen: list[Hit[Group]] = []
        for hit in hits:
            span = range(hit.start, hit.end)
            if taken.isdisjoint(span):
                taken.update(span)
                chosen.append(hit)
        chosen.sort(key=lambda h: h.start)
        return chosen

    def _parts(self, forms: list[str], party: Party) -> list[_Part]:
        claims = self._claims(forms, party)
        covered = {i for hit in claims for i in range(hit.start, hit.end)}
        parts: list[_Part] = []
        seen: set[str] = set()
        for hit in claims:
            group = hit.payload
            value = group.valence
            if abs(value) >= 0.5 and _negated(forms, hit.start, covered):
                value *= NEGATED_PHRASE
            if group.kind in seen:
                value *= REPEATED_GROUP
            seen.add(group.kind)
            parts.append(_Part(group.kind, group.reason, hit.start, hit.end, value))
        word_weight = AGENT_WORD_WEIGHT if party == "agent" else 1.0
        for at, form in enumerate(forms):
            valence = self._words.get(form)
            if valence is None or at in covered or form in INTENSIFIERS and at + 1 < len(forms) and forms[at + 1] in self._words:
                continue
            value = valence * _intensity(forms, at) * word_weight
            if _negated(forms, at, frozenset()):
                value *= NEGATED_POSITIVE if value > 0 else NEGATED_NEGATIVE
            parts.append(_Part("word", "says", at, at + 1, value))
        if "but" in forms:
            turn = len(forms) - 1 - forms[::-1].index("but")
            for part in parts:
                part.value *= BEFORE_BUT if part.end <= turn else AFTER_BUT
        return parts


def squash(total: float) -> float:
    """Sum of contributions to a polarity within -1..1."""
    return total / math.sqrt(total * total + SQUASH)


def _negated(forms: list[str], at: int, covered: set[int] | frozenset[int]) -> bool:
    """Whether a negation before token `at` reaches it. `covered`: tokens of phrases, whose 'not' is their own."""
    for back in range(at - 1, max(-1, at - 1 - SUBJECT_REACH), -1):
        form = forms[back]
        if form in BREAKS:
            return False
        if form in NEGATORS and back not in covered and (at - back <= NEGATION_REACH or form in _SUBJECT_NEGATORS):
            # "no" followed by a subject answers a question, it negates nothing: "no i love it"
            answers = form == "no" and back + 1 < len(forms) and forms[back + 1] in _SUBJECTS
            return not answers
    return False


_SUBJECT_NEGATORS = frozenset({"nobody", "nothing", "never", "none"})
_SUBJECTS = frozenset("i it that you we they he she this there thanks thank the my your".split())


def _intensity(forms: list[str], at: int) -> float:
    factor = 1.0
    for back in range(at - 1, max(-1, at - 3), -1):
        factor *= INTENSIFIERS.get(forms[back], 1.0) * DAMPENERS.get(forms[back], 1.0)
    return factor
