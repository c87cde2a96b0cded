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
from functools import lru_cache
from typing import Any, NamedTuple

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
BARE_NEGATION = -0.12
"""A customer's "not" that no phrase explains: satisfied people negate less."""
MAX_REASONS = 4
MIN_REASON = 0.1
SUBJECTIVITY_RATE = 1.5
"""Subjectivity is 1 - exp(-rate * weight of all contributions): 0 for bare facts, 0.78 for one decisive phrase."""
CACHED_UTTERANCES = 10_000
"""About 100 calls of 100 utterances; 1 kB each."""

_NO_GROUP = frozenset({"word", "negation"})
_COMMON = frozenset(
    """
    i you it the a an to of and or is are was were be been do did does have has had in on at for with that this not
    no yes please will would like can could me my your we our they them there what how about so just am if any from
    by as but
    """.split()
)


class Heard(NamedTuple):
    """What an utterance says by itself.

    kinds: the phrase groups heard (phrases.py), each with its reason in words, quoting what was said.
    content: its words without the commonest, in normal form; two utterances that share them say the same.
    """

    sentiment: Sentiment
    kinds: dict[str, str]
    content: frozenset[str]


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
        self._cached = lru_cache(maxsize=CACHED_UTTERANCES)(self._hear)

    def analyze(self, text: str) -> Any:
        """TextBlob's interface: (polarity, subjectivity) of `text` said by a customer."""
        scored = self.score(text, "customer")
        return self.RETURN_TYPE(scored.polarity, scored.subjectivity)

    def score(self, text: str, party: Party) -> Sentiment:
        """Score one utterance. Never fails on any string; text without words scores 0."""
        return self.hear(text, party).sentiment

    def hear(self, text: str, party: Party) -> Heard:
        """Everything the words say by themselves. Cached: a call's history is gone through again and again."""
        return self._cached(text, party)

    def _hear(self, text: str, party: Party) -> Heard:
        tokens = tokenise(text)
        parts = self._parts(tokens.forms, party)
        total = sum(part.value for part in parts)
        weight = sum(abs(part.value) for part in parts)
        raw = text.split()
        told: list[str] = []
        kinds: dict[str, str] = {}
        for part in sorted(parts, key=lambda p: (-abs(p.value), p.start)):
            said = " ".join(raw[tokens.words[part.start] : tokens.words[part.end - 1] + 1]).strip(" ,.!?;:")
            if part.reason and abs(part.value) >= MIN_REASON and len(told) < MAX_REASONS:
                told.append(f"{part.reason}: “{said}”")
            if part.kind not in _NO_GROUP and (part.value or part.kind == "formula"):
                kinds.setdefault(part.kind, f"{part.reason}: “{said}”" if part.reason else "")
        sentiment = Sentiment(
            polarity=round(squash(total), 3),
            subjectivity=round(1 - math.exp(-SUBJECTIVITY_RATE * weight), 3),
            reasons=list(dict.fromkeys(told)),
        )
        return Heard(sentiment, kinds, frozenset(tokens.forms) - _COMMON)

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
        bare = [at for at, form in enumerate(forms) if form in NEGATORS and at not in covered]
        if bare and party != "agent":
            parts.append(_Part("negation", "", bare[0], bare[0] + 1, BARE_NEGATION))
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
