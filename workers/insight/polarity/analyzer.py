"""Polarity of one utterance, for recognised speech of service calls: a TextBlob analyzer of our own.

How a score comes about, in order:

1. the text is normalised (tokens.py), so punctuation, capitals and contractions do not matter;
2. phrases of service calls (phrases.yaml) claim their tokens; where two overlap the weightier one wins;
3. words left over count by the merged lexicon (lexicon.py), turned by negation, scaled by intensity;
4. the sum is squashed to -1..1;
5. what a trained model makes of the words (learned.py) is added: it hears what no phrase foresees.

`reasons` names every part that counted. There is no state: the same words give the same score anywhere.
"""

from __future__ import annotations

import math
from collections import namedtuple
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from textblob.base import CONTINUOUS, BaseSentimentAnalyzer

from state.types import Sentiment
from workers.insight.polarity import learned, lexicon, phrases
from workers.insight.polarity.phrases import Group
from workers.insight.words.phrasebook import Hit, Phrasebook
from workers.insight.words.spoken import Party
from workers.insight.words.tokens import tokenise, wordset

NEGATION_REACH = 5
SUBJECT_REACH = 8
"""Tokens a negation reaches forward, unless a break word ends it: "not" to the end of its group of words,
"nobody", "nothing", "never" over the whole clause ("nobody has ever been the least bit helpful")."""
NEGATED_POSITIVE = -0.8
NEGATED_NEGATIVE = -0.4
"""'not good' is nearly as bad as bad; 'not bad' is only mildly good."""
NEGATED_PHRASE = 0.25
"""Share of a strong phrase that stays if it is negated as a whole: 'I do not want to cancel my account'."""
STRONG_PHRASE = 0.5
AGENT_WORD_WEIGHT = 0.4
"""An agent's single words mostly describe the customer's trouble; the agent's attitude is in the phrases."""
REPEATED_GROUP = 0.5
"""Share that each further hit of one meaning in one utterance adds: long turns are not worse for being long."""
BARE_NEGATION = -0.12
"""Polarity of a customer's "not" that no phrase explains: satisfied people negate less."""
BEFORE_BUT, AFTER_BUT = 0.7, 1.15
"""'it was nice but ...': what follows is what is meant (as VADER does, with milder factors)."""
SQUASH = 0.6
"""total / sqrt(total^2 + SQUASH): one decisive phrase (total -1) becomes -0.79, a hint stays a hint."""
CLAIM_BY_VALENCE = 3.0
"""Weight of valence when phrases overlap: the larger length in tokens + CLAIM_BY_VALENCE * |valence| wins."""
FRIENDLY_NO = 0.3
"""Share of a first "no" that stays before friendly words: a polite refusal, a correction of oneself."""
LEARNED_SHARE = 0.7
"""Weight of the trained model's reading beside the phrases' and words' sum. From 0.5 to 1.5 it trades turns for whole
dialogues: scripts/evaluate."""
GENERAL_SHARE = 0.5
"""Share of VADER's general reading where nobody knows who speaks (party "other")."""
MAX_REASONS = 4
LONE_PROFANITY, AT_ODDS_ABOVE = 0.2, -0.2
"""Share of a swear word that stays if all else said with it sums to more than that. In friendly words it is mostly
misheard ("shift"), and recognisers without confidence give no other hint."""
DOUBTFUL_SHARE = 0.3
"""Share that stays of a word that the recogniser was not sure of."""
MIN_REASON = 0.1
SUBJECTIVITY_RATE = 1.5
"""Subjectivity is 1 - exp(-rate * weight of all contributions): 0 for bare facts, 0.78 for a decisive
phrase."""
CACHED_UTTERANCES = 10_000
"""About 100 calls of 100 utterances; 1 kB each."""

_SUBJECT_NEGATORS = frozenset({"nobody", "nothing", "never", "none"})
_ANSWERED_BY_NO = wordset("i it that you we they he she this there thanks thank the my your")
_FRIENDLY = frozenset({"polite_refusal", "self_correction", "asks_back", "thanks", "assent", "relief"})
_LEAD_INS = frozenset({"oh", "well", "so"})
_FAINT = wordset(
    "now then still only very more because when been one get got go going well said say says see than too much many"
    " some other all up out off back over again every her his him she he know think want need make made let"
)
"""Words that say nothing by themselves, beside _COMMON: never told as a reason."""
_COMMON = wordset(
    "i you it the a an to of and or is are was were be been do did does have has had in on at for"
    " with that this not no yes please will would like can could me my your we our they them there"
    " what how about so just am if any from by as but"
)


class Heard(NamedTuple):
    """The content of an utterance by itself.

    kinds: the phrase groups heard (phrases.yaml), each with its reason in words, quoting what was said.
    content: its words without the commonest, in normal form; two utterances that share them say the same.
    reading: what the trained model makes of a customer's words (learned.Reading), 0 for an agent's.
    outlook: how much better (below 0: worse) than usual a customer will sound who was told this; 0 for a customer's.
    """

    sentiment: Sentiment
    kinds: dict[str, str]
    content: frozenset[str]
    outlook: float
    reading: float


@dataclass(slots=True)
class _Part:
    """One contribution: the group it comes from (None: a word), its token span, how much, told as."""

    group: str | None
    reason: str
    start: int
    end: int
    value: float
    doubtful: bool = False


def _book(groups: list[Group]) -> Phrasebook[Group]:
    return Phrasebook([(pattern, group) for group in groups for pattern in group.patterns])


class CallAnalyzer(BaseSentimentAnalyzer):  # type: ignore[misc]  # textblob has no types
    """TextBlob analyzer for service calls; also usable as `TextBlob(text, analyzer=CallAnalyzer())`.

    Build once per process (about 1 s: two lexicons and the phrase trie); then free of state and thread-safe.
    """

    kind = CONTINUOUS
    RETURN_TYPE = namedtuple("RETURN_TYPE", ["polarity", "subjectivity"])

    def __init__(self, model: learned.Learned | None = None) -> None:
        """model: another trained model than the one that is shipped."""
        super().__init__()
        self._lexicon = lexicon.load()
        self._learned = model or learned.load()
        known = phrases.load()
        self._customer, self._agent = _book(known.customer), _book(known.agent)
        self._cached = lru_cache(maxsize=CACHED_UTTERANCES)(self._hear)

    def analyze(self, text: str) -> Any:
        """TextBlob's interface: (polarity, subjectivity) of `text` said by a customer."""
        scored = self.score(text, "customer")
        return self.RETURN_TYPE(scored.polarity, scored.subjectivity)

    def score(self, text: str, party: Party, doubtful: tuple[str, ...] = ()) -> Sentiment:
        """Score one utterance. Never fails on any string; text without words scores 0."""
        return self.hear(text, party, doubtful).sentiment

    def hear(self, text: str, party: Party, doubtful: tuple[str, ...] = ()) -> Heard:
        """Everything the words say by themselves. Cached: a call's history is gone through again and
        again.

        doubtful: words of it, as they stand, that the recogniser was not sure of.
        """
        return self._cached(text, party, doubtful)

    def _hear(self, text: str, party: Party, doubtful: tuple[str, ...]) -> Heard:
        tokens = tokenise(text)
        parts = self._parts(tokens.forms, party)
        self._mistrust(parts, tokens.forms, {form for word in doubtful for form in tokenise(word).forms})
        raw = text.split()
        told: list[str] = []
        kinds: dict[str, str] = {}
        for part in sorted(parts, key=lambda p: (-abs(p.value), p.start)):
            said = " ".join(raw[tokens.words[part.start] : tokens.words[part.end - 1] + 1]).strip(" ,.!?;:")
            reason = f"“{said}”: {part.reason}" if part.reason else ""
            if reason and abs(part.value) >= MIN_REASON and len(told) < MAX_REASONS:
                told.append(reason)
            if part.group is not None and not part.doubtful:
                kinds.setdefault(part.group, reason)
        polarity = squash(sum(part.value for part in parts))
        outlook = heard_by_model = 0.0
        if party == "agent":
            outlook = LEARNED_SHARE * self._learned.agent(tokens.forms)
        else:
            reading = self._learned.customer(tokens.forms)
            heard_by_model = reading.value
            polarity = max(-1.0, min(1.0, polarity + LEARNED_SHARE * reading.value))
            if reading.value * polarity > 0 and len(told) < MAX_REASONS:
                told.extend(_sounds(reading))
        if party == "other":
            polarity = (1 - GENERAL_SHARE) * polarity + GENERAL_SHARE * lexicon.general_polarity(text)
        weight = sum(abs(part.value) for part in parts)
        sentiment = Sentiment(
            polarity=round(polarity, 3),
            subjectivity=round(1 - math.exp(-SUBJECTIVITY_RATE * weight), 3),
            reasons=list(dict.fromkeys(told)),
        )
        return Heard(sentiment, kinds, frozenset(tokens.forms) - _COMMON, outlook, heard_by_model)

    def _claims(self, forms: list[str], party: Party) -> list[Hit[Group]]:
        """Phrase hits without overlaps, by start: the longer and weightier first."""
        book = self._agent if party == "agent" else self._customer
        hits = [hit for hit in book.find(forms) if not hit.payload.opener or _LEAD_INS.issuperset(forms[: hit.start])]
        hits.sort(key=lambda h: (-(h.end - h.start + CLAIM_BY_VALENCE * abs(h.payload.valence)), h.start))
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
            # only a "not" outside all phrases negates one: those inside have been judged with theirs
            if abs(value) >= STRONG_PHRASE and self._negator(forms, hit.start, covered) is not None:
                value *= NEGATED_PHRASE
            if group.kind in seen:
                value *= REPEATED_GROUP
            seen.add(group.kind)
            parts.append(_Part(group.kind, group.reason, hit.start, hit.end, value))
        if not seen.isdisjoint(_FRIENDLY):
            for part in parts:
                if part.group == "refusal_opener":
                    part.value *= FRIENDLY_NO
        parts.extend(self._word_parts(forms, party, covered))
        if "but" in forms:
            turn = len(forms) - 1 - forms[::-1].index("but")
            for part in parts:
                part.value *= BEFORE_BUT if part.end <= turn else AFTER_BUT
        return parts

    def _mistrust(self, parts: list[_Part], forms: list[str], doubtful: set[str]) -> None:
        """Take weight from single words that may have been misheard."""
        total = sum(part.value for part in parts)
        for part in parts:
            if part.end - part.start > 1:
                continue
            word = forms[part.start]
            if word in doubtful:
                part.value *= DOUBTFUL_SHARE
                part.doubtful = True
            elif word in self._lexicon.profane and total - part.value > AT_ODDS_ABOVE:
                part.value *= LONE_PROFANITY
                part.doubtful = True

    def _word_parts(self, forms: list[str], party: Party, covered: set[int]) -> list[_Part]:
        words, factors = self._lexicon.valences, self._lexicon.factors
        parts: list[_Part] = []
        spent = set(covered)
        for at, form in enumerate(forms):
            value = words.get(form)
            if value is None or at in covered:
                continue
            if form in factors and at + 1 < len(forms) and forms[at + 1] in words:
                continue  # "terribly good", "pretty bad": it only scales the next
            for before in forms[max(0, at - 2) : at]:
                value *= factors.get(before, 1.0)
            negator = self._negator(forms, at, frozenset())
            if negator is not None:
                spent.add(negator)
                value *= NEGATED_POSITIVE if value > 0 else NEGATED_NEGATIVE
            if party == "agent":
                value *= AGENT_WORD_WEIGHT
            meaning = "a friendly word" if value > 0 else "an unhappy word"
            parts.append(_Part(None, meaning, at, at + 1, value))
        if party != "agent":
            bare = [at for at, form in enumerate(forms) if form in self._lexicon.negators and at not in spent]
            if bare:
                parts.append(_Part(None, "", bare[0], bare[0] + 1, BARE_NEGATION))
        return parts

    def _negator(self, forms: list[str], at: int, judged: set[int] | frozenset[int]) -> int | None:
        """The token of a negation before token `at` that reaches it, or None; those in `judged` do not."""
        for back in range(at - 1, max(-1, at - 1 - SUBJECT_REACH), -1):
            form = forms[back]
            if form in self._lexicon.breaks:
                return None
            if form not in self._lexicon.negators or back in judged:
                continue
            if at - back > NEGATION_REACH and form not in _SUBJECT_NEGATORS:
                continue
            # "no" before a subject answers a question, it negates nothing: "no i love it"
            return None if form == "no" and forms[back + 1] in _ANSWERED_BY_NO else back
        return None


def _sounds(reading: learned.Reading) -> list[str]:
    """The trained model's reading told by its weightiest words that say something by themselves, if there are any."""
    mood = "content" if reading.value > 0 else "let down"
    for gram in reading.words:
        words = gram.strip("<> ").split()
        if any(word not in _COMMON and word not in _FAINT and len(word) > 2 for word in words):
            return [f"“{' '.join(words)}”: sounds {mood}"]
    return []


def squash(total: float) -> float:
    """Sum of contributions to a polarity within -1..1."""
    return total / math.sqrt(total * total + SQUASH)
